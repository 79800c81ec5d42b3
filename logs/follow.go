package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// Engine is the part of [engine.Engine] that is needed to follow logs. An [engine.Hub] is one, too.
type Engine interface {
	ListContainers(ctx context.Context, filter engine.ContainerFilter) ([]engine.Container, error)
	Events(ctx context.Context, filter engine.EventFilter, ready func(), yield func(engine.Event) error) error
	Logs(ctx context.Context, ref string, options engine.LogOptions, yield func(engine.Frame) error) error
	Info(ctx context.Context) (engine.Info, error)
}

// Options says what to follow, and from where to where.
type Options struct {
	// Project is whose containers to follow; empty means those of all projects and of none.
	Project string
	// Services narrows to these services; empty means all.
	Services []string
	// OneOffs takes in the containers of single commands.
	OneOffs bool
	// Filter narrows further; nil means all. It is called from one goroutine at a time, any number of times for a container,
	// and must stay with its answer. Of one that could not be looked at yet it is given only what an event tells.
	Filter func(engine.Container) bool

	// Follow goes on with what is written from now on; without it only the history is read.
	Follow bool
	// Tail is how many lines of each container's history to read; negative means all. Zero with Follow means only what is
	// written from the call of Ready on. Containers that start later are always followed from their start.
	Tail int
	// TailTotal, when it is not zero, reads only so many lines of the history of all containers together, and TailService of
	// that of each service: the last ones by their times.
	TailTotal, TailService int
	// NoMerge leaves the order of times: the history comes container by container, and what is written from then on as it comes.
	NoMerge bool
	// Events puts the marks of all kinds between the lines, those of the past too as far as the engine remembers them; without
	// it there are only those of the ends and starts that Follow sees.
	Events bool
	// Since and Until bound the history, by the engine's clock, both inclusive; zero means no bound.
	Since, Until time.Time

	// Starting, with Follow, is closed when the caller has started whatever it is going to start; until then there being
	// nothing to follow is no reason to end. Nil means that it starts nothing.
	Starting <-chan struct{}
	// Linger, with Follow, is how long to wait for a container to start when none is left: after the last one's end, and after
	// whatever else happens to the project since.
	Linger time.Duration
	// Ready, when it is not nil, is called once, when nothing that starts afterwards can be missed.
	Ready func()
	// Idle, when it is not nil, is called where sink is, from time to time and at the end, when nothing more is at hand: a sink
	// that gathers what it writes writes it then. Its error ends everything.
	Idle func() error
	// MaxStreams bounds how many logs are open at once; zero means [DefaultMaxStreams]. More containers than that cannot be
	// followed; of their history the logs take turns.
	MaxStreams int
}

const (
	// DefaultMaxStreams is how many logs are open at once where nothing else is said.
	DefaultMaxStreams = 512
	// looksAtOnce is how many logs are looked into at once for where they end.
	looksAtOnce = 16
)

// LimitError says that more containers would have to be followed at once than is allowed.
type LimitError struct {
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("follow logs: more than %d containers at once", e.Limit)
}

// Follow hands the lines of many containers to sink, and with options.Follow also marks for what happens to them.
//
// Lines of a container come in order, each once, through restarts of the container and of the engine. Those of many come in the
// order of their times, by the engine's clock: all of a history; and of what is followed what arrives within a short while, in
// which a line is held back, for less than 100 ms. Lines of the same moment come by the names of their sources.
//
// sink is called from one goroutine at a time and owns the text only during the call. While it does not return, the engine is
// held back and memory does not grow.
//
// Without options.Follow it returns when the history is read; with it, when no container is left that runs or will be
// restarted. Else the error is sink's own, the context's, a [*LimitError], or says what the engine could not do. A container
// whose log cannot be read is an item of kind [KindUnreadable] and no error.
func Follow(ctx context.Context, from Engine, options Options, sink func(Item) error) error {
	if options.MaxStreams == 0 {
		options.MaxStreams = DefaultMaxStreams
	}
	f := &follower{
		engine: from, options: options, merger: newMerger(options, sink),
		turns: newTurns(options.MaxStreams), doubt: make(chan struct{}, 1),
	}
	work := f.history
	if options.Follow {
		work = f.follow
	}
	group, merging := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(f.merger.ended)
		return work(merging)
	})
	group.Go(func() error { return f.merger.run(merging) })
	err := group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// follower is what the goroutines of one call of [Follow] share. It does not change.
type follower struct {
	engine  Engine
	options Options
	merger  *merger
	turns   *turns
	doubt   chan struct{} // takes a token when a stream has ended and no event says why
}

// list returns the containers of the project, wanted or not.
func (f *follower) list(ctx context.Context) ([]engine.Container, error) {
	containers, err := f.engine.ListContainers(ctx, engine.ContainerFilter{Project: f.options.Project})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	return containers, nil
}

func (f *follower) wanted(container engine.Container) bool {
	o := f.options
	return (o.Project == "" || container.Project == o.Project) &&
		(len(o.Services) == 0 || slices.Contains(o.Services, container.Service)) &&
		(o.OneOffs || !container.OneOff) && container.Hook == "" &&
		(o.Filter == nil || o.Filter(container))
}

// history reads what was written so far.
func (f *follower) history(ctx context.Context) error {
	containers, err := f.list(ctx)
	if err != nil {
		return err
	}
	containers = slices.DeleteFunc(containers, func(c engine.Container) bool { return !f.wanted(c) })
	var past *past
	if f.options.Events {
		if past, err = f.past(ctx, containers, time.Time{}); err != nil {
			return err
		}
	}
	if f.options.Ready != nil {
		f.options.Ready()
	}
	tails := make([]*tail, 0, len(containers))
	for _, container := range containers {
		tails = append(tails, newTail(f, SourceOf(container), len(containers)))
	}
	return f.readAll(ctx, tails, past)
}

// follow subscribes first and looks then: nothing can happen in between.
func (f *follower) follow(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	w := &watcher{
		follower: f, group: group, events: make(chan engine.Event, eventsAtOnce), herald: newHerald(f.merger),
		containers: map[string]*watched{}, created: map[string]engine.Container{}, untold: map[string]bool{},
		ended: map[place]*tail{},
	}
	if f.options.Events {
		w.begin = f.now(ctx) // before anything can be told as it happens
	}
	subscribed := make(chan struct{})
	group.Go(func() error {
		filter := engine.EventFilter{Project: f.options.Project}
		err := f.engine.Events(watching, filter, sync.OnceFunc(func() { close(subscribed) }), func(event engine.Event) error {
			select {
			case w.events <- event:
				return nil
			case <-watching.Done():
				return watching.Err()
			}
		})
		if watching.Err() != nil {
			return nil
		}
		if err == nil {
			err = errors.New("the subscription has ended")
		}
		return fmt.Errorf("follow events: %w", err)
	})
	group.Go(func() error {
		defer stop()
		select {
		case <-subscribed:
			return w.run(ctx)
		case <-watching.Done():
			return watching.Err()
		}
	})
	return group.Wait()
}
