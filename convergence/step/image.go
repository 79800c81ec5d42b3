package step

import (
	"context"
	"errors"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
)

// PullImage brings an image from its registry.
type PullImage struct {
	Reference string
	Platform  string // empty leaves it to the engine
}

// Run implements [Step].
func (s PullImage) Run(ctx context.Context, eng engine.Engine, report func(Progress)) error {
	request := engine.PullImage{Ref: s.Reference, Platform: s.Platform}
	err := eng.PullImage(ctx, request, func(progress engine.PullProgress) {
		report(Progress{Text: progress.Status, Current: progress.Done, Total: progress.Total})
	})
	if err != nil {
		return &PullError{Reference: s.Reference, Cause: err}
	}
	return nil
}

// PullError says that an image could not be brought.
type PullError struct {
	Reference string
	Cause     error
}

func (e *PullError) Error() string { return e.Cause.Error() }
func (e *PullError) Unwrap() error { return e.Cause }

// Hint is what to try next.
func (e *PullError) Hint() string {
	switch {
	case errors.Is(e.Cause, engine.ErrDenied):
		return "log in with `docker login`, and check the name: a registry also denies what does not exist"
	case errors.Is(e.Cause, engine.ErrNotFound):
		return "check the image's name and tag, or build it and set pull_policy: never"
	}
	return "check that the registry can be reached from the engine's host"
}

// Ref implements [Step].
func (s PullImage) Ref() graph.Ref { return graph.Image(s.Reference) }

// Object implements [Step].
func (s PullImage) Object() Object { return Object{Image, s.Reference} }

// Action implements [Step].
func (s PullImage) Action() string { return "pull" }

// Words implements [Step].
func (s PullImage) Words() (doing, done string) { return "Pulling", "Pulled" }

func (s PullImage) String() string { return "pull image " + s.Reference }
