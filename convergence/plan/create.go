package plan

import (
	"slices"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// createMissing plans the new containers of a service: those that it lacks, and those that will replace others. They are made
// before anything is stopped, so that a request that the engine refuses harms nothing.
func (r *reconciler) createMissing(s *servicePlan) {
	var cleared []NodeID
	for _, container := range s.leftover {
		cleared = append(cleared, r.removeContainer(container))
	}
	for _, container := range s.obsolete {
		r.removeContainer(container)
	}
	r.openGroup(s)
	for _, one := range s.replicas {
		r.group, r.only = 0, conditional{}
		switch {
		case one.current == nil:
			one.create = []NodeID{r.create(s, one, one.name, cleared)}
		case one.renewed():
			one.create = []NodeID{r.create(s, one, one.newName(), cleared)}
		case one.replaced():
			r.group, r.only = s.group, one.only
			if one.resume == nil {
				one.create = []NodeID{r.create(s, one, one.newName(), cleared)}
			} else {
				one.create = r.fillAgain(s, *one.resume, nil)
			}
			r.creates[s.group] = append(r.creates[s.group], one.create...)
			r.undoDetach(s, one)
			r.undo(r.restore(s, one))
			r.undoFiles(s, one)
		default:
			r.keepName(one, cleared)
		}
		r.keepPolicy(s, one, cleared)
	}
	r.group, r.only = 0, conditional{}
}

// openGroup gives a service that is replaced its group: that of a service whose namespaces it shares, where that is replaced
// too, because they go forward and back together.
func (r *reconciler) openGroup(s *servicePlan) {
	if !slices.ContainsFunc(s.replicas, func(one *replica) bool { return one.replaced() && !one.renewed() }) {
		return
	}
	for _, sharing := range graph.SharedWith(r.Project, s.service) {
		if shared := r.services[sharing.Service]; shared != nil && shared.group > 0 {
			s.group = shared.group
			return
		}
	}
	r.beginGroup(s.service.Name)
	s.group = r.group
	r.endGroup()
}

func (r *reconciler) create(s *servicePlan, one *replica, name string, after []NodeID) NodeID {
	create := step.CreateContainer{
		Target:   step.Target{Name: name, Service: s.service.Name, Replica: one.number, Final: one.name},
		Request:  r.request(s, one, name),
		Fields:   s.fields,
		Written:  s.service,
		Replaces: one.current != nil,
	}
	if r.isOneOff(s.service.Name) {
		create.Request = r.oneOff.asOneOff(create.Request)
	}
	create.Shares, create.Renamed = r.shares(s.service)
	from, provided := r.providersOf(s.service)
	create.Provided = from
	id := r.add(create, after...)
	r.after(id, provided...)
	if name == one.name {
		r.follow(id, r.orphanRemovals...) // one of them may have the name
	}
	r.afterNeeds(id, s.service)
	for _, sharing := range graph.SharedWith(r.Project, s.service) {
		if shared := r.services[sharing.Service]; shared != nil && len(shared.replicas) > 0 {
			r.after(id, shared.replicas[0].create...)
		}
	}
	return r.fillNew(s, create.Target, id)
}

// shares are the containers whose namespaces or volumes a service shares, by service, and what those of them that are created
// under a temporary name are called in the end.
func (r *reconciler) shares(service project.Service) (shares, renamed map[string]string) {
	sharings := graph.SharedWith(r.Project, service)
	if len(sharings) == 0 {
		return nil, nil
	}
	shares, renamed = map[string]string{}, map[string]string{}
	for _, sharing := range sharings {
		name := r.firstContainer(sharing.Service)
		shares[sharing.Service] = name
		if shared := r.services[sharing.Service]; shared != nil && len(shared.replicas) > 0 && shared.replicas[0].replaced() {
			renamed[name] = shared.replicas[0].name
		}
	}
	return shares, renamed
}

// undoDetach brings the old container back into networks that the plan makes anew.
func (r *reconciler) undoDetach(s *servicePlan, one *replica) {
	for _, n := range r.madeAnew(*one.current) {
		r.undo(step.ConnectNetwork{Target: target(*one.current), Endpoint: r.endpointIn(n, s, one)})
	}
}

// restore is how a replacement is undone.
func (r *reconciler) restore(s *servicePlan, one *replica) step.Step {
	old := target(*one.current)
	old.Final = one.oldName()
	undo := step.RestoreContainer{
		Target: old, New: one.nameAtCreation(), NewFinal: one.name, Policy: r.oldPolicy(s, one),
		WasRunning: one.current.Running() || one.resume != nil,
	}
	if one.resume != nil {
		undo.New = one.resume.Name
	}
	return undo
}

// oldPolicy is the restart policy of the container that is replaced. What was observed tells; else the file's will do.
func (r *reconciler) oldPolicy(s *servicePlan, one *replica) engine.RestartPolicy {
	details, inspected := r.State.Details[one.current.ID]
	if inspected && one.resume == nil {
		return details.Restart
	}
	return filePolicy(s.service)
}

func filePolicy(service project.Service) engine.RestartPolicy {
	name, retries := project.RestartPolicy(service)
	if name == "" {
		name = project.RestartNo
	}
	return engine.RestartPolicy{Name: name, MaxRetries: retries}
}

// keepName gives a container that stays its final name back, where an interrupted replacement had taken it.
func (r *reconciler) keepName(one *replica, cleared []NodeID) {
	if project.IsTemporaryName(one.current.Name, one.name) {
		one.create = []NodeID{r.add(step.RenameContainer{Target: target(*one.current), To: one.name}, cleared...)}
	}
}

// keepPolicy gives a container that stays its restart policy back, where an interrupted replacement may have taken it. That comes before
// anything by which the next run can tell that there was one.
func (r *reconciler) keepPolicy(s *servicePlan, one *replica, cleared []NodeID) {
	if one.current == nil || one.replaced() && !one.maybe() {
		return
	}
	left := slices.ContainsFunc(s.leftover, func(c engine.Container) bool { return observedNumber(c) == one.number })
	if !left && !project.IsTemporaryName(one.current.Name, one.name) {
		return
	}
	r.group, r.only = 0, conditional{}
	policy := r.add(step.SetRestartPolicy{Target: target(*one.current), Policy: filePolicy(s.service)})
	for _, id := range cleared {
		r.after(id, policy)
	}
	if !one.maybe() {
		for _, id := range one.create {
			r.after(id, policy)
		}
	}
}

// removeContainer plans the end of a container and returns its last step.
func (r *reconciler) removeContainer(container engine.Container) NodeID {
	var after []NodeID
	if container.Running() {
		after = append(after, r.add(step.StopContainer{Target: target(container), Timeout: r.Policy.StopTimeout}))
	}
	id := r.add(step.RemoveContainer{Target: target(container)}, after...)
	r.removals = append(r.removals, id)
	return id
}
