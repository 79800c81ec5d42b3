package logs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

const (
	// retryFirst and retryMost bound the pause before a lost stream is asked for again; it doubles in between.
	retryFirst = 100 * time.Millisecond
	retryMost  = 2 * time.Second
	// retries is how often in a row a stream may end without having given anything new before it is given up.
	retries = 5
	// staleAfter is how long a stream may be silent after its container has ended, and how long after the end of a stream
	// the news of the container's end may take.
	staleAfter = 2 * time.Second
)

// tail reads one container's log, through all its runs and over all connections, and puts the marks between the lines. All
// but the inbox belongs to the goroutine that calls run.
type tail struct {
	*follower
	source  Source
	lines   int // of the history, while there is no cursor; negative means all
	inbox   *inbox
	decoder *decoder

	frames     atomic.Int64 // that came
	failure    error        // of the sink
	runsAgain  bool         // the exit of an earlier run was told before a line
	early      bool         // the last stream ended before the container
	unreadable bool         // the log driver cannot read
}

func newTail(f *follower, source Source, lines int) *tail {
	return &tail{follower: f, source: source, lines: lines, inbox: newInbox(), decoder: newDecoder(nil)}
}

// begin says where lines go to. It comes before the first read.
func (t *tail) begin(ctx context.Context) {
	t.decoder.emit = func(stream engine.Stream, at time.Time, text []byte, cut bool) error {
		return t.line(ctx, Line{Source: t.source, Stream: stream, Time: at, Text: text, Cut: cut})
	}
}

// run does what comes into the inbox until that is closed and empty. ctx ends it.
func (t *tail) run(ctx context.Context) error {
	t.begin(ctx)
	for {
		next, ok, err := t.inbox.next(ctx)
		if !ok {
			return err
		}
		if err := t.do(ctx, next); err != nil {
			return err
		}
	}
}

func (t *tail) do(ctx context.Context, next task) error {
	switch next.kind {
	case taskRename:
		t.source.Container = next.name
	case taskExit:
		if t.early {
			t.early = false
			if err := t.read(ctx, false); err != nil {
				return err
			}
		}
		return t.exited(ctx, next)
	case taskRead:
		t.runsAgain = false
		if next.started {
			if err := t.started(ctx, next); err != nil {
				return err
			}
		}
		return t.read(ctx, next.follow)
	}
	return nil
}

// line hands a line on, after what came before it: a stream may go on into the container's next run.
func (t *tail) line(ctx context.Context, line Line) error {
	for {
		due, ok := t.inbox.overdue(line.Time, t.runsAgain)
		if !ok {
			return t.send(ctx, Item{Kind: KindLine, Line: line})
		}
		t.runsAgain = due.kind == taskExit
		tell := t.started
		if t.runsAgain {
			tell = t.exited
		}
		if err := tell(ctx, due); err != nil {
			return err
		}
	}
}

func (t *tail) started(ctx context.Context, start task) error {
	return t.send(ctx, Item{Kind: KindStarted, Line: Line{Source: t.source, Time: start.time}})
}

func (t *tail) exited(ctx context.Context, end task) error {
	return t.send(ctx, Item{
		Kind: KindExited, Line: Line{Source: t.source, Time: end.time},
		ExitCode: end.code, Restarting: end.restarting, OutOfMemory: end.outOfMemory,
	})
}

// read hands on what was written since the cursor, to the end of the container's run when it follows. The error is one that
// ends everything: the sink's, the context's, or that the engine is gone.
func (t *tail) read(ctx context.Context, follow bool) error {
	for failures := 0; !t.unreadable; failures++ {
		before, request := t.decoder.cursor, t.request(follow)
		err := t.stream(ctx, request)
		if fatal := cmp.Or(t.failure, ctx.Err()); fatal != nil {
			return fatal
		}
		if t.decoder.cursor != before {
			failures = 0
		}
		if err == nil {
			if done, err := t.ended(ctx, request, failures); done || err != nil {
				return err
			}
			continue
		}
		if t.hopeless(err, follow, failures) {
			return t.giveUp(ctx, err)
		}
		t.decoder.lost()
		if err := pause(ctx, min(retryMost, retryFirst<<min(failures, retries))); err != nil {
			return err
		}
	}
	return nil
}

// ended says whether the end of a stream was the end of what there is to read. Engines have been seen to end a followed stream
// although the container ran on: then it is asked for again, a few times, and after those when the container ends. Or the event
// of its end was lost: then a look will tell.
func (t *tail) ended(ctx context.Context, request engine.LogOptions, failures int) (bool, error) {
	t.lines = -1
	if err := t.decoder.end(); err != nil {
		return true, err
	}
	if !request.Follow || !t.options.Until.IsZero() || t.inbox.wait(ctx, staleAfter) {
		return true, nil
	}
	select {
	case t.doubt <- struct{}{}:
	default:
	}
	t.early = failures >= retries
	return t.early, ctx.Err()
}

func pause(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hopeless says whether to stop trying. While the container may live, an engine that does not answer is waited for: when it
// stays away, the subscription to its events fails and ends everything.
func (t *tail) hopeless(err error, follow bool, failures int) bool {
	switch {
	case errors.Is(err, errStale):
		return false
	case errors.Is(err, engine.ErrUnsupported), errors.Is(err, engine.ErrNotFound), errors.Is(err, engine.ErrConflict):
		return true
	case errors.Is(err, engine.ErrUnavailable) && follow && !t.inbox.last():
		return false
	}
	return failures >= retries
}

// giveUp ends the reading of a log that cannot be read. One that is gone with its container needs no words.
func (t *tail) giveUp(ctx context.Context, cause error) error {
	if err := t.decoder.end(); err != nil {
		return err
	}
	switch {
	case errors.Is(cause, engine.ErrNotFound), errors.Is(cause, engine.ErrConflict):
		return nil
	case errors.Is(cause, engine.ErrUnavailable):
		return fmt.Errorf("read logs of %q: %w", t.source.Container, cause)
	}
	t.unreadable = errors.Is(cause, engine.ErrUnsupported)
	return t.send(ctx, Item{Kind: KindUnreadable, Line: Line{Source: t.source, Time: time.Now().UTC()}, Err: cause})
}
