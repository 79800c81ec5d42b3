package dockertest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// TestPauseEvents holds events back, as a slow connection does, and delivers them all.
func TestPauseEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dockertest.Options{})
		client := e.Client(t)
		ready, got := make(chan struct{}), make(chan string, 10)
		var group errgroup.Group
		group.Go(func() error {
			return client.Events(t.Context(), engine.EventFilter{}, func() { close(ready) }, func(event engine.Event) error {
				got <- event.ID
				return nil
			})
		})
		<-ready
		e.PauseEvents()
		for _, name := range []string{"one", "two"} {
			if _, err := client.CreateVolume(t.Context(), engine.CreateVolume{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if len(got) > 0 {
			t.Errorf("events while paused: %d", len(got))
		}
		e.ResumeEvents()
		if first, second := <-got, <-got; first != "one" || second != "two" {
			t.Errorf("events: %s, %s", first, second)
		}
		e.Close()
		_ = group.Wait()
	})
}

// TestRemembered keeps the newest 256 events for those who ask for the past.
func TestRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := start(t, dockertest.Options{}).Client(t)
		const made = 300
		for i := range made {
			if _, err := client.CreateVolume(t.Context(), engine.CreateVolume{Name: fmt.Sprintf("v%03d", i)}); err != nil {
				t.Fatal(err)
			}
		}
		var names []string
		errAll := fmt.Errorf("all of them")
		_ = client.Events(t.Context(), engine.EventFilter{Since: time.Unix(1, 0)}, nil, func(event engine.Event) error {
			if names = append(names, event.ID); event.ID == "v299" {
				return errAll
			}
			return nil
		})
		if len(names) != 256 || names[0] != "v044" {
			t.Errorf("events: %d from %s on, want 256 from v044 on", len(names), names[0])
		}
	})
}
