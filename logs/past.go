package logs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// mostPast bounds how many events of the past are held; engines remember fewer.
const mostPast = 4096

// past is what has happened to containers before they are looked at.
type past struct {
	items []Item
	lane  *lane
}

// past asks the engine what it remembers, up to a moment; zero means up to now. known are the containers that are there.
func (f *follower) past(ctx context.Context, known []engine.Container, until time.Time) (*past, error) {
	sources := make(map[string]Source, len(known))
	for _, container := range known {
		sources[container.ID] = SourceOf(container)
	}
	filter := engine.EventFilter{Project: f.options.Project, Since: f.options.Since, Until: f.options.Until}
	if filter.Since.IsZero() {
		filter.Since = time.Unix(1, 0)
	}
	if until.IsZero() {
		until = f.now(ctx)
	}
	if filter.Until.IsZero() || until.Before(filter.Until) {
		filter.Until = until
	}
	p := &past{}
	err := f.engine.Events(ctx, filter, nil, func(event engine.Event) error {
		source, ok := sources[event.ID]
		if !ok && event.Kind == engine.EventContainer && f.wanted(told(event)) {
			source, ok = SourceOf(told(event)), true
		}
		item, is := markOf(event, source)
		if ok && is {
			p.items = append(p.items, item)
		}
		if len(p.items) > mostPast {
			p.items = p.items[1:]
		}
		return nil
	})
	if err != nil && !errors.Is(err, engine.ErrUnsupported) {
		return nil, fmt.Errorf("ask for events of the past: %w", err)
	}
	return p, nil
}

// told is the container that an event is about, as far as it tells.
func told(event engine.Event) engine.Container {
	return engine.Container{
		ID: event.ID, Name: event.Name, Project: event.Project,
		Service: event.Service, Number: event.Number, OneOff: event.OneOff, Hook: event.Hook,
	}
}

// markOf is the item that an event makes.
func markOf(event engine.Event, source Source) (Item, bool) {
	item := Item{Line: Line{Source: source, Time: event.Time}}
	switch event.Action {
	case "start":
		item.Kind = KindStarted
	case "die":
		item.Kind, item.ExitCode = KindExited, event.ExitCode
	case "oom":
		item.Kind = KindOutOfMemory
	case "health_status":
		item.Kind, item.Health = KindHealth, event.Health
	}
	return item, item.Kind != 0 && event.Kind == engine.EventContainer
}

// lanes are the ways that the past takes: one, or none where there is no past.
func (p *past) lanes(to *merger) []*lane {
	if p == nil {
		return nil
	}
	p.lane = newLane(to, Source{}, batchSize, leastAhead)
	return []*lane{p.lane}
}

// tell hands on what has happened.
func (p *past) tell(ctx context.Context) error {
	if p == nil {
		return nil
	}
	for _, item := range p.items {
		if err := p.lane.ready(ctx, nil); err != nil {
			return err
		}
		p.lane.mark(item)
		if err := p.lane.pause(ctx, true); err != nil {
			return err
		}
	}
	p.items = nil
	return p.lane.await(ctx, awaitNothing)
}

// herald puts marks between the lines of which no tail knows, as they come.
type herald struct {
	lane  *lane
	inbox *inbox
}

func newHerald(to *merger) *herald {
	return &herald{lane: newLane(to, Source{}, batchSize, leastAhead), inbox: newInbox()}
}

func (h *herald) run(ctx context.Context) error {
	for {
		next, ok, err := h.inbox.next(ctx)
		if !ok {
			return err
		}
		if err := h.lane.ready(ctx, nil); err != nil {
			return err
		}
		h.lane.mark(*next.mark)
		if err := h.lane.flush(ctx); err != nil {
			return err
		}
	}
}
