package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Hub is an engine whose Events are fanned out from one subscription: however many steps wait and however many logs are
// followed, the engine is asked once. A lost connection is made again from the last event's time on, and everybody is told by
// an [EventResync] to look afresh, because the engine remembers only so many events.
//
// The subscription begins with the first call of Events and ends with Close. A subscriber that is slow holds nobody up: its
// events queue, and when too many do it gets one EventResync in their place.
type Hub struct {
	Engine
	project string
	ctx     context.Context //nolint:containedctx // the subscription outlives the call that began it, and Close ends it
	cancel  context.CancelFunc
	group   errgroup.Group

	mutex       sync.Mutex
	standing    chan struct{} // closed once the subscription stands or has failed for good; nil before it began
	failed      error
	subscribers map[*subscriber]struct{}
}

// NewHub returns a hub for the events of one project, or of all with an empty name. Close must be called.
func NewHub(next Engine, projectName string) *Hub {
	ctx, cancel := context.WithCancel(context.Background())
	return &Hub{Engine: next, project: projectName, ctx: ctx, cancel: cancel, subscribers: map[*subscriber]struct{}{}}
}

// Close ends the subscription and closes the engine.
func (h *Hub) Close() error {
	h.cancel()
	_ = h.group.Wait()
	return h.Engine.Close()
}

// queueLength is how many events a subscriber may be behind before it is told to look afresh instead.
const queueLength = 1024

type subscriber struct {
	queue chan Event
	late  chan struct{} // holds a token while the queue has overflowed
}

func newSubscriber() *subscriber {
	return &subscriber{queue: make(chan Event, queueLength), late: make(chan struct{}, 1)}
}

func (s *subscriber) offer(event Event) {
	select {
	case s.queue <- event:
	default:
		select {
		case s.late <- struct{}{}:
		default:
		}
	}
}

// Events implements [Streams] for the hub's project. What the hub does not see, of other projects, other times, or of one volume, is
// asked of the engine itself.
func (h *Hub) Events(ctx context.Context, filter EventFilter, ready func(), yield func(Event) error) error {
	if filter.Project != h.project && filter.Project != "" || filter.Volume != "" || !filter.Since.IsZero() || !filter.Until.IsZero() {
		return h.Engine.Events(ctx, filter, ready, yield)
	}
	own := newSubscriber()
	standing := h.subscribe(own)
	defer h.unsubscribe(own)
	select {
	case <-standing:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := h.failure(); err != nil {
		return err
	}
	if ready != nil {
		ready()
	}
	for {
		event, err := own.next(ctx, h.ctx)
		if err != nil {
			return err
		}
		if err := yield(event); err != nil {
			return err
		}
		if err := h.failure(); err != nil {
			return err
		}
	}
}

func (s *subscriber) next(ctx, hub context.Context) (Event, error) {
	select {
	case event := <-s.queue:
		return event, nil
	default:
	}
	select {
	case event := <-s.queue:
		return event, nil
	case <-s.late:
		return Event{Kind: EventResync, Time: time.Now()}, nil
	case <-ctx.Done():
		return Event{}, ctx.Err()
	case <-hub.Done():
		return Event{}, ErrUnavailable
	}
}

func (h *Hub) subscribe(s *subscriber) (standing <-chan struct{}) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.subscribers[s] = struct{}{}
	if h.standing == nil {
		h.standing = make(chan struct{})
		h.group.Go(func() error { h.run(); return nil })
	}
	return h.standing
}

func (h *Hub) unsubscribe(s *subscriber) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	delete(h.subscribers, s)
}

func (h *Hub) failure() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.failed
}

func (h *Hub) publish(event Event) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for s := range h.subscribers {
		s.offer(event)
	}
}

// Attempts to come back after a lost connection: an engine that restarts needs a few seconds.
const (
	reconnectAttempts = 8
	reconnectFirst    = 100 * time.Millisecond
)

// run follows the engine's events until the hub is closed or there is no way back to the engine.
func (h *Hub) run() {
	source := &hubSource{hub: h}
	defer source.stand()
	for {
		err := source.follow()
		if h.ctx.Err() != nil {
			return
		}
		if !errors.Is(err, ErrUnavailable) || source.attempt >= reconnectAttempts {
			h.fail(err)
			return
		}
		select {
		case <-time.After(reconnectFirst << source.attempt):
			source.attempt++
		case <-h.ctx.Done():
			return
		}
	}
}

// hubSource is the one subscription of a hub, through however many connections.
type hubSource struct {
	hub     *Hub
	stood   bool
	attempt int       // of coming back, counted from the last connection that stood
	last    time.Time // of the last event, by the engine's clock
}

// follow is one connection. Later ones begin with the last event's time, so some events come twice.
func (s *hubSource) follow() error {
	filter := EventFilter{Project: s.hub.project, Since: s.last}
	return s.hub.Engine.Events(s.hub.ctx, filter, func() {
		if s.stood {
			s.hub.publish(Event{Kind: EventResync, Time: time.Now()})
		}
		s.attempt = 0
		s.stand()
	}, func(event Event) error {
		if event.Time.After(s.last) {
			s.last = event.Time
		}
		s.hub.publish(event)
		return nil
	})
}

// stand lets those go on who wait for the subscription.
func (s *hubSource) stand() {
	if !s.stood {
		s.stood = true
		close(s.hub.standing)
	}
}

// fail tells everybody, those who come later too, that there will be no more events.
func (h *Hub) fail(err error) {
	h.mutex.Lock()
	h.failed = err
	h.mutex.Unlock()
	h.publish(Event{Kind: EventResync, Time: time.Now()})
}
