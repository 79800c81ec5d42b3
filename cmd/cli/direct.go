package cli

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/logs"
)

// direct are the containers whose lines are taken as they come, because their log driver keeps none: by name, each with what is
// closed when its run has ended and all its lines are shown.
type direct struct {
	mutex sync.Mutex
	ended map[string]chan struct{}
}

// keepsNothing says whether a service's lines are to be shown although nothing keeps them.
func (f *follower) keepsNothing(service string) bool {
	known, ok := f.project.Services[service]
	return ok && known.Logging != nil && known.Logging.Driver == "none" && f.wants(engine.Container{Service: service})
}

// listenToKept attaches to the containers that run already.
func (f *follower) listenToKept(ctx context.Context, made *plan.Plan) {
	for _, kept := range made.Unchanged {
		if kept.Object.Kind == step.Container && f.keepsNothing(kept.Ref.Name) {
			f.listen(ctx, containerOf(made.Project, kept.Ref.Name, kept.Object.Name))
		}
	}
}

// listenBefore attaches to a container that is going to be started: so nothing of what it writes is missed.
func (f *follower) listenBefore(ctx context.Context, event convergence.Event) {
	if event.Phase == convergence.Started && event.Step.Action() == "start" && f.keepsNothing(event.Step.Ref().Name) {
		f.listen(ctx, containerOf(f.project.Name, event.Step.Ref().Name, event.Object.Name))
	}
}

// listen attaches to a container from now to the end of its run, unless that is done already. It returns when nothing can be
// missed any more, or the engine dawdles.
func (f *follower) listen(ctx context.Context, container engine.Container) {
	if !f.direct.add(container.Name) {
		return
	}
	ready := make(chan struct{})
	stands := sync.OnceFunc(func() { close(ready) })
	f.group.Go(func() error {
		defer f.direct.remove(container.Name)
		defer stands() // or never will
		f.showDirect(ctx, container, stands)
		return nil
	})
	awaitLate(ready)
}

// showDirect shows what a container writes to the end of its run. One that cannot be attached to now can be when it starts again, or
// is gone.
func (f *follower) showDirect(ctx context.Context, container engine.Container, ready func()) {
	source := logs.SourceOf(container)
	lines := logs.NewDirect(source, f.show)
	console := engine.Console{Tty: f.project.Services[container.Service].Tty}
	err := f.eng.Attach(ctx, container.Name, console, ready, lines.Frame)
	if lines.End() != nil || err == nil || ctx.Err() != nil || errors.Is(err, engine.ErrConflict) || errors.Is(err, engine.ErrNotFound) {
		return
	}
	_ = f.show(logs.Item{Kind: logs.KindUnreadable, Line: logs.Line{Source: source, Time: time.Now().UTC()}, Err: err})
}

// overheard does what a mark about a container whose lines are taken as they come asks for, and says whether it is to be shown.
func (f *follower) overheard(ctx context.Context, item logs.Item) bool {
	if item.Kind == logs.KindLine || !f.keepsNothing(item.Source.Service) {
		return true
	}
	switch item.Kind {
	case logs.KindStarted: // by the engine, too
		f.listen(ctx, containerOf(item.Source.Project, item.Source.Service, item.Source.Container))
	case logs.KindExited:
		f.direct.await(item.Source.Container)
	case logs.KindUnreadable:
		return false // it is heard anyway
	}
	return true
}

// add says whether the container was not there.
func (d *direct) add(name string) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.ended[name] != nil {
		return false
	}
	d.ended[name] = make(chan struct{})
	return true
}

func (d *direct) remove(name string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	close(d.ended[name])
	delete(d.ended, name)
}

// await waits until all of a container's run was shown.
func (d *direct) await(name string) {
	d.mutex.Lock()
	ended := d.ended[name]
	d.mutex.Unlock()
	if ended != nil {
		awaitLate(ended)
	}
}
