package plan

import (
	"slices"
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
	if s.provided != nil {
		r.after(s.ready[0], g.must...)
		r.follow(s.ready[0], g.may...)
		return
	}
	g.must = append(g.must, r.preStart(s, g)...)
	var before []NodeID // what the next replacement waits for: replicas go one at a time
	for _, one := range s.replicas {
		switch {
		case one.renewed():
			r.renew(s, one, g)
		case one.replaced():
			before = r.startReplacement(s, one, g, before)
			r.otherwise(one, func() { r.startKept(s, one, g) })
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
	for _, sharing := range graph.SharedWith(r.Project, s.service) {
		if shared := r.services[sharing.Service]; shared != nil {
			g.must = append(g.must, shared.ready...)
		}
	}
	return g
}

// reached are the steps after which a dependency is as its condition asks for.
func (r *reconciler) reached(needed *servicePlan, dependency project.Dependency) []NodeID {
	var goal step.Goal
	switch {
	case isProvided(needed.service):
		return needed.ready
	case dependency.Condition == project.ConditionHealthy:
		goal = step.Healthy
	case dependency.Condition == project.ConditionCompleted:
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
	case len(one.stands) > 0 && goal == step.Healthy && checksHealth(s.service) && !one.maybe():
		return one.stands
	}
	wait := step.Wait{
		Target: one.target(s.service.Name), Goal: goal, Project: r.Project.Name,
		Dependency: true, Deadline: r.deadline,
	}
	return []NodeID{r.add(wait, one.started()...)}
}

// started are the steps after which a replica can be waited for.
func (r *replica) started() []NodeID {
	if r.maybe() {
		return slices.Concat(r.start, r.stands) // else it might be the old one that is looked at, on its way back
	}
	return r.start
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
		container := one.target(s.service.Name)
		if one.current != nil {
			container.ID = one.current.ID
		}
		start := r.addStart(s, one, step.StartContainer{Target: container}, slices.Concat(r.filled(s, one), r.reattachKept(s, one)))
		one.again = true
		r.after(start, g.must...)
		r.follow(start, g.may...)
	case one.current.State == engine.StatePaused && len(r.madeAnew(*one.current)) == 0:
		r.warn(graph.Service(s.service.Name), "container %s is paused and stays so; `muster unpause %s` lets it go on",
			one.name, s.service.Name)
	default:
		r.startAgain(s, one, g)
	}
}

// startAgain plans that a container that runs is stopped and started again, where the plan makes one of its networks anew or
// replaces something that it depends on with `restart: true`. It ran before, so it is started come what may.
func (r *reconciler) startAgain(s *servicePlan, one *replica, g gate) {
	if len(r.madeAnew(*one.current)) > 0 {
		one.again = true
		r.beginGroup(s.service.Name)
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
	if len(s.service.Ports) > 0 {
		r.follow(id, r.orphanRemovals...) // one of them may have the port
	}
	for _, port := range s.service.Ports {
		if strings.Contains(port.Published, "-") {
			r.follow(id, r.rangeStart...)
			r.rangeStart = []NodeID{id}
			break
		}
	}
	return id
}

// madeAnew are the networks out of which the plan takes a container to make them anew.
func (r *reconciler) madeAnew(container engine.Container) []*networkPlan {
	var networks []*networkPlan
	for _, key := range sortedKeys(r.networks) {
		if n := r.networks[key]; n.replaced && attached(container, n.current.ID, n.name) {
			networks = append(networks, n)
		}
	}
	return networks
}

// endpointIn is how a replica is attached to a network again: as its service says, or by its usual names where somebody else had
// attached it.
func (r *reconciler) endpointIn(n *networkPlan, s *servicePlan, one *replica) engine.Endpoint {
	for _, endpoint := range r.endpoints(s.service, one) {
		if endpoint.Network == n.name {
			return endpoint
		}
	}
	return r.oldEndpoint(*one.current, n.name)
}

// reattachKept brings a container that stays into networks that the plan makes anew. In an open group it is tried again when
// something fails.
func (r *reconciler) reattachKept(s *servicePlan, one *replica) []NodeID {
	if one.current == nil {
		return nil
	}
	var attach []NodeID
	for _, n := range r.madeAnew(*one.current) {
		connect := step.ConnectNetwork{Target: target(*one.current), Endpoint: r.endpointIn(n, s, one)}
		attach = append(attach, r.add(connect, n.ready...))
		if r.group > 0 {
			r.undo(connect)
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
	when := replacedWhen(replaced)
	if one.maybe() && !when.always() && when.when.String() == one.only.when.String() {
		return // then it is replaced itself
	}
	one.restart = true
	kept := r.only
	r.only = kept.and(when)
	defer func() { r.only = kept }()
	r.beginGroup(s.service.Name)
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

// replacedWhen is when a container of one of several services is replaced.
func replacedWhen(services []*servicePlan) conditional {
	var when conditional
	for _, s := range services {
		for _, one := range s.replicas {
			switch {
			case !one.replaced() || one.renewed():
			case !one.maybe():
				return conditional{}
			case when.always():
				when = one.only
			default:
				when = when.or(one.only)
			}
		}
	}
	return when
}
