package convergence

import (
	"context"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// Unfinished is what there is of a project in the middle of a change.
type Unfinished struct {
	// Leftovers are the containers that are half made.
	Leftovers []plan.Leftover
	// Holder is who has the project's lock; nil where nobody does.
	Holder *Holder
	// Died says that the holder lives no more. Where the engine cannot tell, it does not.
	Died bool
}

// Interrupted says that a command was cut short: it has left something half made, or its lock, and nobody is at it.
func (u Unfinished) Interrupted() bool {
	if u.Holder != nil {
		return u.Died
	}
	return len(u.Leftovers) > 0
}

// Parts say what the containers that are half made are part of, by ID.
func (u Unfinished) Parts() map[string]plan.Part {
	parts := map[string]plan.Part{}
	for _, left := range u.Leftovers {
		parts[left.Container.ID] = left.Part
	}
	return parts
}

// FindUnfinished looks for what is in the middle of a change among what the engine has of a project: all of its containers, those of hooks
// too, and all volumes. It changes nothing.
func FindUnfinished(ctx context.Context, eng engine.Engine, name string, state plan.State) Unfinished {
	found := Unfinished{Leftovers: plan.Leftovers(state.Containers)}
	for _, volume := range state.Volumes {
		if volume.Name == lockPrefix+name && volume.Labels[project.LabelLock] == name {
			holder := readHolder(volume)
			found.Holder, found.Died = &holder, hasDied(ctx, eng, holder)
		}
	}
	return found
}

// hasDied asks after a holder by its sessions: an ID that is free is given back at once. One that is alive has either of them.
func hasDied(ctx context.Context, eng engine.Engine, holder Holder) bool {
	if !holder.known {
		return false
	}
	for _, id := range holder.sessions() {
		session, err := eng.HoldSession(ctx, id)
		if err != nil {
			return false // it lives, or nobody can tell
		}
		_ = session.Close()
	}
	return true
}
