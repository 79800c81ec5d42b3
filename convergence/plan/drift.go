package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// reasons are why a container is to be replaced; none when it may stay.
func (r *reconciler) reasons(s *servicePlan, container engine.Container) []Reason {
	if r.Policy.Recreate == RecreateNone {
		return nil
	}
	var reasons []Reason
	switch isTarget := r.Policy.targets(s.service.Name); {
	case r.Policy.RenewAnonymousVolumes && isTarget:
		reasons = append(reasons, Reason{Text: "asked for (--renew-anon-volumes)"})
	case r.Policy.Recreate == RecreateAll && isTarget:
		reasons = append(reasons, Reason{Text: "asked for (--force-recreate)"})
	case r.Policy.RecreateDependencies && !isTarget:
		reasons = append(reasons, Reason{Text: "asked for (--always-recreate-deps)"})
	}
	reasons = append(reasons, r.fingerprintReasons(s, container)...)
	if !slices.ContainsFunc(reasons, func(reason Reason) bool { return reason.Path == "image" }) {
		reasons = append(reasons, r.imageReason(s.service, container)...)
	}
	if len(reasons) == 0 {
		reasons = r.attachmentReasons(s.service, container)
	}
	if container.State == engine.StateDead {
		reasons = append(reasons, Reason{Text: "the engine could not remove it completely (state dead)"})
	}
	r.fillOldValues(reasons, container.ID)
	return reasons
}

// fingerprintReasons are the fields that differ from what the container was made from: by its fingerprint alone where it has
// one, else by docker compose's hash.
func (r *reconciler) fingerprintReasons(s *servicePlan, container engine.Container) []Reason {
	reasons := labelReasons(container.Labels, r.wantedFields(s), func() (string, error) { return s.hash, nil })
	if differences, compared := r.State.Differences[container.ID]; compared && slices.ContainsFunc(reasons, isUnproven) {
		reasons = s.differenceReasons(r.withoutProvidedVariables(differences, s.service))
	}
	for i, reason := range reasons {
		if service, ok := strings.CutPrefix(reason.Path, step.SharesField("")); ok {
			reasons[i] = Reason{Text: "shares with a container of " + service + " that is not there any more"}
		}
	}
	nameFiles(reasons, s.service)
	return r.withoutProvided(reasons, s.service, container)
}

// isUnproven says of a reason that it is a hash alone.
func isUnproven(reason Reason) bool { return reason.Text == hashDiffers }

// differenceReasons are what a container was made with otherwise. Values of variables are left to who inspects the container.
func (s *servicePlan) differenceReasons(differences []engine.Difference) []Reason {
	reasons := make([]Reason, len(differences))
	for i, d := range differences {
		change := project.Change{Path: d.Path, Old: d.Made, New: d.Wanted, Added: d.Added, Removed: d.Removed}
		field := s.fields[d.Path]
		if strings.HasPrefix(d.Path, "environment.") {
			change.Old, change.Sensitive = "", true
		}
		if change.Hidden = field.Hidden; change.Hidden {
			change.Old, change.New = "", ""
		}
		reasons[i] = Reason{Change: change}
	}
	return reasons
}

// compareUnproven asks for the comparisons that are open.
func (r *reconciler) compareUnproven(order []string) {
	for _, name := range order {
		s := r.services[name]
		for _, one := range s.unproven {
			r.plan.Comparisons = append(r.plan.Comparisons, Comparison{one.current.ID, r.requestAsCompose(s, one)})
		}
	}
}

// requestAsCompose is what docker compose would create in the place of a container if nothing else changed: without volumes taken over,
// with the containers shared that are there, and with files of the host mounted where Muster copies them for their owner and mode.
func (r *reconciler) requestAsCompose(s *servicePlan, one *replica) engine.CreateContainer {
	afresh := &replica{number: one.number, name: one.name}
	request := r.request(s, afresh, one.name)
	r.share(&request, s.service, func(service string) string {
		if shared := r.services[service]; shared != nil && len(shared.replicas) > 0 {
			return cmp.Or(shared.replicas[0].lastingID(), service)
		}
		return service
	})
	var files []project.Mount
	for _, one := range s.files {
		if one.source != "" {
			files = append(files, fileMount(one.source, one.Path))
		}
	}
	request.Mounts = r.mounts(s, afresh, files)
	return request
}

// wantedFields are a service's fields, and the containers whose namespaces or volumes it shares, where those stay: one of them
// that was made anew leaves who shared it with nothing.
func (r *reconciler) wantedFields(s *servicePlan) project.Fields {
	ids := r.sharedIDs(s.service)
	if len(ids) == 0 {
		return s.fields
	}
	fields := maps.Clone(s.fields)
	for service, id := range ids {
		fields[step.SharesField(service)] = project.Field{Value: id}
	}
	return fields
}

// sharedIDs are the containers that are there and whose namespaces or volumes a service shares, by service.
func (r *reconciler) sharedIDs(service project.Service) map[string]string {
	ids := map[string]string{}
	for _, sharing := range graph.SharedWith(r.Project, service) {
		shared := r.services[sharing.Service]
		if shared == nil || len(shared.replicas) == 0 {
			continue
		}
		if id := shared.replicas[0].lastingID(); id != "" {
			ids[sharing.Service] = id
		}
	}
	return ids
}

// lastingID is the ID that a replica's container has, where the plan does not create the only one that it will have.
func (r *replica) lastingID() string {
	switch {
	case r.resume != nil:
		return r.resume.ID
	case r.current != nil:
		return r.current.ID
	}
	return ""
}

// attachmentReasons are networks of the service that a container is not attached to, because they were made anew by somebody
// else. A network that this plan makes anew is attached again instead.
func (r *reconciler) attachmentReasons(service project.Service, container engine.Container) []Reason {
	if service.NetworkMode != "" {
		return nil
	}
	var reasons []Reason
	for _, key := range sortedKeys(service.Networks) {
		n := r.networks[key]
		if n == nil || n.current != nil && attached(container, n.current.ID, n.name) {
			continue
		}
		reasons = append(reasons, Reason{Text: "not attached to network " + n.name})
	}
	return reasons
}

// fillOldValues puts in the old values of environment variables where the container was inspected. A value whose name says
// that it is secret stays unknown.
func (r *reconciler) fillOldValues(reasons []Reason, containerID string) {
	details, inspected := r.State.Details[containerID]
	for i := range reasons {
		reason := &reasons[i]
		name, isVariable := strings.CutPrefix(reason.Path, "environment.")
		switch {
		case !reason.Sensitive:
		case !isVariable || project.LooksSecret(name, reason.New) || project.LooksSecret(name, details.Environment[name]):
			reason.Old, reason.New, reason.Added, reason.Removed = "", "", false, false
		case inspected && !reason.Added:
			reason.Old = details.Environment[name]
		}
	}
}

// spreadReplacement replaces what shares the namespaces or volumes of a container that is replaced: it would go on sharing the
// old one's.
func (r *reconciler) spreadReplacement(order []string) {
	if r.Policy.Recreate == RecreateNone {
		return
	}
	for _, name := range order {
		s := r.services[name]
		for _, sharing := range graph.SharedWith(r.Project, s.service) {
			shared := r.services[sharing.Service]
			if shared == nil || len(shared.replicas) == 0 {
				continue
			}
			for _, one := range s.replicas {
				one.goWith(shared.replicas[0], sharing)
				s.forsake(one, shared.replicas[0])
			}
		}
	}
}

// forsake has a new container go that an interrupted run has left, where it shares with one that goes.
func (s *servicePlan) forsake(one, shared *replica) {
	if one.resume != nil && shared.replaced() && shared.resume == nil {
		s.leftover = append(s.leftover, *one.resume)
		one.resume = nil
	}
}

// goWith replaces a replica that exists with the one that it shares with.
func (r *replica) goWith(shared *replica, sharing graph.Sharing) {
	switch {
	case r.current == nil || len(r.reasons) > 0:
	case shared.maybe() && !r.only.always():
		r.only = r.only.or(shared.only)
	case shared.maybe():
		r.only = shared.only
	case shared.current == nil || shared.replaced():
		r.reasons = []Reason{{Text: "shares " + sharing.Key + " of " + sharing.Service + ", which is replaced"}}
	}
}
