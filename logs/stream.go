package logs

import (
	"context"
	"errors"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// baselineTail is how many messages are looked at to find the end of a history. The last one need not be the newest.
const baselineTail = 16

// errStale ends a stream that goes on although the container's run has ended, because it is of the next run or hangs.
var errStale = errors.New("stream outlived its container")

// request is what to ask the engine for now: from the cursor, and to the end of the run when that is known.
func (t *tail) request(follow bool) engine.LogOptions {
	options := engine.LogOptions{
		Follow: follow, Since: t.options.Since, Until: t.options.Until, Tail: t.lines, Timestamps: true,
	}
	if t.seam != nil && (options.Until.IsZero() || t.seam.Before(options.Until)) {
		options.Until = *t.seam
	}
	if t.decoder.cursor.started() {
		options.Since, options.Tail = t.decoder.cursor.time, -1
	}
	if end, ok := t.inbox.exitAhead(); ok && t.seam == nil {
		options.Follow = false
		if !end.time.IsZero() && (options.Until.IsZero() || end.time.Before(options.Until)) {
			options.Until = end.time
		}
	}
	return options
}

// stream reads over one connection. A followed one is broken off when the container's end was told and nothing comes any more.
func (t *tail) stream(ctx context.Context, options engine.LogOptions) error {
	if !options.Follow {
		return t.stored(ctx, options)
	}
	if err := t.lane.await(ctx, awaitLive); err != nil {
		return err
	}
	err := t.followed(ctx, options)
	return errors.Join(err, t.lane.await(ctx, awaitNothing))
}

// stored reads what the engine has now, when it is this log's turn.
func (t *tail) stored(ctx context.Context, options engine.LogOptions) error {
	if err := t.turns.take(ctx); err != nil {
		return err
	}
	t.asked = t.turns.asked
	err := t.engine.Logs(ctx, t.source.ContainerID, options, func(f engine.Frame) error { return t.frame(ctx, f) })
	t.asked = nil
	t.turns.give(t.parked)
	return err
}

func (t *tail) followed(ctx context.Context, options engine.LogOptions) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer t.inbox.whenExit(nil)
	t.inbox.whenExit(func() { t.breakOffWhenSilent(ctx, cancel) })
	err := t.engine.Logs(ctx, t.source.ContainerID, options, func(f engine.Frame) error { return t.frame(ctx, f) })
	if err != nil && errors.Is(context.Cause(ctx), errStale) {
		return errStale
	}
	return err
}

func (t *tail) frame(ctx context.Context, frame engine.Frame) error {
	t.frames.Add(1)
	if err := t.lane.ready(ctx, t.asked); err != nil {
		t.parked = errors.Is(err, errParked)
		return err
	}
	if err := t.decoder.frame(frame); err != nil {
		return err
	}
	return t.lane.pause(ctx, frame.More)
}

func (t *tail) breakOffWhenSilent(ctx context.Context, cancel context.CancelCauseFunc) {
	before := t.frames.Load()
	timer := time.AfterFunc(staleAfter, func() {
		if t.frames.Load() > before {
			t.breakOffWhenSilent(ctx, cancel)
			return
		}
		cancel(errStale)
	})
	context.AfterFunc(ctx, func() { timer.Stop() })
}

// skipHistory moves the cursor to the end of what was written so far, so that reading begins with what comes next. Where the
// log cannot be read, that is left to be told by read.
func (t *tail) skipHistory(ctx context.Context) error {
	emit := t.decoder.emit
	defer func() { t.decoder.emit = emit }()
	t.decoder.emit = func(engine.Stream, time.Time, []byte, bool) error { return nil }
	options := engine.LogOptions{Tail: baselineTail, Timestamps: true}
	for {
		limit := t.decoder.lineLimit
		*t.decoder = *newDecoder(t.decoder.emit)
		t.decoder.lineLimit = limit
		err := t.engine.Logs(ctx, t.source.ContainerID, options, t.decoder.frame)
		if err := t.decoder.end(); err != nil {
			return err
		}
		if err != nil {
			return ctx.Err()
		}
		if options.Tail < 0 || t.decoder.cursor.at < baselineTail {
			t.lines = -1
			return nil
		}
		// All of them are of one moment, and there may be more of it before.
		options.Since, options.Tail = t.decoder.cursor.time, -1
	}
}
