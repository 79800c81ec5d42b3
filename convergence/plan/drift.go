package plan

import (
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
	for i, reason := range reasons {
		if service, ok := strings.CutPrefix(reason.Path, step.SharesField("")); ok {
			reasons[i] = Reason{Text: "shares with a container of " + service + " that is not there any more"}
		}
	}
	nameFiles(reasons, s.service)
	return reasons
}

// wantedFields are a service's fields, and the containers whose namespaces or volumes it shares, where those stay: one of them
// that was made anew leaves who shared it with nothing.
func (r *reconciler) wantedFields(s *servicePlan) project.Fields {
	fields := s.fields
	for _, sharing := range graph.SharedWith(r.Project, s.service) {
		shared := r.services[sharing.Service]
		if shared == nil || len(shared.replicas) == 0 {
			continue
		}
		id := shared.replicas[0].lastingID()
		if id == "" {
			continue
		}
		if len(fields) == len(s.fields) {
			fields = maps.Clone(s.fields)
		}
		fields[step.SharesField(sharing.Service)] = project.Field{Value: id}
	}
	return fields
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
			}
		}
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
