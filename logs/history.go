package logs

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// perContainer is how many lines of a container's history are needed; negative means all.
func (o Options) perContainer() int {
	lines := o.Tail
	for _, most := range []int{o.TailTotal, o.TailService} {
		if most > 0 && (lines < 0 || most < lines) {
			lines = most
		}
	}
	return lines
}

// now is the time by the engine's clock, and by this machine's where the engine does not tell.
func (f *follower) now(ctx context.Context) time.Time {
	if info, err := f.engine.Info(ctx); err == nil && !info.Time.IsZero() {
		return info.Time
	}
	return time.Now()
}

// readAll reads the logs of tails that do not run as far as they are written, and with them what has happened besides.
func (f *follower) readAll(ctx context.Context, tails []*tail, past *past) error {
	reads, reading := errgroup.WithContext(ctx)
	if f.options.NoMerge {
		reads.SetLimit(1) // in the order of the tails
	}
	// All are announced before the first has something to say.
	lanes := past.lanes(f.merger)
	for _, t := range tails {
		lanes = append(lanes, t.lane)
	}
	for _, l := range lanes {
		if err := l.await(ctx, f.expected()); err != nil {
			return err
		}
	}
	reads.Go(func() error { return past.tell(reading) })
	for _, t := range tails {
		reads.Go(func() error { return t.readHistory(reading) })
	}
	if err := reads.Wait(); err != nil {
		return err
	}
	return f.merger.send(ctx, delivery{}) // the history ends here
}

// expected is what the merger is to expect of a lane with history.
func (f *follower) expected() awaited {
	if f.options.NoMerge {
		return awaitNothing
	}
	return awaitHistory
}

// readHistory reads what is written, up to the seam where the log is followed afterwards.
func (t *tail) readHistory(ctx context.Context) error {
	if err := t.read(ctx, false); err != nil {
		return err
	}
	t.seam = nil
	return t.lane.await(ctx, awaitNothing)
}
