package plan

import (
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// commit is a replaced container that goes in the plan's last layer, once the new one has stood until then.
type commit struct {
	service *servicePlan
	one     *replica
}

// startReplacement plans that the new container of a replica takes over from the old one: the old one may not be restarted by
// the engine any more, stops and gives its name away; the new one gets the name first and starts then, because software
// resolves its own name. It returns what the service's next replica waits for.
func (r *reconciler) startReplacement(s *servicePlan, one *replica, g gate, before []NodeID) []NodeID {
	r.group, r.only = s.group, one.only
	defer func() { r.group, r.only = 0, conditional{} }()
	// None of those that go forward together is stopped before all new ones are made.
	stop := r.stopOld(s, one, r.creates[s.group])
	earlier := r.stopsBefore(s)
	for _, needed := range earlier {
		for _, stopped := range needed.stopped {
			r.after(stopped, stop)
		}
	}
	if s.together = len(earlier) > 0; !s.together {
		r.after(stop, g.must...)
		r.follow(stop, g.may...)
		r.after(stop, before...)
	}
	s.stopped = append(s.stopped, stop)

	named := r.exchangeNames(s, one, stop)
	start := r.addStart(s, one, step.StartContainer{Target: one.target(s.service.Name)}, named)
	r.after(start, g.must...)
	r.follow(start, g.may...)
	ready := r.add(step.Wait{
		Target: one.target(s.service.Name), Goal: step.Ready, Project: r.Project.Name,
		Fresh: true, Monitor: project.Monitor(s.service), Deadline: r.deadline,
	}, start)
	one.stands = []NodeID{ready}
	r.committing = append(r.committing, commit{s, one})
	if s.together {
		return nil
	}
	return []NodeID{ready}
}

// stopOld plans that the container that is replaced ends, and that the engine does not start it again meanwhile.
func (r *reconciler) stopOld(s *servicePlan, one *replica, after []NodeID) NodeID {
	old := target(*one.current)
	if policy := r.oldPolicy(s, one); policy.Name != project.RestartNo && policy.Name != "" {
		no := engine.RestartPolicy{Name: project.RestartNo}
		after = []NodeID{r.add(step.SetRestartPolicy{Target: old, Policy: no, Retires: true}, after...)}
	}
	return r.add(step.StopContainer{Target: old, Timeout: r.Policy.StopTimeout, Quiet: true}, after...)
}

// exchangeNames plans that the new container gets the name of the old one, and returns the last step of that.
func (r *reconciler) exchangeNames(s *servicePlan, one *replica, stop NodeID) []NodeID {
	named := []NodeID{stop}
	if one.current.Name == one.name {
		old := target(*one.current)
		named = []NodeID{r.add(step.RenameContainer{Target: old, To: project.RetiredName(old.ID, one.name), Retires: true}, named...)}
	}
	fresh := step.Target{Name: one.nameAtCreation(), Service: s.service.Name, Replica: one.number, Final: one.name}
	if one.resume != nil {
		fresh.ID, fresh.Name = one.resume.ID, one.resume.Name
	}
	if fresh.Name != one.name {
		named = []NodeID{r.add(step.RenameContainer{Target: fresh, To: one.name, Completes: true}, named...)}
	}
	return named
}

// renew plans that a new container takes the place of one that stands still. There is nothing to put back when it fails, and its
// log is wanted then, so it has no group.
func (r *reconciler) renew(s *servicePlan, one *replica, g gate) {
	start := r.addStart(s, one, step.StartContainer{Target: one.target(s.service.Name)}, []NodeID{r.takeName(s, one)})
	r.after(start, g.must...)
	r.follow(start, g.may...)
}

// replaceUnstarted plans that the new containers of a service take the places of the old ones without being started. The old ones
// go once the new ones have their names. What ran and stays runs on.
func (r *reconciler) replaceUnstarted(s *servicePlan) {
	for _, one := range s.replicas {
		switch {
		case one.renewed():
			r.takeName(s, one)
		case one.replaced():
			r.group, r.only = s.group, one.only
			named := r.exchangeNames(s, one, r.stopOld(s, one, r.creates[s.group]))
			id := r.add(step.RemoveContainer{Target: target(*one.current), Quiet: true}, named...)
			r.plan.Nodes[id].Commit = true
			r.removals = append(r.removals, id)
			r.group, r.only = 0, conditional{}
			r.otherwise(one, func() { r.keepUnstarted(s, one) })
		default:
			r.keepUnstarted(s, one)
		}
	}
}

// keepUnstarted brings a container that stays back to where it was, where the plan has to stop it or to take it out of a network.
func (r *reconciler) keepUnstarted(s *servicePlan, one *replica) {
	if one.current != nil && one.current.Running() {
		r.startAgain(s, one, gate{})
		return
	}
	r.filled(s, one)
	r.reattachKept(s, one)
}

// otherwise plans what is done for a container that is only replaced on a condition, when that is not met.
func (r *reconciler) otherwise(one *replica, keep func()) {
	if !one.maybe() {
		return
	}
	r.only = one.only.otherwise()
	keep()
	r.only = conditional{}
}

// takeName plans that a new container takes the name of one that stands still and goes.
func (r *reconciler) takeName(s *servicePlan, one *replica) NodeID {
	removed := r.add(step.RemoveContainer{Target: target(*one.current), Quiet: true}, one.create...)
	r.removals = append(r.removals, removed)
	fresh := step.Target{Name: one.nameAtCreation(), Service: s.service.Name, Replica: one.number, Final: one.name}
	named := removed
	if fresh.Name != one.name {
		named = r.add(step.RenameContainer{Target: fresh, To: one.name, Completes: true}, removed)
	}
	return named
}

// stopsBefore are services that are replaced and before which a service has to stop: those that it shares namespaces with, and
// those on which it depends with `restart: true`. Its replicas stop together then, and wait for nothing: what they depend on may
// itself wait for those services.
func (r *reconciler) stopsBefore(s *servicePlan) []*servicePlan {
	var later []*servicePlan
	for _, name := range sortedKeys(s.service.DependsOn) {
		needed := r.services[name]
		if needed == nil || len(needed.stopped) == 0 {
			continue
		}
		if s.service.DependsOn[name].Restart || needed.group == s.group && s.group > 0 {
			later = append(later, needed)
		}
	}
	return later
}

// proof is how long new containers have to run before the old ones go: no time where health checks tell all that time could.
func (r *reconciler) proof() time.Duration {
	for _, c := range r.committing {
		if !checksHealth(c.service.service) {
			return stands
		}
	}
	return 0
}

// commitReplacements plans the plan's last layer: each new container has to stand until everything has been started, and a moment
// longer where it has no health check; then the old ones go, a group's all together.
func (r *reconciler) commitReplacements() {
	if len(r.committing) == 0 {
		return
	}
	settled := r.add(step.Settle{For: r.proof()})
	r.follow(settled, r.starts...)
	stands := map[int][]NodeID{}
	for _, c := range r.committing {
		r.group, r.only = c.service.group, c.one.only
		id := r.add(step.Wait{
			Target: c.one.target(c.service.service.Name), Goal: step.Running, Project: r.Project.Name,
			Fresh: true,
		}, append([]NodeID{settled}, c.one.stands...)...)
		stands[r.group] = append(stands[r.group], id)
	}
	for _, c := range r.committing {
		r.group, r.only = c.service.group, c.one.only
		id := r.add(step.RemoveContainer{Target: target(*c.one.current), Quiet: true}, stands[r.group]...)
		r.plan.Nodes[id].Commit = true
		r.removals = append(r.removals, id)
	}
	r.group, r.only = 0, conditional{}
}
