package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// TestLimit makes ten calls of a kind that take a second each and looks how many are under way at once.
func TestLimit(t *testing.T) {
	t.Parallel()
	start := func(ctx context.Context, e engine.Engine) error { return e.StartContainer(ctx, "web") }
	stop := func(ctx context.Context, e engine.Engine) error {
		wait := time.Second
		return e.StopContainer(ctx, "web", &wait)
	}
	pull := func(ctx context.Context, e engine.Engine) error {
		return e.PullImage(ctx, engine.PullImage{}, func(engine.PullProgress) {})
	}
	logs := func(ctx context.Context, e engine.Engine) error {
		return e.Logs(ctx, "web", engine.LogOptions{}, func(engine.Frame) error { return nil })
	}
	limit := func(withStops bool) func(engine.Engine) engine.Engine {
		return func(e engine.Engine) engine.Engine { return engine.Limit(e, 3, withStops) }
	}
	pulls := func(e engine.Engine) engine.Engine { return engine.LimitPulls(e, 2) }
	const calls = 10
	for name, c := range map[string]struct {
		decorate func(engine.Engine) engine.Engine
		call     func(context.Context, engine.Engine) error
		most     int
	}{
		"quick calls":               {limit(false), start, 3},
		"stops":                     {limit(false), stop, calls},
		"stops that count too":      {limit(true), stop, 3},
		"pulls":                     {limit(true), pull, calls},
		"streams":                   {limit(true), logs, calls},
		"pulls by their own limit":  {pulls, pull, 2},
		"others by the pulls limit": {pulls, start, calls},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var (
					mutex     sync.Mutex
					now, most int
				)
				count := func(change int) {
					mutex.Lock()
					defer mutex.Unlock()
					now += change
					most = max(most, now)
				}
				e := c.decorate(&stub{wait: func(context.Context, string) {
					count(1)
					time.Sleep(time.Second)
					count(-1)
				}})
				var group errgroup.Group
				for range calls {
					group.Go(func() error { return c.call(t.Context(), e) })
				}
				if err := group.Wait(); !errors.Is(err, errStub) {
					t.Errorf("error: %v", err)
				}
				if most != c.most {
					t.Errorf("at once: %d, want %d", most, c.most)
				}
			})
		})
	}
}

// TestLimitEnds gives up waiting for a place when the caller does.
func TestLimitEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := engine.Limit(&stub{wait: func(ctx context.Context, _ string) { <-ctx.Done() }}, 1, false)
		var group errgroup.Group
		busy, release := context.WithCancel(t.Context())
		group.Go(func() error { return e.StartContainer(busy, "web") })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := e.StartContainer(ctx, "web"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error: %v, want the deadline", err)
		}
		release()
		_ = group.Wait()
	})
}
