package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
)

// hanging is an engine whose logs do not come.
type hanging struct {
	engine.Engine
	removed  time.Time
	problems error // of the log
}

func (*hanging) InspectContainer(context.Context, string) (engine.ContainerDetails, error) {
	return engine.ContainerDetails{Container: engine.Container{ID: "id", Name: "shop-web-1", Project: "shop", Service: "web", Number: 1}}, nil
}

func (*hanging) Info(context.Context) (engine.Info, error) { return engine.Info{ID: "engine"}, nil }

func (h *hanging) Logs(ctx context.Context, _ string, _ engine.LogOptions, _ func(engine.Frame) error) error {
	if h.problems != nil {
		return h.problems
	}
	<-ctx.Done()
	return ctx.Err()
}

func (h *hanging) RemoveContainer(context.Context, string, engine.RemoveContainer) error {
	h.removed = time.Now()
	return nil
}

// A removal waits for last words, but not long, and it never fails because of them.
func TestKeepingHoldsNothingUp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		problems error
		longest  time.Duration
		says     string
	}{
		"hangs":      {nil, keepTime, "cannot keep the last lines of web-1: context deadline exceeded"},
		"fails":      {errors.New("the disk is gone"), keepTime, "cannot keep the last lines of web-1"},
		"unreadable": {engine.ErrUnsupported, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				g := &globals{
					app: App{Streams: display.Streams{Err: &said}}, env: map[string]string{"XDG_STATE_HOME": state},
					given: func(string) bool { return false },
				}
				eng := &hanging{problems: test.problems}
				k, err := g.keepLogs(eng, "shop")
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if err := k.RemoveContainer(t.Context(), "id", engine.RemoveContainer{}); err != nil {
					t.Error(err)
				}
				if took := eng.removed.Sub(start); took < 0 || took > test.longest {
					t.Errorf("the removal came after %v", took)
				}
				k.warn()
				if !strings.Contains(said.String(), test.says) || test.says == "" && said.Len() > 0 {
					t.Errorf("said %q", said.String())
				}
			})
		})
	}
}
