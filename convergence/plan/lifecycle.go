package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/graph/dag"
	"github.com/muster-dev/muster/project"
)

// LifecycleInput is what starting and restarting the containers that are there is planned from.
type LifecycleInput struct {
	Name string // of the project
	// Project is what the file says; nil where there is none: then the containers' labels tell what depends on what.
	Project *project.Project
	State   State
	// Unread is why what secrets and configs hold could not be read; it matters where a container may lack them.
	Unread error
	// Services limits it to these services, and to what has to come with them; empty means all.
	Services []string
	// NoDeps leaves out the services that a restart takes along (`depends_on.restart`).
	NoDeps      bool
	StopTimeout *time.Duration // nil leaves it to each container
	// Wait waits in the end until every service has reached its goal, for WaitTimeout at most (0: as long as it takes).
	Wait        bool
	WaitTimeout time.Duration
}

// StartContainers plans that the containers that are there and stand still are started, each once what its service depends on is as it
// asked for. What the named services depend on comes with them. Nothing is created, and changes of the file count for nothing.
//
// The error joins a [*Problem] for every service that has no container.
func StartContainers(input LifecycleInput) (*Plan, error) {
	l := newLifecycle(input)
	chosen := l.withDependencies()
	if err := l.check(chosen); err != nil {
		return nil, err
	}
	for _, service := range l.ordered(chosen) {
		l.startStill(service)
	}
	if len(l.problems) > 0 {
		return nil, errors.Join(l.problems...)
	}
	l.waitForAll()
	l.addHooks(newHooked(l.Project, l.State))
	return l.plan, nil
}

// RestartContainers plans that containers are stopped and started again: those of the named services, and of services that depend on them
// with `restart: true`. Dependents with that condition stop before and start after what they depend on; others are restarted
// once what they depend on is as they asked for. Containers that stand still are started.
//
// The error joins a [*Problem] for every service that has no container.
func RestartContainers(input LifecycleInput) (*Plan, error) {
	l := newLifecycle(input)
	chosen := l.withDependents()
	if err := l.check(chosen); err != nil {
		return nil, err
	}
	for _, service := range l.ordered(chosen) {
		l.restart(service)
	}
	if len(l.problems) > 0 {
		return nil, errors.Join(l.problems...)
	}
	l.addHooks(newHooked(l.Project, l.State))
	return l.plan, nil
}

// lifecycle is the planning of a start or restart.
type lifecycle struct {
	LifecycleInput
	*builder
	containers map[string][]engine.Container // by service, one-offs left out
	needs      *dag.Graph[string]
	deadline   *step.Deadline
	chosen     map[string]bool
	starts     map[string][]NodeID // by container ID
	stops      map[string][]NodeID // by service
	waits      map[waitKey][]NodeID
	standing   *reconciler // plans what the starts take; nil where there is no file
	problems   []error
	recovered  map[string][]NodeID // what comes before anything else is done to a container, by its ID
}

// waitKey is a container and the goal that somebody waits for.
type waitKey struct {
	container string
	goal      step.Goal
}

// putRight is the builder's, for all services: which one a run was cut short with is nobody's choice.
func (l *lifecycle) putRight(input LifecycleInput) {
	l.removeHelpers(input.State.Containers)
	l.State.Containers, l.recovered = l.builder.putRight(input.State.Containers, wantedPolicy(input.Project))
}

func newLifecycle(input LifecycleInput) *lifecycle {
	l := &lifecycle{
		LifecycleInput: input, builder: newBuilder(input.Name), containers: map[string][]engine.Container{},
		needs: dag.New(cmp.Compare[string]), chosen: map[string]bool{},
		starts: map[string][]NodeID{}, stops: map[string][]NodeID{}, waits: map[waitKey][]NodeID{},
	}
	l.putRight(input)
	if input.Project != nil {
		l.standing = newStanding(input.Project, l.State, l.builder)
	}
	if input.Wait && input.WaitTimeout > 0 {
		l.deadline = step.NewDeadline(input.WaitTimeout)
	}
	for _, container := range l.State.Containers {
		if !container.OneOff && container.Hook == "" {
			l.containers[container.Service] = append(l.containers[container.Service], container)
		}
	}
	for _, service := range l.services() {
		l.needs.Add(service)
	}
	for _, service := range l.services() {
		for name := range l.dependencies(service) {
			if l.needs.Has(name) {
				l.needs.Connect(service, name)
			}
		}
	}
	return l
}

// services are those of the file that are to have containers; without a file those that have some.
func (l *lifecycle) services() []string {
	if l.Project == nil {
		return sortedKeys(l.containers)
	}
	var names []string
	for _, name := range sortedKeys(l.Project.Services) {
		service := l.Project.Services[name]
		if service.GetScale() > 0 && !isProvided(service) || len(l.containers[name]) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// dependencies are what a service depends on: the file says, or the labels of its containers, which can say anything.
func (l *lifecycle) dependencies(service string) map[string]project.Dependency {
	if l.Project != nil {
		return l.Project.Services[service].DependsOn
	}
	needs := map[string]project.Dependency{}
	for _, container := range l.containers[service] {
		for name, dependency := range project.ParseDependsOnLabel(container.Labels[project.LabelDependsOn]) {
			if name != service {
				needs[name] = dependency
			}
		}
	}
	return needs
}

func (l *lifecycle) named() []string {
	if len(l.Services) == 0 {
		return l.services()
	}
	return slices.DeleteFunc(slices.Clone(l.Services), func(name string) bool { return !l.needs.Has(name) })
}

func (l *lifecycle) withDependencies() []string { return l.needs.Closure(l.named()...) }

// withDependents adds the services that want to be restarted with what they depend on, and theirs.
func (l *lifecycle) withDependents() []string {
	chosen := l.named()
	for i := 0; i < len(chosen) && !l.NoDeps; i++ {
		for _, dependent := range l.needs.Dependents(chosen[i]) {
			if l.dependencies(dependent)[chosen[i]].Restart && len(l.containers[dependent]) > 0 && !slices.Contains(chosen, dependent) {
				chosen = append(chosen, dependent)
			}
		}
	}
	return chosen
}

// ordered are the chosen services, each after what it depends on. Labels can say anything: in a circle the names' order counts.
func (l *lifecycle) ordered(chosen []string) []string {
	order, err := l.needs.Order()
	if err != nil {
		order = l.needs.Vertices()
	}
	for _, service := range chosen {
		l.chosen[service] = true
	}
	return slices.DeleteFunc(slices.Clone(order), func(service string) bool { return !l.chosen[service] })
}

// check says what has no container.
func (l *lifecycle) check(chosen []string) error {
	if len(l.containers) == 0 {
		return &Problem{
			Message: fmt.Sprintf("no container found for project %q: not found", l.Name), Try: "create them with `muster up`",
		}
	}
	var problems []error
	for _, service := range slices.Sorted(slices.Values(chosen)) {
		if len(l.containers[service]) > 0 {
			continue
		}
		problems = append(problems, &Problem{
			Ref: graph.Service(service), Message: fmt.Sprintf("service %q has no container to start", service),
			Try: "create it with `muster up " + service + "`",
		})
	}
	return errors.Join(problems...)
}

// startStill plans the start of a service's containers that stand still.
func (l *lifecycle) startStill(service string) {
	g := l.gateOf(service)
	g.must = append(g.must, l.hooksFirst(service, g)...)
	defer l.tellOfHooks(service)
	for _, container := range l.containers[service] {
		switch {
		case container.State == engine.StatePaused:
			l.warn(graph.Service(service), "container %s is paused and stays so; `muster unpause %s` lets it go on",
				container.Name, service)
		case isStill(container):
			l.startAfter(g, container)
		default:
			l.keep(graph.Service(service), step.Container, container.Name)
		}
	}
}

// startAfter adds the start of a container that stands still, behind its gate.
func (l *lifecycle) startAfter(g gate, container engine.Container) {
	files := l.filesFirst(container)
	start := l.start(container, step.StartContainer{Target: target(container)})
	l.after(start, slices.Concat(files, g.must)...)
	l.follow(start, g.may...)
	l.note(Start, container)
}

func (l *lifecycle) start(container engine.Container, start step.StartContainer) NodeID {
	id := l.add(start, l.recovered[container.ID]...)
	l.starts[container.ID] = append(l.starts[container.ID], id)
	return id
}

// gateOf collects what a service's dependencies have to reach before its containers start.
func (l *lifecycle) gateOf(service string) gate {
	var g gate
	dependencies := l.dependencies(service)
	for _, name := range sortedKeys(dependencies) {
		nodes := l.reached(name, dependencies[name])
		if dependencies[name].Required {
			g.must = append(g.must, nodes...)
		} else {
			g.may = append(g.may, nodes...)
		}
	}
	return g
}

// reached are the steps after which a dependency's containers are as its condition asks for.
func (l *lifecycle) reached(name string, dependency project.Dependency) []NodeID {
	var goal step.Goal
	switch dependency.Condition {
	case project.ConditionHealthy:
		goal = step.Healthy
	case project.ConditionCompleted:
		goal = step.Completed
	}
	var nodes []NodeID
	for _, container := range l.containers[name] {
		started := l.starts[container.ID]
		switch {
		case goal == step.Running:
			nodes = append(nodes, started...)
		case len(started) > 0 || !hasReached(container, goal):
			nodes = append(nodes, l.waitForOthers(container, goal, dependency.Required)...)
		}
	}
	return nodes
}

// waitForOthers plans one wait for a container and a goal, however many services wait for it. It is optional while nobody
// requires it.
func (l *lifecycle) waitForOthers(container engine.Container, goal step.Goal, required bool) []NodeID {
	key := waitKey{container.ID, goal}
	if _, planned := l.waits[key]; !planned {
		wait := l.wait(container, goal)
		wait.Dependency = true
		id := l.add(wait, l.starts[container.ID]...)
		l.plan.Nodes[id].Optional = !required
		l.waits[key] = []NodeID{id}
	}
	if required {
		l.plan.Nodes[l.waits[key][0]].Optional = false
	}
	return l.waits[key]
}

func (l *lifecycle) wait(container engine.Container, goal step.Goal) step.Wait {
	return step.Wait{
		Target: target(container), Goal: goal, Project: l.Name, Deadline: l.deadline,
	}
}

// restart plans that a service's containers stop and start again. One that ran is started come what may: it waits for what it
// depends on, but a failure of that is no reason to leave it stopped.
func (l *lifecycle) restart(service string) {
	before := l.stopsBefore(service)
	g := l.gateOf(service)
	for _, container := range l.containers[service] {
		if !container.Running() {
			l.startAfter(g, container)
			continue
		}
		stop := l.add(step.StopContainer{Target: target(container), Timeout: l.StopTimeout, Restart: true}, l.recovered[container.ID]...)
		for _, needed := range before {
			for _, stopped := range l.stops[needed] {
				l.follow(stopped, stop)
			}
		}
		l.stops[service] = append(l.stops[service], stop)
		start := l.start(container, step.StartContainer{Target: target(container), Again: true, Restart: true})
		if len(before) == 0 {
			l.after(start, stop)
			l.after(stop, g.must...)
			l.follow(stop, g.may...)
		} else {
			l.follow(start, stop)
			l.follow(start, g.must...)
			l.follow(start, g.may...)
		}
		l.note(Restart, container)
	}
}

// stopsBefore are restarted services that a service depends on with `restart: true`: it has to stop before them, and waits for
// nothing with that, because what it depends on may itself wait for them.
func (l *lifecycle) stopsBefore(service string) []string {
	var before []string
	dependencies := l.dependencies(service)
	for _, name := range sortedKeys(dependencies) {
		if dependencies[name].Restart && l.chosen[name] && len(l.stops[name]) > 0 {
			before = append(before, name)
		}
	}
	return before
}

// waitForAll plans that what was chosen has reached its goal, where the user asked for it: what others need completed is to be
// that, the rest ready, and still so a moment later.
func (l *lifecycle) waitForAll() {
	if !l.Wait {
		return
	}
	for _, service := range sortedKeys(l.chosen) {
		for _, container := range l.containers[service] {
			wait := l.wait(container, l.goalOf(service))
			if wait.Goal == step.Ready {
				wait.Steady = stands
			}
			l.add(wait, l.starts[container.ID]...)
		}
	}
}

func (l *lifecycle) goalOf(service string) step.Goal {
	for _, dependent := range l.needs.Dependents(service) {
		if l.dependencies(dependent)[service].Condition == project.ConditionCompleted {
			return step.Completed
		}
	}
	return step.Ready
}
