package step

import (
	"context"
	"errors"
	"maps"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// CreateVolume creates a volume; one of that name that is there by now stays as it is.
type CreateVolume struct {
	Key     string // in the file
	Request engine.CreateVolume
	Fields  project.Fields
}

// Run implements [Step].
func (s CreateVolume) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	request := s.Request
	request.Labels = maps.Clone(request.Labels)
	request.Labels[project.LabelSpec] = s.Fields.Seal(project.NewSalt())
	_, err := eng.CreateVolume(ctx, request)
	return err
}

// Ref implements [Step].
func (s CreateVolume) Ref() graph.Ref { return graph.Volume(s.Key) }

// Object implements [Step].
func (s CreateVolume) Object() Object { return Object{Volume, s.Request.Name} }

// Action implements [Step].
func (s CreateVolume) Action() string { return "create" }

// Words implements [Step].
func (s CreateVolume) Words() (doing, done string) { return "Creating", "Created" }

func (s CreateVolume) String() string { return "create volume " + s.Request.Name }

// RemoveVolume removes a volume and what is in it. It is only in a plan when the user asked for it.
type RemoveVolume struct {
	Key, Name string // Key is empty for an anonymous volume
}

// Run implements [Step].
func (s RemoveVolume) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	err := gone(eng.RemoveVolume(ctx, s.Name))
	if errors.Is(err, engine.ErrInUse) {
		return &InUseError{Object: s.Object(), Cause: err}
	}
	return err
}

// Ref implements [Step].
func (s RemoveVolume) Ref() graph.Ref { return graph.Volume(s.Key) }

// Object implements [Step].
func (s RemoveVolume) Object() Object { return Object{Volume, s.Name} }

// Action implements [Step].
func (s RemoveVolume) Action() string { return "remove" }

// Words implements [Step]. Anonymous volumes go with their container without a word, as docker compose has it.
func (s RemoveVolume) Words() (doing, done string) {
	if s.Key == "" {
		return "", ""
	}
	return "Removing", "Removed"
}

func (s RemoveVolume) String() string { return "remove volume " + s.Name }
