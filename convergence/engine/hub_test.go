package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/muster-dev/muster/convergence/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is an engine that only has events: what a test sends, over connections that it can break.
type source struct {
	engine.Engine // nil: nothing else must be called

	mutex       sync.Mutex
	connections int
	since       []time.Time
	events      chan engine.Event
	failures    chan error
}

func newSource() *source {
	return &source{events: make(chan engine.Event), failures: make(chan error)}
}

func (s *source) Events(ctx context.Context, filter engine.EventFilter, ready func(), yield func(engine.Event) error) error {
	s.mutex.Lock()
	s.connections++
	s.since = append(s.since, filter.Since)
	s.mutex.Unlock()
	ready()
	for {
		select {
		case event := <-s.events:
			if err := yield(event); err != nil {
				return err
			}
		case err := <-s.failures:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *source) Close() error { return nil }

// listener collects what a subscriber is told.
type listener struct {
	ready chan struct{}
	ended chan error
	mutex sync.Mutex
	heard []string
}

func listen(ctx context.Context, hub *engine.Hub) *listener {
	l := &listener{ready: make(chan struct{}), ended: make(chan error, 1)}
	go func() {
		l.ended <- hub.Events(ctx, engine.EventFilter{Project: "p"}, func() { close(l.ready) }, func(event engine.Event) error {
			l.mutex.Lock()
			defer l.mutex.Unlock()
			l.heard = append(l.heard, string(event.Kind)+" "+event.ID)
			return nil
		})
	}()
	return l
}

func (l *listener) log() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return fmt.Sprint(l.heard)
}

// mustEnd waits until a subscriber has ended; it always does so with an error.
func mustEnd(t *testing.T, ended <-chan error) {
	t.Helper()
	if err := <-ended; err == nil {
		t.Error("a subscription ended without a reason")
	}
}

func container(id string) engine.Event {
	return engine.Event{Kind: engine.EventContainer, ID: id, Time: time.Now()}
}

func TestHubAsksOnceForAllSubscribers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSource()
		hub := engine.NewHub(s, "p")
		ctx, cancel := context.WithCancel(t.Context())
		first, second := listen(ctx, hub), listen(ctx, hub)
		<-first.ready
		<-second.ready
		s.events <- container("a")
		s.events <- container("b")
		synctest.Wait()
		if want := "[container a container b]"; first.log() != want || second.log() != want || s.connections != 1 {
			t.Errorf("heard %s and %s over %d connections, want %s over one", first.log(), second.log(), s.connections, want)
		}
		cancel()
		if err := <-first.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
		mustEnd(t, second.ended)
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestHubComesBackAndTellsToLookAfresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSource()
		hub := engine.NewHub(s, "p")
		l := listen(t.Context(), hub)
		<-l.ready
		before := container("a")
		s.events <- before
		s.failures <- fmt.Errorf("connection: %w", engine.ErrUnavailable)
		s.events <- container("b")
		synctest.Wait()
		if want := "[container a resync  container b]"; l.log() != want {
			t.Errorf("heard %s, want %s", l.log(), want)
		}
		if len(s.since) != 2 || !s.since[0].IsZero() || !s.since[1].Equal(before.Time) {
			t.Errorf("asked for events since %v, want none and then %s", s.since, before.Time)
		}
		_ = hub.Close()
		mustEnd(t, l.ended)
	})
}

func TestHubGivesUpOnAnErrorThatIsNoLostConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSource()
		hub := engine.NewHub(s, "p")
		l := listen(t.Context(), hub)
		<-l.ready
		refused := fmt.Errorf("no events for you: %w", engine.ErrDenied)
		s.failures <- refused
		if err := <-l.ended; !errors.Is(err, refused) {
			t.Errorf("ended with %v, want %v", err, refused)
		}
		late := listen(t.Context(), hub)
		if err := <-late.ended; !errors.Is(err, refused) {
			t.Errorf("one who came later ended with %v", err)
		}
		_ = hub.Close()
	})
}

// A subscriber that does not listen holds nobody up, and is told once to look afresh in place of what it missed.
func TestHubDoesNotWaitForTheSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSource()
		hub := engine.NewHub(s, "p")
		held := make(chan struct{})
		var resyncs, others int
		ready, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- hub.Events(t.Context(), engine.EventFilter{}, func() { close(ready) }, func(event engine.Event) error {
				<-held
				if event.Kind == engine.EventResync {
					resyncs++
				} else {
					others++
				}
				return nil
			})
		}()
		<-ready
		quick := listen(t.Context(), hub)
		<-quick.ready
		const sent = 3000
		for range sent {
			s.events <- container("x")
			synctest.Wait()
		}
		close(held)
		synctest.Wait()
		if resyncs != 1 || others >= sent || len(quick.heard) != sent {
			t.Errorf("slow: %d events, %d resyncs; quick: %d events of %d", others, resyncs, len(quick.heard), sent)
		}
		_ = hub.Close()
		mustEnd(t, ended)
		mustEnd(t, quick.ended)
	})
}
