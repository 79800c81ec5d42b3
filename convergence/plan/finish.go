package plan

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// stands is how long what was started must have run where no health check tells more: what ends at once for a bad setting does it
// in this time.
const stands = 500 * time.Millisecond

// waitForAll plans that every service has reached its goal, where the user asked for it: completed where another service needs
// that, else healthy, or running, and steadily so, where there is no health check.
func (r *reconciler) waitForAll(order []string) {
	if !r.Policy.Wait {
		return
	}
	for _, name := range order {
		r.waitInTheEnd(r.services[name], r.goalOf(name))
	}
}

// waitInTheEnd plans the waits for a service's replicas.
func (r *reconciler) waitInTheEnd(s *servicePlan, goal step.Goal) {
	if len(s.waits[goal]) > 0 || goal == step.Ready && len(s.waits[step.Healthy]) > 0 {
		return
	}
	for _, one := range s.replicas {
		if one.isWaitedFor(goal) {
			continue
		}
		wait := step.Wait{Target: one.target(s.service.Name), Goal: goal, Project: r.Project.Name, Deadline: r.deadline}
		if goal == step.Ready {
			wait.Steady = stands
		}
		r.add(wait, one.started()...)
	}
}

// isWaitedFor says that a replica needs no wait in the end: it has one in its replacement, or it is there already and nothing
// happens to it.
func (r *replica) isWaitedFor(goal step.Goal) bool {
	if goal == step.Ready && len(r.stands) > 0 && !r.maybe() {
		return true
	}
	return len(r.start) == 0 && r.current != nil && hasReached(*r.current, goal)
}

// goalOf is what a service has to reach in the end.
func (r *reconciler) goalOf(name string) step.Goal {
	for _, dependent := range r.Graph.NeededBy(name) {
		if r.Project.Services[dependent].DependsOn[name].Condition == project.ConditionCompleted {
			return step.Completed
		}
	}
	return step.Ready
}

// removeOrphans removes containers of services that the file does not have, where that is wanted.
func (r *reconciler) removeOrphans() {
	for _, container := range r.orphans {
		if r.Policy.RemoveOrphans && !r.gone[container.ID] {
			r.orphanRemovals = append(r.orphanRemovals, r.removeContainer(container))
		}
	}
}

// tellOfOrphans says what becomes of containers of services that the file does not have.
func (r *reconciler) tellOfOrphans() {
	switch {
	case len(r.orphans) == 0:
	case r.Policy.RemoveOrphans:
		r.describeOrphans(Remove, []Reason{{Text: "not in the file any more"}})
	case !r.Policy.IgnoreOrphans:
		r.describeOrphans(Orphan, nil)
		var names []string
		for _, container := range r.orphans {
			names = append(names, container.Name)
		}
		r.warn(graph.Ref{}, "Found orphan containers (%s) for this project. If you removed or renamed this service in your "+
			"compose file, you can run this command with the --remove-orphans flag to clean it up.", strings.Join(names, ", "))
		r.plan.Warnings[len(r.plan.Warnings)-1].InChanges = true
	}
}

// describeOrphans tells of the orphans, by the service that they had.
func (r *reconciler) describeOrphans(kind Kind, reasons []Reason) {
	for _, service := range r.orphanServices() {
		change := Change{Kind: kind, Ref: graph.Service(service), Reasons: reasons}
		for _, container := range r.orphans {
			if container.Service == service {
				change.Objects = append(change.Objects, step.Object{Kind: step.Container, Name: container.Name})
				change.Note = fileOf(container)
			}
		}
		r.plan.Changes = append(r.plan.Changes, change)
	}
}

func (r *reconciler) orphanServices() []string {
	var services []string
	for _, container := range r.orphans {
		services = append(services, container.Service)
	}
	slices.Sort(services)
	return slices.Compact(services)
}

// fileOf is the file that a container came from, by its label.
func fileOf(container engine.Container) string {
	files := container.Labels[project.LabelConfigFiles]
	if files == "" {
		return ""
	}
	return "from " + files
}

// describe tells what happens to whom, in the order in which services depend on each other.
func (r *reconciler) describe(order []string) {
	var changes []Change
	for _, key := range sortedKeys(r.networks) {
		if change := r.networks[key].change; change != nil {
			changes = append(changes, *change)
		}
	}
	for _, key := range sortedKeys(r.volumes) {
		if change := r.volumes[key].change; change != nil {
			changes = append(changes, *change)
		}
	}
	for _, ref := range sortedKeys(r.images) {
		if len(r.images[ref].brought) > 0 {
			changes = append(changes, r.images[ref].describe())
		}
	}
	for _, name := range order {
		s := r.services[name]
		r.plan.Containers += len(s.replicas)
		changes = append(changes, r.describeService(s)...)
	}
	r.plan.Services = len(order)
	r.plan.Changes = append(changes, r.plan.Changes...)
}

// describe tells how an image comes.
func (i *imagePlan) describe() Change {
	change := Change{Kind: Pull, Ref: graph.Image(i.ref), Objects: []step.Object{{Kind: step.Image, Name: i.ref}}}
	switch {
	case i.built:
		change.Kind = Build
	case i.fallback:
		change.Note = "built where that fails"
	}
	return change
}

func (r *reconciler) describeService(s *servicePlan) []Change {
	if r.isOneOff(s.service.Name) {
		return []Change{r.describeOneOff(s)}
	}
	byKind := map[Kind]*Change{}
	note := func(kind Kind, name string, reasons []Reason) {
		change := byKind[kind]
		if change == nil {
			change = &Change{Kind: kind, Ref: graph.Service(s.service.Name), Reasons: reasons}
			byKind[kind] = change
		} else {
			change.Reasons = withReasons(change.Reasons, reasons)
		}
		change.Objects = append(change.Objects, step.Object{Kind: step.Container, Name: name})
	}
	for _, one := range s.replicas {
		kind, reasons := describeReplica(s, one)
		if kind == "" {
			r.keep(graph.Service(s.service.Name), step.Container, one.name)
			continue
		}
		note(kind, one.name, r.shown(s, one, reasons))
	}
	for _, container := range s.obsolete {
		note(Remove, container.Name, []Reason{{Text: "scaled to " + plural(len(s.replicas), "replica")}})
	}
	for _, container := range s.leftover {
		note(Finish, container.Name, []Reason{{Text: "left over from an interrupted replacement"}})
	}
	if change := byKind[Replace]; change != nil && len(change.Objects) > 1 && !s.together {
		change.Note = "one at a time"
	}
	var changes []Change
	if s.provided != nil {
		changes = append(changes, s.describeProvider())
	}
	for _, kind := range []Kind{Create, Replace, Maybe, Restart, Start, RunAgain, Finish, Remove} {
		if change := byKind[kind]; change != nil {
			changes = append(changes, *change)
		}
	}
	return s.tellOfHooks(changes)
}

// withReasons adds those that are not there yet: replicas of one service may have other ones.
func withReasons(reasons, more []Reason) []Reason {
	reasons = slices.Clip(reasons)
	for _, reason := range more {
		if !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

func describeReplica(s *servicePlan, one *replica) (Kind, []Reason) {
	switch {
	case one.current == nil:
		return Create, nil
	case one.replaced() && !one.maybe():
		return Replace, one.reasons
	case one.restart:
		return Restart, []Reason{{Text: "something that it depends on is replaced"}}
	case one.again && one.current.Running():
		return Restart, []Reason{{Text: "its network is made anew"}}
	case one.again && isOneShot(s.service, *one.current):
		return RunAgain, nil
	case one.again:
		return Start, []Reason{{Text: standsStill(*one.current)}}
	case one.maybe():
		return Maybe, []Reason{{Text: s.maybeReason}}
	case len(one.create) > 0:
		return Finish, []Reason{{Text: "gets its name back after an interrupted replacement"}}
	}
	return "", nil
}

func standsStill(container engine.Container) string {
	if container.State == engine.StateCreated {
		return "was never started"
	}
	return "has ended, exit " + strconv.Itoa(container.ExitCode)
}

// isOneShot says whether a container that has ended was meant to: it ended well, the engine is not to start it again, and
// nothing of it was to be reached.
func isOneShot(service project.Service, container engine.Container) bool {
	return container.State == engine.StateExited && container.ExitCode == 0 && !project.Restarts(service) &&
		len(service.Ports) == 0 && service.HealthCheck == nil
}
