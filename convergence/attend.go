package convergence

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// Attended is a container that somebody speaks with until it ends.
type Attended struct {
	ID      string
	Project string
	// Console is the caller's end; see [engine.Execs].
	Console engine.Console
	// Output is called for every frame, from one goroutine at a time and not after [Attend] has returned.
	Output func(engine.Frame) error
	// Start starts the container, once nothing that it writes can be missed any more; nil where it runs. It may go on while the
	// container runs, and its error ends everything.
	Start func(ctx context.Context) error
	// Removed waits until the engine has removed the container, too, where it was asked to.
	Removed bool
}

// Attend attaches to a container, has it started, and returns its exit code when its run has ended. An error of the console's
// input, of the output or of the start ends it earlier, and is returned; the container is left as it is then.
func Attend(ctx context.Context, eng engine.Engine, a Attended) (exitCode int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var work errgroup.Group
	end := &ending{of: a, standing: make(chan struct{}), ended: make(chan struct{})}
	work.Go(func() error {
		if err := end.watch(ctx, eng); err != nil && ctx.Err() == nil {
			cancel(err)
		}
		return nil
	})
	defer func() { cancel(nil); _ = work.Wait() }()
	if over, exitCode, err := end.begin(ctx, eng); over || err != nil {
		return exitCode, err
	}
	started := make(chan struct{})
	err = eng.Attach(ctx, a.ID, a.Console, func() {
		work.Go(func() error {
			defer close(started)
			if a.Start == nil {
				return nil
			}
			if err := a.Start(ctx); err != nil {
				cancel(err)
			}
			return nil
		})
	}, a.Output)
	if err == nil {
		err = end.wait(ctx, started)
	}
	if cause := context.Cause(ctx); cause != nil {
		return 0, cause
	}
	if err != nil {
		return 0, err
	}
	return end.exitCode, nil
}

func isOver(state engine.State) bool { return state == engine.StateExited || state == engine.StateDead }

// ending watches for the end of a container.
type ending struct {
	of       Attended
	standing chan struct{} // closed once no event can be missed
	ended    chan struct{} // closed when exitCode is that of the end
	died     bool
	exitCode int
}

// begin returns once no event can be missed. A container that runs may have ended before that: an engine lets callers attach to it
// then, for its next run, and tells them nothing.
func (e *ending) begin(ctx context.Context, eng engine.Containers) (over bool, exitCode int, err error) {
	select {
	case <-e.standing:
	case <-ctx.Done():
		return false, 0, context.Cause(ctx)
	}
	if e.of.Start != nil {
		return false, 0, nil
	}
	details, err := eng.InspectContainer(ctx, e.of.ID)
	if err != nil {
		return false, 0, cmp.Or(context.Cause(ctx), err)
	}
	return isOver(details.State), details.ExitCode, nil
}

// wait returns when the start has come to its end, whose error counts more, and then the container.
func (e *ending) wait(ctx context.Context, started <-chan struct{}) error {
	for _, done := range []<-chan struct{}{started, e.ended} {
		select {
		case <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if !e.died {
		return fmt.Errorf("container %.12s was removed, and its exit code was not seen: %w", e.of.ID, engine.ErrNotFound)
	}
	return nil
}

// errEnded stops the watch.
var errEnded = errors.New("ended")

func (e *ending) watch(ctx context.Context, eng engine.Engine) error {
	err := eng.Events(ctx, engine.EventFilter{Project: e.of.Project}, func() { close(e.standing) }, func(event engine.Event) error {
		switch {
		case event.Kind == engine.EventResync:
			return e.look(ctx, eng)
		case event.Kind != engine.EventContainer || event.ID != e.of.ID:
			return nil
		case event.Action == "die":
			return e.note(event.ExitCode)
		case event.Action == "destroy":
			return e.end()
		}
		return nil
	})
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// look asks, where events may have been lost.
func (e *ending) look(ctx context.Context, eng engine.Engine) error {
	details, err := eng.InspectContainer(ctx, e.of.ID)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return e.end()
	case err != nil:
		return err
	case isOver(details.State):
		return e.note(details.ExitCode)
	}
	return nil
}

// note notes the end of a run; that of the container may be to come.
func (e *ending) note(exitCode int) error {
	e.died, e.exitCode = true, exitCode
	if e.of.Removed {
		return nil
	}
	return e.end()
}

func (e *ending) end() error {
	close(e.ended)
	return errEnded
}
