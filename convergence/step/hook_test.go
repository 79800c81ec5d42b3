package step_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// execs is an engine that runs commands only.
type execs struct {
	engine.Engine
	ref     string
	asked   engine.Exec
	outputs []engine.Frame
	code    int
	err     error
}

func (e *execs) Exec(_ context.Context, ref string, request engine.Exec, output func(engine.Frame) error) (int, error) {
	e.ref, e.asked = ref, request
	for _, frame := range e.outputs {
		if err := output(frame); err != nil {
			return 0, err
		}
	}
	return e.code, e.err
}

// TestHookAsWritten runs a hook with all that the file says of it.
func TestHookAsWritten(t *testing.T) {
	t.Parallel()
	hook := project.Hook{
		Command: []string{"a", "b"}, User: "u", WorkingDir: "/w", Privileged: true, Environment: map[string]string{"A": "b"},
	}
	e := &execs{}
	s := step.RunHook{Target: step.Target{ID: "id", Name: "p-web-1"}, Kind: step.PostStart, Hook: hook}
	if err := s.Run(t.Context(), e, func(step.Progress) {}); err != nil {
		t.Fatal(err)
	}
	want := engine.Exec{Command: hook.Command, User: "u", WorkingDir: "/w", Privileged: true, Environment: hook.Environment}
	if e.ref != "id" || !reflect.DeepEqual(e.asked, want) {
		t.Errorf("got %s %+v, want %+v", e.ref, e.asked, want)
	}
}

// TestHookFails tells the exit code and the end of the output.
func TestHookFails(t *testing.T) {
	t.Parallel()
	frames := func(stream engine.Stream, texts ...string) []engine.Frame {
		var all []engine.Frame
		for _, text := range texts {
			all = append(all, engine.Frame{Stream: stream, Data: []byte(text)})
		}
		return all
	}
	long := strings.Split(strings.Repeat("line\n,", 30), ",")
	for name, c := range map[string]struct {
		outputs []engine.Frame
		want    string
	}{
		"nothing":    {nil, "web hook exited with status 4"},
		"stdout":     {frames(engine.Stdout, "a\r\n", "b\n"), "web hook exited with status 4: a\nb"},
		"both":       {append(frames(engine.Stdout, "a\n"), frames(engine.Stderr, "b\n")...), "web hook exited with status 4: b"},
		"many lines": {frames(engine.Stderr, long...), "web hook exited with status 4: " + strings.TrimSpace(strings.Repeat("line\n", 10))},
		"a long one": {frames(engine.Stderr, strings.Repeat("x", 5000)), "web hook exited with status 4: " + strings.Repeat("x", 2048)},
		"no text":    {frames(engine.Stderr, "\xff\xfe"), "web hook exited with status 4: \ufffd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := step.RunHook{Target: step.Target{Name: "p-web-1", Service: "web"}, Kind: step.PreStop}
			err := s.Run(t.Context(), &execs{outputs: c.outputs, code: 4}, func(step.Progress) {})
			var failed *step.HookError
			if !errors.As(err, &failed) || err.Error() != c.want || failed.ExitCode != 4 {
				t.Errorf("got %q, want %q", err, c.want)
			}
		})
	}
}

// TestHookWithoutContainer needs no hook before the stop of what does not run, and one after a start.
func TestHookWithoutContainer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind step.HookKind
		err  error
		want error
	}{
		{step.PreStop, engine.ErrConflict, nil},
		{step.PreStop, engine.ErrNotFound, nil},
		{step.PreStop, engine.ErrUnavailable, engine.ErrUnavailable},
		{step.PostStart, engine.ErrConflict, engine.ErrConflict},
	} {
		s := step.RunHook{Target: step.Target{Name: "p-web-1"}, Kind: c.kind}
		err := s.Run(t.Context(), &execs{err: fmt.Errorf("engine says: %w", c.err)}, nil)
		if !errors.Is(err, c.want) {
			t.Errorf("%s, %v: got %v, want %v", c.kind, c.err, err, c.want)
		}
	}
}

// TestHookLines tells of whole lines, whatever pieces they come in.
func TestHookLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 20<<10)
	e := &execs{outputs: []engine.Frame{
		{Stream: engine.Stdout, Data: []byte("on")},
		{Stream: engine.Stderr, Data: []byte("err\r\nmo")},
		{Stream: engine.Stdout, Data: []byte("e\n\ntwo\nrest")},
		{Stream: engine.Stderr, Data: []byte(long)},
	}}
	var got []string
	s := step.RunHook{Target: step.Target{Name: "p-web-1"}, Kind: step.PostStart}
	if err := s.Run(t.Context(), e, func(p step.Progress) {
		got = append(got, fmt.Sprintf("%d %s", p.Hook.Stream, p.Hook.Data))
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{"2 err", "1 one", "1 ", "1 two", "2 mo" + long, "1 rest"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %.100q, want %.100q", got, want)
	}
}
