package logs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

const (
	// eventsAtOnce is how many events share one look at the containers.
	eventsAtOnce = 256
	// settleTime is how long events may take to tell what a look at the containers has shown already.
	settleTime = time.Second
)

// phase is how far a container is in its life.
type phase uint8

const (
	ended phase = iota
	running
	restarting // has ended, and the engine is going to start it again
)

// watched is a container that is followed.
type watched struct {
	tail        *tail
	source      Source // as far as events and looks tell
	phase       phase
	last        time.Time // of its last start or end; engines tell of a stop before or after the end that it has caused
	outOfMemory bool      // since its last end
}

// watcher decides what the tails do, from events and from looks at the containers. Events tell the story; a look finds out
// what they do not say, and after a gap in them it is the truth. It runs in one goroutine and never waits for a tail.
type watcher struct {
	*follower
	group      *errgroup.Group
	events     chan engine.Event
	containers map[string]*watched
	created    map[string]engine.Container // since we look, and not started yet
	ended      map[place]*tail             // the last one there that has ended
	settle     *time.Timer                 // when to look again; nil when events and the last look agree
	untold     map[string]bool             // the containers about which they do not; nil when the engine did not answer
	herald     *herald
	begin      time.Time // up to when events are of the past
}

// place is what a container has in common with the one that it replaces.
type place struct {
	project, service string
	number           int
}

func (s Source) place() (place, bool) {
	return place{s.Project, s.Service, s.Number}, s.Service != "" && s.Number > 0 && !s.OneOff
}

// run ends when nothing is left to follow and lets the tails end then.
func (w *watcher) run(ctx context.Context) error {
	if err := w.first(ctx); err != nil {
		return err
	}
	if w.options.Ready != nil {
		w.options.Ready()
	}
	starting := w.options.Starting
	var idle *time.Timer
	for {
		if starting != nil || w.left() {
			idle = nil
		} else if idle == nil {
			idle = time.NewTimer(w.options.Linger)
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event := <-w.events:
			idle = nil // whoever restarts things has not done all
			err = w.take(ctx, w.batch(event))
		case <-channelOf(w.settle):
			err = w.settleNow(ctx)
		case <-w.doubt:
			err = w.compare(ctx)
		case <-starting:
			starting, w.created = nil, map[string]engine.Container{}
			err = w.compare(ctx)
		case <-channelOf(idle):
			if len(w.events) == 0 {
				w.end()
				return nil
			}
			idle = nil
		}
		if err != nil {
			return err
		}
	}
}

func channelOf(timer *time.Timer) <-chan time.Time {
	if timer == nil {
		return nil
	}
	return timer.C
}

// batch is the event and those that wait behind it.
func (w *watcher) batch(first engine.Event) []engine.Event {
	events := []engine.Event{first}
	for len(w.events) > 0 && len(events) < eventsAtOnce {
		events = append(events, <-w.events)
	}
	return events
}

// left says whether there is something to wait for.
func (w *watcher) left() bool {
	if len(w.created) > 0 || w.settle != nil {
		return true
	}
	for _, c := range w.containers {
		if c.phase != ended {
			return true
		}
	}
	return false
}

func (w *watcher) end() {
	for _, c := range w.containers {
		c.tail.inbox.close()
	}
	w.herald.inbox.close()
}

// first looks at what is there before anything is told, and sets all to work. The history is read while the story goes on.
func (w *watcher) first(ctx context.Context) error {
	containers, err := w.list(ctx)
	if err != nil {
		return err
	}
	containers = slices.DeleteFunc(containers, func(c engine.Container) bool { return !w.wanted(c) })
	tails := make([]*tail, 0, len(containers))
	for _, container := range containers {
		tails = append(tails, w.adopt(container, len(containers)).tail)
	}
	if err := w.withinLimit(); err != nil {
		return err
	}
	if w.options.Tail == 0 {
		if err := skipAll(ctx, tails); err != nil {
			return err
		}
	}
	for _, container := range containers {
		if c := w.containers[container.ID]; c.phase != ended || w.options.Tail != 0 {
			c.tail.inbox.push(task{kind: taskRead, follow: c.phase != ended})
		}
	}
	var past *past
	if w.options.Events && w.options.Tail != 0 {
		if past, err = w.past(ctx, containers, w.begin); err != nil {
			return err
		}
	}
	w.group.Go(func() error { return w.herald.run(ctx) })
	w.group.Go(func() error { return w.work(ctx, tails, past) })
	return nil
}

func skipAll(ctx context.Context, tails []*tail) error {
	looks, ctx := errgroup.WithContext(ctx)
	looks.SetLimit(looksAtOnce)
	for _, t := range tails {
		looks.Go(func() error { return t.skipHistory(ctx) })
	}
	return looks.Wait()
}

// work reads the history of the tails up to one moment, merged, and lets them run then.
func (w *watcher) work(ctx context.Context, tails []*tail, past *past) error {
	if w.options.Tail != 0 && len(tails) > 0 {
		seam := w.now(ctx)
		for _, t := range tails {
			t.seam = &seam
		}
		if err := w.readAll(ctx, tails, past); err != nil {
			return err
		}
	}
	running, ctx := errgroup.WithContext(ctx)
	for _, t := range tails {
		running.Go(func() error { return t.run(ctx) })
	}
	return running.Wait()
}

// adopt takes a container in, as it is, as one of so many; its tail does not run yet.
func (w *watcher) adopt(container engine.Container, among int) *watched {
	source := SourceOf(container)
	c := &watched{tail: newTail(w.follower, source, among), source: source, phase: phaseOf(container)}
	w.containers[container.ID] = c
	return c
}

func phaseOf(container engine.Container) phase {
	switch {
	case container.State == engine.StateRestarting:
		return restarting
	case container.Running():
		return running
	}
	return ended
}

func (w *watcher) withinLimit() error {
	limit, streams := w.options.MaxStreams, 0
	for _, c := range w.containers {
		if c.phase != ended {
			streams++
		}
	}
	if streams > limit {
		return &LimitError{Limit: limit}
	}
	return nil
}

// look lists the containers by ID. It is nil while the engine does not answer: then there will be another look soon, or the
// end of the events, which ends everything.
func (w *watcher) look(ctx context.Context) (map[string]engine.Container, error) {
	containers, err := w.list(ctx)
	if errors.Is(err, engine.ErrUnavailable) {
		w.settle, w.untold = time.NewTimer(settleTime), nil
		return nil, nil //nolint:nilnil // said above
	}
	if err != nil {
		return nil, err
	}
	byID := make(map[string]engine.Container, len(containers))
	for _, container := range containers {
		byID[container.ID] = container
	}
	maps.DeleteFunc(w.created, func(id string, _ engine.Container) bool {
		_, there := byID[id]
		return !there
	})
	return byID, nil
}
