package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// troubled is an engine whose starts, stops and lists fail so many times.
type troubled struct {
	stub
	failures int // negative: for ever
	err      error
	calls    int
	running  bool // what a look tells
}

func (e *troubled) try() error {
	if e.calls++; e.failures < 0 || e.calls <= e.failures {
		return e.err
	}
	return nil
}

func (e *troubled) ListNetworks(context.Context) ([]engine.Network, error) { return nil, e.try() }
func (e *troubled) StartContainer(context.Context, string) error           { return e.try() }
func (e *troubled) RemoveContainer(context.Context, string, engine.RemoveContainer) error {
	return e.try()
}

func (e *troubled) InspectContainer(context.Context, string) (engine.ContainerDetails, error) {
	details := engine.ContainerDetails{}
	if details.State = engine.StateExited; e.running {
		details.State = engine.StateRunning
	}
	return details, nil
}

func TestRetry(t *testing.T) {
	t.Parallel()
	list := func(ctx context.Context, e engine.Engine) error { _, err := e.ListNetworks(ctx); return err }
	start := func(ctx context.Context, e engine.Engine) error { return e.StartContainer(ctx, "web") }
	remove := func(ctx context.Context, e engine.Engine) error {
		return e.RemoveContainer(ctx, "web", engine.RemoveContainer{})
	}
	failing := fmt.Errorf("database is locked: %w", engine.ErrFailing)
	full := fmt.Errorf("no space left on device: %w", engine.ErrFailing)
	for name, c := range map[string]struct {
		engine troubled
		call   func(context.Context, engine.Engine) error
		want   error
		calls  int
		most   time.Duration
	}{
		"nothing is wrong":                     {troubled{}, start, nil, 1, 0},
		"a lost connection comes back":         {troubled{failures: 3, err: engine.ErrUnavailable}, start, nil, 4, time.Second},
		"what was done is not done twice":      {troubled{failures: -1, err: engine.ErrUnavailable, running: true}, start, nil, 1, time.Second},
		"an engine that is gone is given up":   {troubled{failures: -1, err: engine.ErrUnavailable}, list, engine.ErrUnavailable, 20, 33 * time.Second},
		"a failing engine is asked again":      {troubled{failures: 2, err: failing}, list, nil, 3, time.Second},
		"but not for ever":                     {troubled{failures: -1, err: failing}, list, engine.ErrFailing, 3, time.Second},
		"a change is made again once":          {troubled{failures: -1, err: failing}, start, engine.ErrFailing, 2, time.Second},
		"a full disk stays full":               {troubled{failures: -1, err: full}, start, engine.ErrFailing, 1, 0},
		"a refusal is one":                     {troubled{failures: -1, err: engine.ErrConflict}, start, engine.ErrConflict, 1, 0},
		"what is not there was there to begin": {troubled{failures: -1, err: engine.ErrNotFound}, remove, engine.ErrNotFound, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := c.call(t.Context(), engine.Retry(&c.engine, nil))
				if !errors.Is(err, c.want) || c.engine.calls != c.calls || time.Since(began) > c.most {
					t.Errorf("error %v after %d calls and %s, want %v after %d and %s", err, c.engine.calls, time.Since(began), c.want, c.calls, c.most)
				}
			})
		})
	}
}

// Who comes after one that has waited in vain does not wait, and whoever gives up need not wait.
func TestRetryWaitsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lost := &troubled{failures: -1, err: engine.ErrUnavailable}
		told := 0
		eng := engine.Retry(lost, func(error) { told++ })
		_, _ = eng.ListNetworks(t.Context())
		began := time.Now()
		if _, err := eng.ListNetworks(t.Context()); !errors.Is(err, engine.ErrUnavailable) || time.Since(began) > 0 {
			t.Errorf("error %v after %s", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := engine.Retry(lost, nil).ListNetworks(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v of a caller that has given up", err)
		}
		if told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}
