package plan

import (
	"slices"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// Leftover is a container that is half made, known by its labels and its name: a command that has not come to its end has made it, or has
// begun to replace it.
type Leftover struct {
	Container engine.Container
	Part      Part
}

// Part is what a container that is half made is part of.
type Part string

// Parts of what commands do.
const (
	// NewPart is a container that is to take the place of another, and OldPart one that another takes the place of.
	NewPart Part = "new"
	OldPart Part = "old"
	// FilesPart is a container through which a volume is filled with secrets and configs, and HookPart one in which a hook runs.
	FilesPart Part = "files"
	HookPart  Part = "hook"
)

// Leftovers are the half made containers among a project's, by name. While a command changes the project they are what it works on; after
// it was cut short the next one that changes things finishes them or puts them back.
func Leftovers(containers []engine.Container) []Leftover {
	var left []Leftover
	add := func(container engine.Container, part Part) { left = append(left, Leftover{container, part}) }
	var replicas []engine.Container
	for _, container := range containers {
		switch {
		case container.Labels[project.LabelFiles] != "":
			add(container, FilesPart)
		case container.Hook != "" && container.State != engine.StateExited: // else it stays for a look at what has failed
			add(container, HookPart)
		case container.Labels[project.LabelConfigHash] != "":
			replicas = append(replicas, container)
		}
	}
	for _, one := range recoveries(replicas) {
		if one.keep.Name != one.name {
			add(one.keep, one.partOf(one.keep))
		}
		for _, other := range one.others {
			add(other, one.partOf(other))
		}
	}
	slices.SortFunc(left, func(a, b Leftover) int { return compareNames(a.Container, b.Container) })
	return left
}

// partOf goes by the name that a container has in the middle, and where it has its final one by whether it is the old one that stays.
func (r recovery) partOf(container engine.Container) Part {
	final, isKept := finalName(container), container.ID == r.keep.ID
	switch {
	case container.Name == project.RetiredName(container.ID, final):
		return OldPart
	case container.Name != final:
		return NewPart
	case isKept == r.undoes:
		return OldPart
	}
	return NewPart
}
