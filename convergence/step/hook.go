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
func (s RunHook) Run(ctx context.Context, eng engine.Engine, report func(Progress)) error {
	output := hookOutput{line: func(line engine.Frame) { report(Progress{Hook: &line}) }}
	code, err := eng.Exec(ctx, s.ref(), engine.Exec{
		Command: s.Hook.Command, User: s.Hook.User, WorkingDir: s.Hook.WorkingDir,
		Environment: s.Hook.Environment, Privileged: s.Hook.Privileged,
	}, output.add)
	output.end()
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

// Code is what kind of failure it is, for machines.
func (*HookError) Code() string { return "hook-failed" }

// runHooks runs hooks one after the other, where a plan is undone.
func runHooks(ctx context.Context, eng engine.Engine, in Target, kind HookKind, hooks []project.Hook) error {
	for i, hook := range hooks {
		if err := (RunHook{Target: in, Kind: kind, Index: i, Hook: hook}).Run(ctx, eng, func(Progress) {}); err != nil {
			return err
		}
	}
	return nil
}

// hookOutput takes what a command writes apart into lines and keeps the end of it.
type hookOutput struct {
	line           func(engine.Frame)
	stdout, stderr hookStream
}

type hookStream struct {
	pending []byte // the beginning of a line
	last    []byte
}

// How much of a hook's output a failure shows, and how long a line may be before it is told of in parts.
const (
	tailLines   = 10
	tailBytes   = 2048
	longestLine = 16 << 10
)

func (o *hookOutput) add(frame engine.Frame) error {
	stream := &o.stdout
	if frame.Stream == engine.Stderr {
		stream = &o.stderr
	}
	stream.last = append(stream.last, frame.Data...)
	stream.last = append(stream.last[:0], stream.last[max(0, len(stream.last)-tailBytes):]...)
	stream.pending = append(stream.pending, frame.Data...)
	for {
		line, rest, whole := bytes.Cut(stream.pending, []byte("\n"))
		if !whole && len(line) < longestLine {
			return nil
		}
		o.line(engine.Frame{Stream: frame.Stream, Data: bytes.TrimSuffix(line, []byte("\r"))})
		stream.pending = append(stream.pending[:0], rest...)
	}
}

// end tells of lines that were not ended.
func (o *hookOutput) end() {
	for i, stream := range []*hookStream{&o.stdout, &o.stderr} {
		if len(stream.pending) > 0 {
			o.line(engine.Frame{Stream: []engine.Stream{engine.Stdout, engine.Stderr}[i], Data: stream.pending})
		}
	}
}

// text is the end of the output: of stderr, where something came there.
func (o *hookOutput) text() string {
	text := bytes.TrimSpace(o.stderr.last)
	if len(text) == 0 {
		text = bytes.TrimSpace(o.stdout.last)
	}
	lines := strings.Split(strings.ToValidUTF8(strings.ReplaceAll(string(text), "\r\n", "\n"), "\ufffd"), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
