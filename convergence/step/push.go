package step

import (
	"context"
	"errors"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
)

// PushImage brings an image to its registry.
type PushImage struct {
	Reference string
	Service   string // that builds it
}

// Run implements [Step].
func (s PushImage) Run(ctx context.Context, eng engine.Engine, report func(Progress)) error {
	err := eng.PushImage(ctx, s.Reference, func(progress engine.PullProgress) {
		report(Progress{Text: progress.Status, Current: progress.Done, Total: progress.Total})
	})
	if err != nil {
		return &PushError{Reference: s.Reference, Service: s.Service, Cause: err}
	}
	return nil
}

// PushError says that an image could not be brought to its registry.
type PushError struct {
	Reference, Service string
	Cause              error
}

func (e *PushError) Error() string { return e.Cause.Error() }
func (e *PushError) Unwrap() error { return e.Cause }

// Hint is what to try next: to build what is missing, else what the cause says, which knows the engine's words.
func (e *PushError) Hint() string {
	if errors.Is(e.Cause, engine.ErrNotFound) {
		return "muster build " + e.Service
	}
	var hinted interface{ Hint() string }
	if errors.As(e.Cause, &hinted) {
		return hinted.Hint()
	}
	return ""
}

// Ref implements [Step].
func (s PushImage) Ref() graph.Ref { return graph.Image(s.Reference) }

// Object implements [Step].
func (s PushImage) Object() Object { return Object{Image, s.Reference} }

// Action implements [Step].
func (s PushImage) Action() string { return "push" }

// Words implements [Step].
func (s PushImage) Words() (doing, done string) { return "Pushing", "Pushed" }

func (s PushImage) String() string { return "push image " + s.Reference }
