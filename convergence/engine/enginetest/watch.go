package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// watcher is a subscription that a test waits with.
type watcher struct {
	f      *fixture
	events chan engine.Event
	seen   []engine.Event
}

// watch subscribes to the events of a project, or to all for an empty one, and returns once the subscription stands.
func (f *fixture) watch(projectName string) *watcher {
	f.Helper()
	return f.watchFilter(engine.EventFilter{Project: projectName})
}

func (f *fixture) watchFilter(filter engine.EventFilter) *watcher {
	f.Helper()
	const room = 1000 // more than any test causes
	w := &watcher{f: f, events: make(chan engine.Event, room)}
	ctx, cancel := context.WithCancel(f.ctx)
	ready := make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		return f.Events(ctx, filter, func() { close(ready) }, func(event engine.Event) error {
			w.events <- event
			return nil
		})
	})
	f.Cleanup(func() {
		cancel()
		if err := group.Wait(); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			f.Errorf("events: ended with %v, want the context's error", err)
		}
	})
	select {
	case <-ready:
	case <-f.ctx.Done():
		f.Fatal("events: the subscription never stood")
	}
	return w
}

// await waits for an action of an object and returns the event.
func (w *watcher) await(id, action string) engine.Event {
	w.f.Helper()
	return w.awaitThat(action+" of "+id, func(event engine.Event) bool { return event.ID == id && event.Action == action })
}

// awaitHealth waits until a container's health changes to this.
func (w *watcher) awaitHealth(id string, health engine.Health) {
	w.f.Helper()
	w.awaitThat(fmt.Sprintf("health %s of %s", health, id), func(event engine.Event) bool {
		return event.ID == id && event.Action == "health_status" && event.Health == health
	})
}

func (w *watcher) awaitThat(what string, fits func(engine.Event) bool) engine.Event {
	w.f.Helper()
	for {
		select {
		case event := <-w.events:
			w.seen = append(w.seen, event)
			if fits(event) {
				return event
			}
		case <-w.f.ctx.Done():
			w.f.Fatalf("no event %s; there were: %s", what, w.actions())
		}
	}
}

// actions are the newest of the events seen so far, as "kind action" joined by commas.
func (w *watcher) actions() string {
	const most = 30
	var words []string
	for _, event := range w.seen[max(0, len(w.seen)-most):] {
		words = append(words, string(event.Kind)+" "+event.Action)
	}
	return strings.Join(words, ", ")
}
