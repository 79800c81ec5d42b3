package step

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// HookKind says when a hook runs.
type HookKind string

// Kinds of hooks.
const (
	PostStart HookKind = "post_start"
	PreStop   HookKind = "pre_stop"
)

// RunHook runs a command in a container that has started or is about to stop.
type RunHook struct {
	Target
	Kind  HookKind
	Index int // among those of its kind
	Hook  project.Hook
}

// Run implements [Step]. Before a stop, a container in which nothing can be run, because it does not run, is paused or gone,
// needs no hook.
func (s RunHook) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	var output lastOutput
	code, err := eng.Exec(ctx, s.ref(), engine.Exec{
		Command: s.Hook.Command, User: s.Hook.User, WorkingDir: s.Hook.WorkingDir,
		Environment: s.Hook.Environment, Privileged: s.Hook.Privileged,
	}, output.add)
	switch {
	case s.Kind == PreStop && (errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrConflict)):
		return nil
	case err != nil:
		return err
	case code != 0:
		return &HookError{Service: s.Service, Kind: s.Kind, Container: s.Object().Name, ExitCode: code, Output: output.text()}
	}
	return nil
}

// Action implements [Step].
func (s RunHook) Action() string { return "hook" }

// Words implements [Step].
func (s RunHook) Words() (doing, done string) { return "", "" }

func (s RunHook) String() string {
	return fmt.Sprintf("run %s hook %d in container %s", s.Kind, s.Index+1, s.Object().Name)
}

// HookError says that a hook's command has failed.
type HookError struct {
	Service   string
	Kind      HookKind
	Container string
	ExitCode  int
	// Output is the end of what it wrote, to stderr if it wrote there: at most ten lines of 2048 bytes. It is to be cleaned before
	// a terminal sees it.
	Output string
}

// Error has docker compose's words.
func (e *HookError) Error() string {
	text := fmt.Sprintf("%s hook exited with status %d", e.Service, e.ExitCode)
	if e.Output != "" {
		text += ": " + e.Output
	}
	return text
}

// Hint is what to try next.
func (e *HookError) Hint() string {
	if e.Kind == PreStop {
		return fmt.Sprintf("the container runs on: mend the hook and stop it again, or end it without the hook with `docker stop %s`", e.Container)
	}
	return "the container runs on: mend the hook and start it again with `muster restart " + e.Service + "`"
}

// runHooks runs hooks one after the other, where a plan is undone.
func runHooks(ctx context.Context, eng engine.Engine, in Target, kind HookKind, hooks []project.Hook) error {
	for i, hook := range hooks {
		if err := (RunHook{Target: in, Kind: kind, Index: i, Hook: hook}).Run(ctx, eng, nil); err != nil {
			return err
		}
	}
	return nil
}

// lastOutput keeps the end of what a command writes, by stream.
type lastOutput struct {
	stdout, stderr []byte
}

// How much of a hook's output a failure shows.
const (
	tailLines = 10
	tailBytes = 2048
)

func (t *lastOutput) add(frame engine.Frame) error {
	kept := &t.stdout
	if frame.Stream == engine.Stderr {
		kept = &t.stderr
	}
	*kept = append(*kept, frame.Data...)
	if surplus := len(*kept) - tailBytes; surplus > 0 {
		*kept = append((*kept)[:0], (*kept)[surplus:]...)
	}
	return nil
}

func (t *lastOutput) text() string {
	text := bytes.TrimSpace(t.stderr)
	if len(text) == 0 {
		text = bytes.TrimSpace(t.stdout)
	}
	lines := strings.Split(strings.ToValidUTF8(strings.ReplaceAll(string(text), "\r\n", "\n"), "\ufffd"), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
