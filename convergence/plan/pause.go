package plan

import (
	"slices"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// PauseInput is what freezing a project, and letting it go on, is planned from.
type PauseInput struct {
	Name string // of the project
	// Project is what the file says; nil where there is none. It only tells orphans apart, which are left alone.
	Project  *project.Project
	State    State
	Services []string // empty means all
}

// PauseContainers plans that containers that run are frozen, each after those that depend on it: none waits for one that is frozen.
// One-offs are left alone, and so is what stands still or waits for its restart.
func PauseContainers(input PauseInput) *Plan {
	t := input.choose(engine.StateRunning)
	needs := t.dependencies()
	t.inOrder(needs, func(container engine.Container) {
		pause := t.add(step.PauseContainer{Target: target(container)})
		for _, dependent := range needs.Dependents(container.Service) {
			t.follow(pause, t.stops[dependent]...)
		}
		t.stops[container.Service] = append(t.stops[container.Service], pause)
		t.note(Pause, container)
	})
	return t.plan
}

// UnpauseContainers plans that frozen containers go on, each after what it depends on.
func UnpauseContainers(input PauseInput) *Plan {
	t := input.choose(engine.StatePaused)
	needs := t.dependencies()
	order := dependentsFirst(needs)
	slices.Reverse(order)
	containers := t.byService()
	for _, service := range order {
		for _, container := range containers[service] {
			unpause := t.add(step.UnpauseContainer{Target: target(container)})
			for _, needed := range needs.Deps(service) {
				t.follow(unpause, t.stops[needed]...)
			}
			t.stops[service] = append(t.stops[service], unpause)
			t.note(Unpause, container)
		}
	}
	return t.plan
}

// choose takes the containers in a state.
func (i PauseInput) choose(state engine.State) *teardown {
	t := newEnding(TeardownInput{Name: i.Name, Project: i.Project, State: i.State, Services: i.Services})
	t.chosen = slices.DeleteFunc(t.chosen, func(c engine.Container) bool { return c.State != state })
	return t
}
