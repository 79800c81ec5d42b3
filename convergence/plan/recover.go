package plan

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// recovery is what the containers of one replica come down to, where a run that was cut short has left something of a replacement.
type recovery struct {
	keep   engine.Container
	others []engine.Container // they go
	name   string             // that the one that stays shall have
	undoes bool               // it is the old one that stays
}

// recoveries finds what replacements that were cut short have left among a project's containers: by their labels, of which several
// containers of one replica have the same, and by names that containers only have in the middle. What it says nothing about is as it
// should be. A file is not needed, so that every command can put right what it finds; an up goes by what the file wants instead.
func recoveries(containers []engine.Container) []recovery {
	type key struct {
		service string
		number  int
	}
	replicas := map[key][]engine.Container{}
	for _, container := range containers {
		if !container.OneOff && !isHelper(container) {
			of := key{container.Service, observedNumber(container)}
			replicas[of] = append(replicas[of], container)
		}
	}
	var found []recovery
	for round := range len(replicas) {
		before := found
		if found = recoverAll(slices.Collect(maps.Values(replicas)), before); round > 0 && goners(found) == goners(before) {
			break
		}
	}
	return found
}

// recoverAll decides for each replica, given what was decided before: what shares the namespaces or volumes of a container that goes is
// of no use.
func recoverAll(replicas [][]engine.Container, before []recovery) (found []recovery) {
	going := goners(before)
	for _, candidates := range replicas {
		useful := slices.DeleteFunc(slices.Clone(candidates), func(c engine.Container) bool {
			return slices.ContainsFunc(sharedIDs(c), func(id string) bool { return strings.Contains(going, id) })
		})
		if len(useful) == 0 {
			useful = candidates
		}
		if one := newRecovery(useful, candidates); len(one.others) > 0 || one.name != one.keep.Name {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, func(a, b recovery) int { return cmp.Compare(a.keep.ID, b.keep.ID) })
	return found
}

// goners are the IDs of what goes, sorted.
func goners(found []recovery) string {
	var ids []string
	for _, one := range found {
		for _, other := range one.others {
			ids = append(ids, other.ID)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// sharedIDs are the containers whose namespaces or volumes a container shares, by its labels.
func sharedIDs(container engine.Container) (ids []string) {
	fingerprint, err := project.OpenFingerprint(container.Labels[project.LabelSpec])
	if err != nil {
		return nil
	}
	for path := range fingerprint.Fields {
		if strings.HasPrefix(path, step.SharesField("")) {
			ids = append(ids, fingerprint.Plain(path))
		}
	}
	return ids
}

// newRecovery keeps the container that runs. Where none does it is the new one that counts if it has got its name and has run, because
// then the old one had ended for it; else the new one has never served anybody.
func newRecovery(useful, candidates []engine.Container) recovery {
	byAge := func(a, b engine.Container) int {
		return cmp.Or(cmp.Compare(deployOf(a), deployOf(b)), a.Created.Compare(b.Created))
	}
	useful, candidates = slices.SortedStableFunc(slices.Values(useful), byAge), slices.SortedStableFunc(slices.Values(candidates), byAge)
	best := slices.IndexFunc(useful, engine.Container.Running)
	for i := len(useful) - 1; i >= 0 && best < 0; i-- {
		if useful[i].State != engine.StateCreated && finalName(useful[i]) == useful[i].Name {
			best = i
		}
	}
	one := recovery{keep: useful[max(best, 0)]}
	one.name, one.undoes = finalName(one.keep), one.keep.ID == candidates[0].ID
	one.others = slices.DeleteFunc(candidates, func(c engine.Container) bool { return c.ID == one.keep.ID })
	return one
}

// deployOf is the number of the up that made a container: what engines tell of times is whole seconds.
func deployOf(container engine.Container) int {
	number, _ := strconv.Atoi(container.Labels[project.LabelDeploy])
	return number
}

// finalName is the name that a container has in the end, by the one that it has in the middle of a replacement. A new one says by a
// label what it replaces, and the name of an old one ends with its own ID: names that users give may look like either.
func finalName(container engine.Container) string {
	name := container.Name
	replaced := container.Labels[project.LabelReplace]
	if _, rest, _ := strings.Cut(name, "_"); replaced != "" && strings.HasSuffix(rest, replaced) && project.IsTemporaryName(name, rest) {
		return rest
	}
	if i := strings.LastIndex(name, project.RetiredName("", "")); i > 0 && name == project.RetiredName(container.ID, name[:i]) {
		return name[:i]
	}
	return name
}

// putRight plans that what replacements that were cut short have left is finished or undone, and returns the containers as they are
// after that, and by ID of each what has to come before it is started. wanted is the policy of a service by the file; it counts where a
// container's labels do not tell its own.
func (b *builder) putRight(containers []engine.Container, wanted func(service string) (engine.RestartPolicy, bool)) ([]engine.Container, map[string][]NodeID) {
	done := map[string][]NodeID{}
	right := slices.Clone(containers)
	for _, one := range recoveries(containers) {
		done[one.keep.ID] = b.recover(one, wanted)
		right = slices.DeleteFunc(right, func(c engine.Container) bool {
			return slices.ContainsFunc(one.others, func(other engine.Container) bool { return other.ID == c.ID })
		})
		for i := range right {
			if right[i].ID == one.keep.ID {
				right[i].Name = one.name
			}
		}
	}
	return right, done
}

// recover plans one recovery. The policy comes back first: as long as there is anything left by which the next run can tell that one
// was cut short, it is not done.
func (b *builder) recover(one recovery, wanted func(service string) (engine.RestartPolicy, bool)) []NodeID {
	change := Change{Kind: Finish, Ref: graph.Service(one.keep.Service), Reasons: []Reason{{Text: "an interrupted replacement is finished"}}}
	var last []NodeID
	if one.undoes {
		change.Reasons = []Reason{{Text: "an interrupted replacement is undone"}}
	}
	if policy, known := policyBefore(one.keep, wanted); known {
		last = append(last, b.add(step.SetRestartPolicy{Target: target(one.keep), Policy: policy}))
	}
	for _, other := range one.others {
		after := last
		if other.Running() {
			after = []NodeID{b.add(step.StopContainer{Target: target(other)}, last...)}
		}
		last = append(last, b.add(step.RemoveContainer{Target: target(other), Volumes: one.undoes, Quiet: true}, after...))
		change.Objects = append(change.Objects, step.Object{Kind: step.Container, Name: other.Name})
	}
	if one.name != one.keep.Name {
		last = []NodeID{b.add(step.RenameContainer{Target: target(one.keep), To: one.name}, last...)}
		change.Objects = append(change.Objects, step.Object{Kind: step.Container, Name: one.name})
	}
	b.plan.Changes = append(b.plan.Changes, change)
	return last
}

// policyBefore is the restart policy that a container had before a replacement began.
func policyBefore(container engine.Container, wanted func(service string) (engine.RestartPolicy, bool)) (engine.RestartPolicy, bool) {
	if name, retries, ok := project.MadeRestartPolicy(container.Labels); ok {
		return engine.RestartPolicy{Name: name, MaxRetries: retries}, true
	}
	return wanted(container.Service)
}

// wantedPolicy finds policies in a file, which may be nil.
func wantedPolicy(p *project.Project) func(service string) (engine.RestartPolicy, bool) {
	return func(name string) (engine.RestartPolicy, bool) {
		if p == nil {
			return engine.RestartPolicy{}, false
		}
		service, known := p.AllServices()[name]
		return filePolicy(service), known
	}
}

// removeHelpers plans that containers through which an earlier run filled volumes go: it was cut short.
func (b *builder) removeHelpers(containers []engine.Container) {
	for _, container := range containers {
		if container.Labels[project.LabelFiles] != "" {
			b.removeLeftover(container)
		}
	}
}
