package step

import (
	"context"
	"errors"
	"fmt"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// RenameContainer gives a container another name.
type RenameContainer struct {
	Target
	To string
	// Completes says that with this name a replacement has its final form.
	Completes bool
	// Retires says that it is the container that is replaced. Where somebody has removed it meanwhile, so much the better.
	Retires bool
}

// Run implements [Step].
func (s RenameContainer) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	err := eng.RenameContainer(ctx, s.ref(), s.To)
	if s.Retires {
		err = gone(err)
	}
	if errors.Is(err, engine.ErrConflict) {
		if found, lookErr := eng.InspectContainer(ctx, s.To); lookErr == nil && found.ID == s.ID {
			return nil
		}
	}
	return err
}

// Action implements [Step].
func (s RenameContainer) Action() string { return "rename" }

// Words implements [Step].
func (s RenameContainer) Words() (doing, done string) {
	if s.Completes {
		return "", "Recreated"
	}
	return "", ""
}

func (s RenameContainer) String() string {
	return fmt.Sprintf("rename container %s to %s", s.Name, s.To)
}

// SetRestartPolicy changes what the engine does when the container ends.
type SetRestartPolicy struct {
	Target
	Policy engine.RestartPolicy
	// Retires says that it is the container that is replaced: one that is gone will do.
	Retires bool
}

// Run implements [Step].
func (s SetRestartPolicy) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	err := eng.SetRestartPolicy(ctx, s.ref(), s.Policy)
	if s.Retires {
		return gone(err)
	}
	return err
}

// Action implements [Step].
func (s SetRestartPolicy) Action() string { return "update" }

// Words implements [Step].
func (s SetRestartPolicy) Words() (doing, done string) { return "", "" }

func (s SetRestartPolicy) String() string {
	return fmt.Sprintf("set restart policy of container %s to %s", s.Name, s.Policy.Name)
}

// RestoreContainer undoes a replacement, from wherever it got to: the new container goes, the old one has its name and restart
// policy back and, where it ran before, runs again. It is what a plan runs when a step of a replacement fails.
type RestoreContainer struct {
	Target                          // the old container; Final is the name that it gets back
	New        string               // the name under which the new one was created
	NewFinal   string               // the name that the new one has in the end
	Policy     engine.RestartPolicy // the old one's, as it was
	WasRunning bool
	PostStart  []project.Hook // to run in the old one where it is started again
}

// Run implements [Step].
func (s RestoreContainer) Run(ctx context.Context, eng engine.Engine, _ func(Progress)) error {
	old, err := eng.InspectContainer(ctx, s.ID)
	if err != nil {
		return fmt.Errorf("look at the container that ran before: %w", err)
	}
	// As long as there is a new one, the next run can tell that this one was cut short.
	if err := eng.SetRestartPolicy(ctx, s.ID, s.Policy); err != nil {
		return fmt.Errorf("give the container that ran before its restart policy back: %w", err)
	}
	if err := s.removeNew(ctx, eng, old.Container); err != nil {
		return err
	}
	if old.Name != s.Object().Name {
		if err := eng.RenameContainer(ctx, s.ID, s.Object().Name); err != nil {
			return fmt.Errorf("give the container that ran before its name back: %w", err)
		}
	}
	return s.restart(ctx, eng)
}

// removeNew removes the new container, which has the temporary name or already the final one. That one may also be somebody
// else's, which is why the replacement failed.
func (s RestoreContainer) removeNew(ctx context.Context, eng engine.Containers, old engine.Container) error {
	for _, name := range []string{s.New, s.NewFinal} {
		found, err := eng.InspectContainer(ctx, name)
		if errors.Is(err, engine.ErrNotFound) || err == nil && !isTwin(old, found.Container) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look for the new container: %w", err)
		}
		// The anonymous volumes that go with it are its own: those of the old one it has taken over by name, and engines leave such.
		if err := gone(eng.RemoveContainer(ctx, found.ID, engine.RemoveContainer{Force: true, Volumes: true})); err != nil {
			return fmt.Errorf("remove the new container: %w", err)
		}
	}
	return nil
}

// isTwin says whether a container is another one for the same replica.
func isTwin(old, other engine.Container) bool {
	return other.ID != old.ID && !other.OneOff &&
		other.Project == old.Project && other.Service == old.Service && other.Number == old.Number
}

func (s RestoreContainer) restart(ctx context.Context, eng engine.Engine) error {
	if !s.WasRunning {
		return nil
	}
	if err := startWithHooks(ctx, eng, s.Target, s.PostStart); err != nil {
		return fmt.Errorf("start the container that ran before: %w", err)
	}
	return nil
}

// Action implements [Step].
func (s RestoreContainer) Action() string { return "restore" }

// Words implements [Step].
func (s RestoreContainer) Words() (doing, done string) { return "Restoring", "Restored" }

func (s RestoreContainer) String() string { return "restore container " + s.Object().Name }
