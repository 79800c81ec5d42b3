package dockertest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// TestFaults injects each outcome into a volume's creation: what the caller gets, and whether the engine did it.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault dockertest.Fault
		want  error  // that the error is
		words string // in the error
		made  bool
	}{
		"fail":               {dockertest.Fault{Then: dockertest.Fail}, nil, "injected failure", false},
		"fail with a status": {dockertest.Fault{Then: dockertest.Fail, Status: 409, Message: "no"}, engine.ErrConflict, "no", false},
		"fail but done":      {dockertest.Fault{Then: dockertest.Fail, Done: true}, nil, "injected failure", true},
		"cut":                {dockertest.Fault{Then: dockertest.Cut}, engine.ErrUnavailable, "", false},
		"cut but done":       {dockertest.Fault{Then: dockertest.Cut, Done: true}, engine.ErrUnavailable, "", true},
		"cut in the middle":  {dockertest.Fault{Then: dockertest.Cut, Done: true, Bytes: 20}, engine.ErrUnavailable, "", true},
		"refuse":             {dockertest.Fault{Then: dockertest.Refuse}, engine.ErrUnavailable, "", false},
		"refuse but done":    {dockertest.Fault{Then: dockertest.Refuse, Done: true}, engine.ErrUnavailable, "", true},
		"hang":               {dockertest.Fault{Then: dockertest.Hang}, context.DeadlineExceeded, "", false},
		"hang but done":      {dockertest.Fault{Then: dockertest.Hang, Done: true}, context.DeadlineExceeded, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := start(t, dockertest.Options{})
				client := e.Client(t)
				c.fault.On = dockertest.On("POST /volumes/create")
				e.Inject(c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, err := client.CreateVolume(ctx, engine.CreateVolume{Name: "data"})
				if err == nil || !strings.Contains(err.Error(), c.words) || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("error: %v, want %v with %q", err, c.want, c.words)
				}
				e.Accept()
				if made := len(e.Snapshot().Volumes) == 1; made != c.made {
					t.Errorf("volume made: %v, want %v", made, c.made)
				}
			})
		})
	}
}

func TestFaultAtTheNthCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dockertest.Options{})
		client := e.Client(t)
		remove := e.Inject(dockertest.Fault{On: dockertest.Changing, Nth: 2, Then: dockertest.Fail})
		for i, fails := range []bool{false, true, false} {
			_, _ = client.ListVolumes(t.Context()) // does not count
			_, err := client.CreateVolume(t.Context(), engine.CreateVolume{Name: "data"})
			if (err != nil) != fails {
				t.Errorf("call %d: error %v, want one: %v", i+1, err, fails)
			}
		}
		remove()
		e.Inject(dockertest.Fault{Delay: time.Minute})
		begin := time.Now()
		if _, err := client.ListVolumes(t.Context()); err != nil {
			t.Errorf("delayed call: %v", err)
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("delayed call: took %v, want a minute", took)
		}
	})
}

// TestRefuse cuts what is under way and everything after it, as if the engine had gone.
func TestRefuse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dockertest.Options{})
		client := e.Client(t)
		ready := make(chan struct{})
		var group errgroup.Group
		group.Go(func() error {
			return client.Events(t.Context(), engine.EventFilter{}, func() { close(ready) }, func(engine.Event) error { return nil })
		})
		<-ready
		e.Refuse()
		if err := group.Wait(); !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("events: %v, want unavailable", err)
		}
		if _, err := client.ListVolumes(t.Context()); !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("list volumes: %v, want unavailable", err)
		}
		err := client.Events(t.Context(), engine.EventFilter{}, func() { t.Error("ready was called") }, nil)
		if !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("events: %v, want unavailable", err)
		}
		e.Accept()
		if _, err := client.ListVolumes(t.Context()); err != nil {
			t.Errorf("list volumes: %v", err)
		}
	})
}

// TestCutPull breaks a pull's answer off after some bytes.
func TestCutPull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := dockertest.NewRegistry()
		registry.Push(dockertest.Image{Ref: "web:1", LayerSizes: []int64{100, 100}})
		e := dockertest.Start(t, dockertest.Options{Remote: registry})
		e.Inject(dockertest.Fault{On: dockertest.On("POST /images/create"), Then: dockertest.Cut, Done: true, Bytes: 300})
		steps := 0
		err := e.Client(t).PullImage(t.Context(), engine.PullImage{Ref: "web:1"}, func(engine.PullProgress) { steps++ })
		if !errors.Is(err, engine.ErrUnavailable) || steps == 0 {
			t.Errorf("pull: %v after %d steps, want unavailable after some", err, steps)
		}
	})
}
