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

// Hint is what to try next: what the cause says, which knows the engine's words.
func (e *PullError) Hint() string {
	var hinted interface{ Hint() string }
	if errors.As(e.Cause, &hinted) && hinted.Hint() != "" {
		return hinted.Hint()
	}
	return "check that the registry can be reached from the engine's host"
}

// Code is what kind of failure it is, for machines.
func (e *PullError) Code() string {
	var coded interface{ Code() string }
	switch {
	case errors.As(e.Cause, &coded) && coded.Code() != "":
		return coded.Code()
	case errors.Is(e.Cause, engine.ErrDenied):
		return "image-denied"
	case errors.Is(e.Cause, engine.ErrNotFound):
		return "image-missing"
	}
	return "pull-failed"
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

// BuildImage builds an image.
type BuildImage struct {
	Reference string // the name that services have for it
	Request   engine.BuildImage
}

// Run implements [Step]. What goes wrong in the middle of a build is an [*engine.BuildError].
func (s BuildImage) Run(ctx context.Context, eng engine.Engine, report func(Progress)) error {
	_, err := eng.BuildImage(ctx, s.Request, func(progress engine.BuildProgress) {
		report(Progress{Text: buildText(progress), Current: progress.Done, Total: progress.Total, Build: &progress})
	})
	return err
}

// buildText is what a build does now, for people; empty where that is not worth telling.
func buildText(progress engine.BuildProgress) string {
	switch progress.Kind {
	case engine.BuildStepStarted, engine.BuildLog:
		return progress.Name
	case engine.BuildTransfer:
		return progress.Item
	}
	return ""
}

// Ref implements [Step].
func (s BuildImage) Ref() graph.Ref { return graph.Image(s.Reference) }

// Object implements [Step].
func (s BuildImage) Object() Object { return Object{Image, s.Reference} }

// Action implements [Step].
func (s BuildImage) Action() string { return "build" }

// Words implements [Step].
func (s BuildImage) Words() (doing, done string) { return "Building", "Built" }

func (s BuildImage) String() string {
	if s.Request.Push {
		return "build image " + s.Reference + " and push it"
	}
	return "build image " + s.Reference
}

// RemoveImage removes an image's name, and the image with its last one. One that a container uses is left alone.
type RemoveImage struct{ Reference string }

// Run implements [Step]. One that is in use is an [*InUseError].
func (s RemoveImage) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	err := gone(eng.RemoveImage(ctx, s.Reference))
	if errors.Is(err, engine.ErrConflict) || errors.Is(err, engine.ErrInUse) {
		return &InUseError{Object: s.Object(), Cause: err}
	}
	return err
}

// Ref implements [Step].
func (s RemoveImage) Ref() graph.Ref { return graph.Image(s.Reference) }

// Object implements [Step].
func (s RemoveImage) Object() Object { return Object{Image, s.Reference} }

// Action implements [Step].
func (s RemoveImage) Action() string { return "remove" }

// Words implements [Step].
func (s RemoveImage) Words() (doing, done string) { return "Removing", "Removed" }

func (s RemoveImage) String() string { return "remove image " + s.Reference }
