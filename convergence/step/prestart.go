package step

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// RunPreStart runs a pre_start hook: a container of its own that is created, runs to its end, and goes. One that fails stays for a look at
// it; the next command that changes things removes it.
type RunPreStart struct {
	Target
	Request engine.CreateContainer
	Index   int // among the service's pre_start hooks
	// Place is where the hook stands in the file; empty where that is not known.
	Place string
	// Renamed are the final names of containers that the plan creates under another one and whose namespaces or volumes it shares.
	Renamed map[string]string
	// Provided is what providers give it: variables over its own.
	Provided []*Provided
	Files    []File // secrets and configs that are copied into it
	Project  string
}

// Run implements [Step].
func (s RunPreStart) Run(ctx context.Context, eng engine.Engine, report func(Progress)) error {
	request := s.Request
	request.Service = withProvided(request.Service, s.Provided)
	shared := resolver{ctx: ctx, eng: eng, ids: map[string]string{}, renamed: s.Renamed, sharer: request.Name}
	if err := shared.resolveRequest(&request); err != nil {
		return err
	}
	created, err := eng.CreateContainer(ctx, request)
	switch {
	case errors.Is(err, engine.ErrConflict):
		return &NameTakenError{Name: request.Name, Cause: err}
	case err != nil:
		return err
	}
	if len(s.Files) > 0 {
		err = putFiles(ctx, eng, created.ID, "/", s.Files)
	}
	run := preStartRun{eng: eng, id: created.ID, project: s.Project, started: make(chan struct{})}
	if err == nil {
		run.output.line = func(line engine.Frame) { report(Progress{Hook: &line}) }
		err = run.toEnd(ctx)
	}
	if err == nil && run.exitCode != 0 {
		return &PreStartError{
			Service: s.Service, Index: s.Index, Place: s.Place, Container: s.Name, ExitCode: run.exitCode, Output: run.output.text(),
		}
	}
	return errors.Join(err, s.remove(ctx, eng, created.ID))
}

// remove removes the container, also when the caller has given up.
func (s RunPreStart) remove(ctx context.Context, eng engine.Containers, id string) error {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return gone(eng.RemoveContainer(ctx, id, engine.RemoveContainer{Force: true, Volumes: true}))
}

// preStartRun is a hook's container that runs.
type preStartRun struct {
	eng      engine.Engine
	id       string
	project  string
	started  chan struct{} // closed once it has
	output   hookOutput
	exitCode int
}

// toEnd starts the container and returns when it has ended and all that it wrote has come.
func (r *preStartRun) toEnd(ctx context.Context) error {
	calls, ctx := errgroup.WithContext(ctx)
	calls.Go(func() error { return r.watch(ctx) })
	calls.Go(func() error {
		select {
		case <-r.started:
		case <-ctx.Done():
			return nil // watch says why
		}
		// Not every log driver lets its lines be read: the hook does its work without.
		_ = r.eng.Logs(ctx, r.id, engine.LogOptions{Follow: true, Tail: -1}, r.output.add)
		return nil
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	r.output.end()
	return nil
}

// watch starts the container once it would hear of its end, and waits for that.
func (r *preStartRun) watch(ctx context.Context) error {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	var verdict error
	err := r.eng.Events(watching, engine.EventFilter{Project: r.project}, func() {
		if verdict = r.eng.StartContainer(watching, r.id); verdict == nil {
			close(r.started)
			verdict = r.look(watching)
		}
		if verdict != nil {
			cancel()
		}
	}, func(event engine.Event) error {
		isEnd := event.ID == r.id && (event.Action == "die" || event.Action == "destroy")
		if verdict == nil && (isEnd || event.Kind == engine.EventResync) {
			verdict = r.look(watching)
		}
		return verdict
	})
	switch {
	case errors.Is(verdict, errReached):
		return nil
	case verdict != nil:
		return verdict
	}
	return err
}

// look asks for the container's state: nil means that it has not ended.
func (r *preStartRun) look(ctx context.Context) error {
	details, err := r.eng.InspectContainer(ctx, r.id)
	if err != nil {
		return err
	}
	if details.State == engine.StateExited || details.State == engine.StateDead {
		r.exitCode = details.ExitCode
		return errReached
	}
	return nil
}

// Action implements [Step].
func (s RunPreStart) Action() string { return "hook" }

// Words implements [Step].
func (s RunPreStart) Words() (doing, done string) { return "Starting", "Exited" }

func (s RunPreStart) String() string {
	return fmt.Sprintf("run pre_start hook %d of service %s in container %s", s.Index+1, s.Service, s.Name)
}

// PreStartError says that a pre_start hook has failed. Its container is still there.
type PreStartError struct {
	Service   string
	Index     int
	Place     string
	Container string
	ExitCode  int
	// Output is the end of what it wrote, as in [HookError].
	Output string
}

// Error has docker compose's words.
func (e *PreStartError) Error() string {
	text := fmt.Sprintf("service %q pre_start[%d] exited with code %d", e.Service, e.Index, e.ExitCode)
	if e.Place != "" {
		text = e.Place + ": " + text
	}
	if e.Output != "" {
		text += ": " + e.Output
	}
	return text
}

// Hint is what to try next.
func (e *PreStartError) Hint() string {
	return fmt.Sprintf("its container is kept for a look at it, `docker logs %s`; the next `muster up` or `muster down` removes it", e.Container)
}

// Code is what kind of failure it is, for machines.
func (*PreStartError) Code() string { return "hook-failed" }
