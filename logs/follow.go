package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/muster-dev/muster/convergence/engine"
)

// Engine is the part of [engine.Engine] that is needed to follow logs. An [engine.Hub] is one, too.
type Engine interface {
	ListContainers(ctx context.Context, filter engine.ContainerFilter) ([]engine.Container, error)
	Events(ctx context.Context, filter engine.EventFilter, ready func(), yield func(engine.Event) error) error
	Logs(ctx context.Context, ref string, options engine.LogOptions, yield func(engine.Frame) error) error
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
	// Since and Until bound the history, by the engine's clock, both inclusive; zero means no bound.
	Since, Until time.Time

	// Starting, with Follow, is closed when the caller has started whatever it is going to start; until then there being
	// nothing to follow is no reason to end. Nil means that it starts nothing.
	Starting <-chan struct{}
	// Linger, with Follow, is how long after the last container's end to wait for one to start.
	Linger time.Duration
	// Ready, when it is not nil, is called once, when nothing that starts afterwards can be missed.
	Ready func()
	// MaxStreams bounds how many containers are followed at once; zero means [DefaultMaxStreams].
	MaxStreams int
}

const (
	// DefaultMaxStreams is how many containers are followed at once where nothing else is said.
	DefaultMaxStreams = 512
	// historiesAtOnce is how many logs are read at once that are not followed.
	historiesAtOnce = 16
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
// Lines of one stream of a container come in order, each once, through restarts of the container and of the engine; nothing
// is said of the order between containers. sink is called from one goroutine at a time and owns the text only during the
// call. While it does not return, the engine is held back and memory does not grow.
//
// Without options.Follow it returns when the history is read; with it, when no container is left that runs or will be
// restarted. Else the error is sink's own, the context's, a [*LimitError], or says what the engine could not do. A container
// whose log cannot be read is an item of kind [KindUnreadable] and no error.
func Follow(ctx context.Context, from Engine, options Options, sink func(Item) error) error {
	f := &follower{
		engine: from, options: options, sink: sink,
		turn: make(chan struct{}, 1), histories: semaphore.NewWeighted(historiesAtOnce), doubt: make(chan struct{}, 1),
	}
	work := f.history
	if options.Follow {
		work = f.follow
	}
	err := work(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// follower is what the goroutines of one call of [Follow] share. It does not change.
type follower struct {
	engine    Engine
	options   Options
	sink      func(Item) error
	turn      chan struct{} // is held while sink is called
	histories *semaphore.Weighted
	doubt     chan struct{} // takes a token when a stream has ended and no event says why
}

// send calls sink when it is this goroutine's turn.
func (f *follower) send(ctx context.Context, item Item) error {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-f.turn }()
	return f.sink(item)
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
	if f.options.Ready != nil {
		f.options.Ready()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(historiesAtOnce)
	for _, container := range containers {
		if !f.wanted(container) {
			continue
		}
		group.Go(func() error {
			t := newTail(f, SourceOf(container), f.options.Tail)
			t.begin(ctx)
			return t.read(ctx, false)
		})
	}
	return group.Wait()
}

// follow subscribes first and looks then: nothing can happen in between.
func (f *follower) follow(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	w := &watcher{
		follower: f, group: group, events: make(chan engine.Event, eventsAtOnce),
		containers: map[string]*watched{}, created: map[string]bool{}, untold: map[string]bool{},
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
