package step

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// CreateNetwork creates a network. One that somebody else creates at the same time will do.
type CreateNetwork struct {
	Key     string // in the file
	Request engine.CreateNetwork
	Fields  project.Fields // nil for one that is made again as it was: it has its fingerprint
}

// Run implements [Step].
func (s CreateNetwork) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	request := s.Request
	if s.Fields != nil {
		request.Labels = maps.Clone(request.Labels)
		request.Labels[project.LabelSpec] = s.Fields.Seal(project.NewSalt())
	}
	_, err := eng.CreateNetwork(ctx, request)
	if errors.Is(err, engine.ErrConflict) {
		return nil
	}
	return err
}

// Ref implements [Step].
func (s CreateNetwork) Ref() graph.Ref { return graph.Network(s.Key) }

// Object implements [Step].
func (s CreateNetwork) Object() Object { return Object{Network, s.Request.Name} }

// Action implements [Step].
func (s CreateNetwork) Action() string { return "create" }

// Words implements [Step].
func (s CreateNetwork) Words() (doing, done string) { return "Creating", "Created" }

func (s CreateNetwork) String() string { return "create network " + s.Request.Name }

// RemoveNetwork removes a network. One that something outside the plan still uses is left, with a word about it.
type RemoveNetwork struct {
	Key, ID, Name string
}

// Run implements [Step].
func (s RemoveNetwork) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	err := gone(eng.RemoveNetwork(ctx, s.ID))
	if errors.Is(err, engine.ErrInUse) {
		return &InUseError{Object: s.Object(), Cause: err}
	}
	return err
}

// InUseError says that something could not be removed because others use it. It is a warning: nothing depends on the removal.
type InUseError struct {
	Object Object
	Cause  error
}

func (e *InUseError) Error() string { return e.Object.String() + " Resource is still in use" }
func (e *InUseError) Unwrap() error { return e.Cause }

// Ref implements [Step].
func (s RemoveNetwork) Ref() graph.Ref { return graph.Network(s.Key) }

// Object implements [Step].
func (s RemoveNetwork) Object() Object { return Object{Network, s.Name} }

// Action implements [Step].
func (s RemoveNetwork) Action() string { return "remove" }

// Words implements [Step].
func (s RemoveNetwork) Words() (doing, done string) { return "Removing", "Removed" }

func (s RemoveNetwork) String() string { return "remove network " + s.Name }

// ConnectNetwork attaches a container to a network.
type ConnectNetwork struct {
	Target
	Endpoint engine.Endpoint
}

// Run implements [Step].
func (s ConnectNetwork) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	err := eng.ConnectNetwork(ctx, s.ref(), s.Endpoint)
	if err == nil {
		return nil
	}
	if found, lookErr := eng.InspectContainer(ctx, s.ref()); lookErr == nil {
		for _, attachment := range found.Networks {
			if attachment.Network == s.Endpoint.Network {
				return nil
			}
		}
	}
	return err
}

// Action implements [Step].
func (s ConnectNetwork) Action() string { return "connect" }

// Words implements [Step].
func (s ConnectNetwork) Words() (doing, done string) { return "", "" }

func (s ConnectNetwork) String() string {
	return fmt.Sprintf("connect container %s to network %s", s.Name, s.Endpoint.Network)
}

// DisconnectNetwork detaches a container from a network.
type DisconnectNetwork struct {
	Target
	Network string
}

// Run implements [Step].
func (s DisconnectNetwork) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	return gone(eng.DisconnectNetwork(ctx, s.ref(), s.Network))
}

// Action implements [Step].
func (s DisconnectNetwork) Action() string { return "disconnect" }

// Words implements [Step].
func (s DisconnectNetwork) Words() (doing, done string) { return "", "" }

func (s DisconnectNetwork) String() string {
	return fmt.Sprintf("disconnect container %s from network %s", s.Name, s.Network)
}
