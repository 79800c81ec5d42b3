package logs

import (
	"context"
	"errors"
	"maps"
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
	name        string
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
	created    map[string]bool // since we look, and not started yet
	settle     *time.Timer     // when to look again; nil when events and the last look agree
	untold     map[string]bool // the containers about which they do not; nil when the engine did not answer
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
			err = w.take(ctx, w.batch(event))
		case <-channelOf(w.settle):
			err = w.settleNow(ctx)
		case <-w.doubt:
			err = w.compare(ctx)
		case <-starting:
			starting, w.created = nil, map[string]bool{}
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
}

// first looks at what is there before anything is told.
func (w *watcher) first(ctx context.Context) error {
	containers, err := w.list(ctx)
	if err != nil {
		return err
	}
	onlyNew := w.options.Tail == 0
	looks, looking := errgroup.WithContext(ctx)
	looks.SetLimit(historiesAtOnce)
	for _, container := range containers {
		if !w.wanted(container) {
			continue
		}
		c := w.adopt(container, w.options.Tail)
		if onlyNew {
			looks.Go(func() error { return c.tail.skipHistory(looking) })
		}
		if c.phase != ended || !onlyNew {
			c.tail.inbox.push(task{kind: taskRead, follow: c.phase != ended})
		}
	}
	if err := errors.Join(looks.Wait(), w.withinLimit()); err != nil {
		return err
	}
	for _, c := range w.containers {
		w.group.Go(func() error { return c.tail.run(ctx) })
	}
	return nil
}

// adopt takes a container in, as it is; its tail does not run yet.
func (w *watcher) adopt(container engine.Container, lines int) *watched {
	c := &watched{tail: newTail(w.follower, SourceOf(container), lines), name: container.Name, phase: phaseOf(container)}
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
	if limit == 0 {
		limit = DefaultMaxStreams
	}
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
	maps.DeleteFunc(w.created, func(id string, _ bool) bool {
		_, there := byID[id]
		return !there
	})
	return byID, nil
}
