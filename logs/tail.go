package logs

import (
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
	lane    *lane
	asked   <-chan struct{} // receives when another log asks for the turn; nil while this one has none
	ended   chan struct{}   // closed when nothing more comes

	seam       *time.Time   // while the history is read of what is followed afterwards: where it ends
	frames     atomic.Int64 // that came
	parked     bool         // the last stream gave its turn up
	last       *exit        // of the run before
	runsAgain  bool         // the exit of an earlier run was told before a line
	early      bool         // the last stream ended before the container
	unreadable bool         // the log driver cannot read
	givenUp    bool         // the history could not be read to its end
}

// newTail makes one of so many tails.
func newTail(f *follower, source Source, among int) *tail {
	size, ahead, limit := share(among)
	t := &tail{
		follower: f, source: source, lines: f.options.perContainer(), inbox: newInbox(),
		lane: newLane(f.merger, source, size, ahead), ended: make(chan struct{}),
	}
	t.decoder = newDecoder(t.line)
	t.decoder.lineLimit = limit
	return t
}

// run does what comes into the inbox until that is closed and empty. ctx ends it.
func (t *tail) run(ctx context.Context) error {
	defer close(t.ended)
	for {
		next, ok, err := t.inbox.next(ctx)
		if !ok {
			return err
		}
		if err := t.do(ctx, next); err != nil {
			return err
		}
		if err := t.lane.flush(ctx); err != nil {
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
		t.exited(next)
	case taskRead:
		t.runsAgain = false
		if next.started {
			t.started(next)
		}
		if t.givenUp {
			t.givenUp = false // with the history
			return nil
		}
		return t.read(ctx, next.follow)
	case taskPass:
		close(next.passed)
	case taskAfter:
		return t.after(ctx, next)
	}
	return nil
}

// after waits until another tail has told what it has to tell.
func (t *tail) after(ctx context.Context, turn task) error {
	select {
	case <-turn.passed:
	case <-turn.ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// line hands a line on, after what came before it: a stream may go on into the container's next run.
func (t *tail) line(stream engine.Stream, at time.Time, text []byte, cut bool) error {
	for t.inbox.some() {
		due, ok := t.inbox.overdue(at, t.runsAgain)
		if !ok {
			break
		}
		t.runsAgain = due.kind == taskExit
		if t.runsAgain {
			t.exited(due)
		} else {
			t.started(due)
		}
	}
	t.lane.line(t.source, stream, at, text, cut)
	return nil
}

func (t *tail) started(start task) {
	item := Item{Kind: KindStarted, Line: Line{Source: t.source, Time: start.time}}
	if t.last != nil {
		item.Again, item.ExitCode, item.OutOfMemory = true, t.last.code, t.last.outOfMemory
	}
	t.lane.mark(item)
}

func (t *tail) exited(end task) {
	t.last = &end.exit
	t.lane.mark(Item{
		Kind: KindExited, Line: Line{Source: t.source, Time: end.time}, ExitCode: end.code,
		Restarting: end.restarting, OutOfMemory: end.outOfMemory, Replaced: end.replaced,
	})
}

// read hands on what was written since the cursor, to the end of the container's run when it follows. The error is one that
// ends everything: the sink's, the context's, or that the engine is gone.
func (t *tail) read(ctx context.Context, follow bool) error {
	for failures := 0; !t.unreadable; failures++ {
		before, request := t.decoder.cursor, t.request(follow)
		err := t.stream(ctx, request)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if t.decoder.cursor != before || t.parked {
			failures = 0
		}
		var done bool
		switch {
		case t.parked:
			err = t.goOn(ctx)
		case err == nil:
			done, err = t.wasAll(ctx, request, failures)
		case t.hopeless(err, follow, failures):
			return t.giveUp(ctx, err)
		default:
			t.decoder.lost()
			err = pause(ctx, min(retryMost, retryFirst<<min(failures, retries)))
		}
		if done || err != nil {
			return err
		}
	}
	return nil
}

// goOn waits until a stream that gave its turn up has something to do.
func (t *tail) goOn(ctx context.Context) error {
	t.parked = false
	t.decoder.lost()
	return t.lane.ready(ctx, nil)
}

// wasAll says whether the end of a stream was the end of what there is to read. Engines have been seen to end a followed stream
// although the container ran on: then it is asked for again, a few times, and after those when the container ends. Or the event
// of its end was lost: then a look will tell.
func (t *tail) wasAll(ctx context.Context, request engine.LogOptions, failures int) (bool, error) {
	t.lines = -1
	if t.seam != nil {
		t.decoder.lost()
		return true, nil
	}
	if err := t.endLines(ctx); err != nil {
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

// endLines hands on the lines that have begun: they are as whole as they will be.
func (t *tail) endLines(ctx context.Context) error {
	if err := t.decoder.end(); err != nil {
		return err
	}
	return t.lane.flush(ctx)
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
	case errors.Is(err, engine.ErrUnavailable) && (follow || t.seam != nil) && !t.inbox.last():
		return false
	}
	return failures >= retries
}

// giveUp ends the reading of a log that cannot be read. One that is gone with its container needs no words.
func (t *tail) giveUp(ctx context.Context, cause error) error {
	if err := t.endLines(ctx); err != nil {
		return err
	}
	switch {
	case errors.Is(cause, engine.ErrNotFound), errors.Is(cause, engine.ErrConflict):
		return nil
	case errors.Is(cause, engine.ErrUnavailable):
		return fmt.Errorf("read logs of %q: %w", t.source.Container, cause)
	}
	t.unreadable, t.givenUp = errors.Is(cause, engine.ErrUnsupported), t.seam != nil
	t.lane.mark(Item{Kind: KindUnreadable, Line: Line{Source: t.source, Time: time.Now().UTC()}, Err: cause})
	return t.lane.flush(ctx)
}
