package plan

import (
	"slices"
	"strconv"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// OneOff is a container beside a service's replicas, for somebody's own command. The service is in the input's project as that is to have
// it, by [project.Project.WithOneOff].
type OneOff struct {
	Service string
	Slug    string
	// Volumes are the keys of external volumes that need not be there: the engine makes them.
	Volumes []string
	// UseAliases gives it the service's names in its networks; else it only has its own.
	UseAliases bool
	AutoRemove bool // by the engine, when it has ended
	Attached   bool // somebody attaches to it before it starts
	// ConsoleSize is that of its terminal, where it is known.
	ConsoleSize engine.Size
}

// RunOneOff plans what a one-off needs, as [Reconcile] does, and its creation, which comes when what it depends on is as its conditions
// ask for. Its start is the caller's: somebody may have to listen before. The containers that its service has stay as they are.
func RunOneOff(input Input, oneOff OneOff) (*Plan, error) {
	r := newReconciler(input)
	r.oneOff = &oneOff
	return r.reconcile()
}

// isOneOff says whether a service is there for the one-off only.
func (r *reconciler) isOneOff(service string) bool {
	return r.oneOff != nil && r.oneOff.Service == service
}

// isMadeByEngine says whether a volume that is not there is no problem.
func (r *reconciler) isMadeByEngine(volume string) bool {
	return r.oneOff != nil && slices.Contains(r.oneOff.Volumes, volume)
}

// decideOneOff gives the one-off its place; whatever the service has is left alone.
func (r *reconciler) decideOneOff(s *servicePlan) {
	name := s.service.ContainerName
	if name == "" {
		name = r.Project.OneOffName(s.service.Name, r.oneOff.Slug)
	}
	s.replicas = []*replica{{name: name}}
	r.leftAnyway = append(r.leftAnyway, r.existing[s.service.Name]...)
	delete(r.existing, s.service.Name)
}

// createOneOff plans the creation, after all that the one-off depends on.
func (r *reconciler) createOneOff(s *servicePlan) {
	g := r.gateOf(s)
	first := NodeID(len(r.plan.Nodes))
	one := s.replicas[0]
	one.create = []NodeID{r.create(s, one, one.name, g.must)}
	r.follow(first, g.may...)
}

// asOneOff makes a replica's request the one-off's.
func (o OneOff) asOneOff(request engine.CreateContainer) engine.CreateContainer {
	for _, label := range []string{project.LabelNumber, project.LabelDeploy, project.LabelHooks} {
		delete(request.Labels, label)
	}
	request.Labels[project.LabelOneOff], request.Labels[project.LabelSlug] = "True", o.Slug
	request.Labels[project.LabelWhy] = project.Why{Kind: string(Create), Reasons: []project.WhyReason{{Text: "a one-off, by `run`"}}}.Label()
	request.Attached, request.AutoRemove, request.ConsoleSize = o.Attached, o.AutoRemove, o.ConsoleSize
	if !o.UseAliases {
		for i := range request.Networks {
			request.Networks[i].Aliases = []string{request.Name}
		}
	}
	return request
}

// describeOneOff tells of it.
func (r *reconciler) describeOneOff(s *servicePlan) Change {
	command := s.service.Command
	change := Change{
		Kind: Create, Ref: graph.Service(s.service.Name), Note: "a one-off",
		Objects: []step.Object{{Kind: step.Container, Name: s.replicas[0].name}},
	}
	if len(command) > 0 {
		change.Note += " for " + strconv.Quote(command[0])
	}
	return change
}
