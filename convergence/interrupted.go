package convergence

import (
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// Unfinished is what there is of a project in the middle of a change.
type Unfinished struct {
	// Leftovers are the containers that are half made.
	Leftovers []plan.Leftover
	// Holder is who has the project's lock; nil where nobody does.
	Holder *Holder
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
// too, and all volumes. Whether the holder lives is not asked: to ask takes its session for some seconds, in which others
// would take it for alive.
func FindUnfinished(name string, state plan.State) Unfinished {
	found := Unfinished{Leftovers: plan.Leftovers(state.Containers)}
	for _, volume := range state.Volumes {
		if volume.Name == lockPrefix+name && volume.Labels[project.LabelLock] == name {
			holder := readHolder(volume)
			found.Holder = &holder
		}
	}
	return found
}
