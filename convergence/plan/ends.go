package plan

import (
	"slices"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/provider"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph/dag"
	"github.com/muster-dev/muster/project"
)

// StopInput is what stopping a project is planned from.
type StopInput struct {
	Name string // of the project
	// Project is what the file says; nil where there is none. It only tells orphans apart, which are left alone, and which hooks
	// to run.
	Project  *project.Project
	State    State
	Services []string // empty means all
	Timeout  *time.Duration
	// Providers runs the programs of provider services; nil leaves those services alone.
	Providers provider.Runner
}

// StopContainers plans that a project's containers end, each after those that depend on it. Nothing is removed.
func StopContainers(input StopInput) *Plan {
	t := newEnding(TeardownInput{Name: input.Name, Project: input.Project, State: input.State, Services: input.Services})
	t.removeHelpers(t.chosen)
	var recovered map[string][]NodeID
	t.chosen, recovered = t.putRight(t.chosen, wantedPolicy(input.Project))
	t.chosen = slices.DeleteFunc(t.chosen, func(c engine.Container) bool { return !c.Running() })
	needs := t.dependencies()
	t.inOrder(needs, func(container engine.Container) {
		stop := t.add(step.StopContainer{Target: target(container), Timeout: input.Timeout}, recovered[container.ID]...)
		for _, dependent := range needs.Dependents(container.Service) {
			t.follow(stop, t.stops[dependent]...)
		}
		t.stops[container.Service] = append(t.stops[container.Service], stop)
		t.note(End, container)
	})
	t.endProvided(input.Providers, provider.Stop)
	t.addHooks(newHooked(input.Project, input.State))
	return t.plan
}

// KillInput is what killing a project is planned from.
type KillInput struct {
	Name     string // of the project
	Project  *project.Project
	State    State
	Services []string // empty means all
	Signal   string   // empty means SIGKILL
	// OneOffs get the signal too.
	OneOffs bool
	// RemoveOrphans ends and removes containers of services that the file does not have.
	RemoveOrphans bool
}

// KillContainers plans that a project's running containers get a signal, all at once.
func KillContainers(input KillInput) *Plan {
	t := newEnding(TeardownInput{Name: input.Name, State: input.State, Services: input.Services, RemoveOrphans: true})
	t.Project = input.Project
	t.inOrder(t.dependencies(), func(container engine.Container) {
		orphan := !container.OneOff && t.isOrphan(container)
		if container.OneOff && !input.OneOffs || orphan && !input.RemoveOrphans {
			return
		}
		var killed []NodeID
		if container.Running() {
			killed = append(killed, t.add(step.KillContainer{Target: target(container), Signal: input.Signal}))
			t.note(End, container)
		}
		if orphan {
			t.add(step.RemoveContainer{Target: target(container)}, killed...)
			t.note(Remove, container)
		}
	})
	return t.plan
}

// RemoveInput is what removing a project's stopped containers is planned from.
type RemoveInput struct {
	Name     string // of the project
	Project  *project.Project
	State    State
	Services []string // empty means all
	// Stop stops and removes containers that run, too.
	Stop bool
	// Volumes removes the containers' anonymous volumes, with their data.
	Volumes bool
}

// RemoveContainers plans that containers that stand still are removed. One-offs and orphans stay.
func RemoveContainers(input RemoveInput) *Plan {
	t := newEnding(TeardownInput{
		Name: input.Name, Project: input.Project, State: input.State, Services: input.Services, RemoveVolumes: input.Volumes,
	})
	if !input.Stop {
		t.chosen = t.still(t.chosen, wantedPolicy(input.Project))
	}
	t.removeContainers()
	if input.Volumes {
		t.removeAnonymousVolumes()
	}
	t.removeFileVolumes()
	t.addHooks(newHooked(input.Project, input.State))
	return t.plan
}

// still are the containers that stand still, and go. Where one stays of a replacement that was cut short, that is finished or undone.
func (t *teardown) still(containers []engine.Container, wanted func(service string) (engine.RestartPolicy, bool)) []engine.Container {
	var staying []engine.Container // with what their replacements have left
	for _, one := range recoveries(containers) {
		if one.keep.Running() {
			staying = append(append(staying, one.keep), one.others...)
		}
	}
	_, _ = t.putRight(staying, wanted)
	return slices.DeleteFunc(containers, func(c engine.Container) bool {
		return c.Running() || slices.ContainsFunc(staying, func(other engine.Container) bool { return other.ID == c.ID })
	})
}

// newEnding begins the plan of an end of containers, or of a pause. One-offs are left alone where there is no kill, and orphans are not warned
// about: nothing that the project has stands in their way.
func newEnding(input TeardownInput) *teardown {
	t := &teardown{TeardownInput: input, builder: newBuilder(input.Name), stops: map[string][]NodeID{}}
	t.choose()
	t.plan.Warnings = nil
	return t
}

// inOrder plans an end of each chosen container, dependents first.
func (t *teardown) inOrder(needs *dag.Graph[string], end func(engine.Container)) {
	byService := t.byService()
	for _, service := range dependentsFirst(needs) {
		for _, container := range byService[service] {
			end(container)
		}
	}
}
