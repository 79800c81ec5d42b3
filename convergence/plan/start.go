package plan

import (
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// gate is what has to be done before a container of a service may start.
type gate struct {
	must []NodeID // what it depends on
	may  []NodeID // what it waits for, whatever becomes of it: dependencies that are not required
}

// startService plans that a service's containers run, each as soon as what it depends on is as it asked for.
func (r *reconciler) startService(s *servicePlan) {
	g := r.gateOf(s)
	var before []NodeID // what the next replacement waits for: replicas go one at a time
	for _, one := range s.replicas {
		switch {
		case one.renewed():
			r.renew(s, one, g)
		case one.replaced():
			before = r.startReplacement(s, one, g, before)
		default:
			r.startKept(s, one, g)
		}
		s.ready = append(s.ready, one.start...)
	}
}

// gateOf collects what a service's dependencies have to reach.
func (r *reconciler) gateOf(s *servicePlan) gate {
	var g gate
	for _, name := range sortedKeys(s.service.DependsOn) {
		dependency, needed := s.service.DependsOn[name], r.services[name]
		if needed == nil {
			continue
		}
		nodes := r.reached(needed, dependency)
		if dependency.Required {
			g.must = append(g.must, nodes...)
		} else {
			g.may = append(g.may, nodes...)
		}
	}
	for _, sharing := range graph.SharedWith(s.service) {
		if shared := r.services[sharing.Service]; shared != nil {
			g.must = append(g.must, shared.ready...)
		}
	}
	return g
}

// reached are the steps after which a dependency is as its condition asks for.
func (r *reconciler) reached(needed *servicePlan, dependency project.Dependency) []NodeID {
	var goal step.Goal
	switch dependency.Condition {
	case project.ConditionHealthy:
		goal = step.Healthy
	case project.ConditionCompleted:
		goal = step.Completed
	default:
		return needed.ready
	}
	waits, planned := needed.waits[goal]
	if !planned {
		for _, one := range needed.replicas {
			waits = append(waits, r.waitFor(needed, one, goal)...)
		}
		needed.waits[goal] = waits
		for _, id := range waits {
			r.plan.Nodes[id].Optional = !dependency.Required && r.plan.Nodes[id].Group == 0
		}
	}
	if dependency.Required {
		for _, id := range waits {
			r.plan.Nodes[id].Optional = false
		}
	}
	return waits
}

// waitFor plans a wait for one replica, unless it is there already and nothing happens to it.
func (r *reconciler) waitFor(s *servicePlan, one *replica, goal step.Goal) []NodeID {
	switch {
	case len(one.start) == 0 && one.current != nil && hasReached(*one.current, goal):
		return nil
	case len(one.stands) > 0 && goal == step.Healthy && checksHealth(s.service):
		return one.stands
	}
	wait := step.Wait{
		Target: one.target(s.service.Name), Goal: goal, Project: r.Project.Name,
		Dependency: true, Restarts: project.Restarts(s.service), Deadline: r.deadline,
	}
	return []NodeID{r.add(wait, one.start...)}
}

// checksHealth says whether the file gives the service a health check; an image may have one, too.
func checksHealth(service project.Service) bool {
	return service.HealthCheck != nil && !service.HealthCheck.Disable
}

// hasReached judges by what a list tells.
func hasReached(container engine.Container, goal step.Goal) bool {
	switch goal {
	case step.Completed:
		return container.State == engine.StateExited && container.ExitCode == 0
	case step.Healthy:
		return container.State == engine.StateRunning && container.Health == engine.HealthHealthy
	case step.Ready:
		return container.State == engine.StateRunning &&
			(container.Health == engine.HealthHealthy || container.Health == engine.HealthNone)
	}
	return container.State == engine.StateRunning
}

// startKept plans the start of a container that was just created, that stands still, or that has to be started again because
// something that it depends on is replaced.
func (r *reconciler) startKept(s *servicePlan, one *replica, g gate) {
	switch {
	case one.current == nil || isStill(*one.current):
		start := r.addStart(s, one, step.StartContainer{Target: one.target(s.service.Name)}, append(one.create, r.reattachKept(s, one)...))
		r.after(start, g.must...)
		r.follow(start, g.may...)
	case one.current.State == engine.StatePaused:
		r.warn(graph.Service(s.service.Name), "container %s is paused and stays so; `docker unpause %s` lets it go on",
			one.name, one.name)
	default:
		r.startAgain(s, one, g)
	}
}

// startAgain plans that a container that runs is stopped and started again, where the plan makes one of its networks anew or
// replaces something that it depends on with `restart: true`. It ran before, so it is started come what may.
func (r *reconciler) startAgain(s *servicePlan, one *replica, g gate) {
	if r.detached(s, one) {
		r.beginGroup(s.service.Name, nil)
		start := r.addStart(s, one, step.StartContainer{Target: target(*one.current), Again: true}, nil)
		r.follow(start, r.reattachKept(s, one)...)
		r.follow(start, g.must...)
		r.follow(start, g.may...)
		r.undo(step.StartContainer{Target: target(*one.current), Again: true})
		r.endGroup()
		return
	}
	r.restartWithDependencies(s, one, g)
}

func isStill(container engine.Container) bool {
	return container.State == engine.StateCreated || container.State == engine.StateExited
}

// addStart adds a start. Starts of containers with published port ranges come one after the other: the engine picks a port of
// a range and takes it in two steps.
func (r *reconciler) addStart(s *servicePlan, one *replica, start step.StartContainer, after []NodeID) NodeID {
	id := r.add(start, after...)
	one.start = append(one.start, id)
	r.starts = append(r.starts, id)
	for _, port := range s.service.Ports {
		if strings.Contains(port.Published, "-") {
			r.follow(id, r.rangeStart...)
			r.rangeStart = []NodeID{id}
			break
		}
	}
	return id
}

// detached says whether the plan takes a container out of a network to make that anew.
func (r *reconciler) detached(s *servicePlan, one *replica) bool {
	for key := range s.service.Networks {
		if n := r.networks[key]; n.replaced && attached(*one.current, n.current.ID, n.name) {
			return true
		}
	}
	return false
}

// reattachKept brings a container that stays into networks that the plan makes anew. In an open group it is tried again when
// something fails.
func (r *reconciler) reattachKept(s *servicePlan, one *replica) []NodeID {
	if one.current == nil {
		return nil
	}
	var attach []NodeID
	for _, endpoint := range r.endpoints(s.service, one) {
		for _, key := range sortedKeys(s.service.Networks) {
			n := r.networks[key]
			if !n.replaced || n.name != endpoint.Network || !attached(*one.current, n.current.ID, n.name) {
				continue
			}
			connect := step.ConnectNetwork{Target: target(*one.current), Endpoint: endpoint}
			attach = append(attach, r.add(connect, n.ready...))
			if r.group > 0 {
				r.undo(connect)
			}
		}
	}
	return attach
}

// restartWithDependencies stops and starts a running container where it asked for that (`depends_on.restart`) and what it
// depends on is replaced. The stop comes before that is stopped, the start after it is as the condition asks for.
func (r *reconciler) restartWithDependencies(s *servicePlan, one *replica, g gate) {
	var replaced []*servicePlan
	for _, name := range sortedKeys(s.service.DependsOn) {
		if needed := r.services[name]; s.service.DependsOn[name].Restart && needed != nil && len(needed.stopped) > 0 {
			replaced = append(replaced, needed)
		}
	}
	if len(replaced) == 0 {
		return
	}
	one.restart = true
	if r.group = r.conditionalGroup(replaced[0]); r.group == 0 {
		r.beginGroup(s.service.Name, nil)
	}
	again := step.StartContainer{Target: target(*one.current), Again: true}
	r.undo(again)
	stop := r.add(step.StopContainer{Target: target(*one.current), Timeout: r.Policy.StopTimeout})
	start := r.addStart(s, one, again, nil)
	r.follow(start, stop)
	r.endGroup()
	for _, needed := range replaced {
		for _, stopped := range needed.stopped {
			r.follow(stopped, stop)
		}
		r.follow(start, r.reached(needed, s.service.DependsOn[needed.service.Name])...)
	}
	r.follow(start, g.must...)
	r.follow(start, g.may...)
}

// conditionalGroup is the group of a service that is only replaced on a condition: what goes with it has the same one.
func (r *reconciler) conditionalGroup(s *servicePlan) int {
	if s.group > 0 && r.plan.Groups[s.group-1].When != nil {
		return s.group
	}
	return 0
}
