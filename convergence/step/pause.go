package step

import (
	"context"
	"errors"

	"github.com/muster-dev/muster/convergence/engine"
)

// PauseContainer freezes a container that runs.
type PauseContainer struct{ Target }

// Run implements [Step]. One that is paused already is done.
func (s PauseContainer) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	return unlessAlready(ctx, eng, s.Target, engine.StatePaused, eng.PauseContainer(ctx, s.ref()))
}

// unlessAlready takes a conflict for done where the container is in the state that was wanted.
func unlessAlready(ctx context.Context, eng engine.Containers, t Target, wanted engine.State, err error) error {
	if !errors.Is(err, engine.ErrConflict) {
		return err
	}
	if found, inspectErr := eng.InspectContainer(ctx, t.ref()); inspectErr == nil && found.State == wanted {
		return nil
	}
	return err
}

// Action implements [Step].
func (s PauseContainer) Action() string { return "pause" }

// Words implements [Step].
func (s PauseContainer) Words() (doing, done string) { return "", "Paused" }

func (s PauseContainer) String() string { return "pause container " + s.Name }

// UnpauseContainer lets a paused container go on.
type UnpauseContainer struct{ Target }

// Run implements [Step]. One that runs already is done.
func (s UnpauseContainer) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	return unlessAlready(ctx, eng, s.Target, engine.StateRunning, eng.UnpauseContainer(ctx, s.ref()))
}

// Action implements [Step].
func (s UnpauseContainer) Action() string { return "unpause" }

// Words implements [Step].
func (s UnpauseContainer) Words() (doing, done string) { return "", "Unpaused" }

func (s UnpauseContainer) String() string { return "unpause container " + s.Name }
