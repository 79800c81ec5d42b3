package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/provider"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// planProvider plans that the program of a provider service is asked to bring it up, as at every `up`: only it knows whether there is
// something to do.
func (r *reconciler) planProvider(service project.Service) {
	s := &servicePlan{service: service, waits: map[step.Goal][]NodeID{}, provided: step.NewProvided(service.Name)}
	r.services[service.Name] = s
	s.obsolete = slices.Clone(r.existing[service.Name])
	s.ready = []NodeID{r.add(step.RunProvider{
		Call: call(r.Project.Name, service, provider.Up), Runner: r.Providers, Provided: s.provided,
	})}
}

func call(projectName string, service project.Service, command provider.Command) provider.Call {
	return provider.Call{
		Project: projectName, Service: service.Name, Type: service.Provider.Type,
		Options: service.Provider.Options, Command: command,
	}
}

// providersOf are what the providers that a service depends on will give it, and the steps after which that is known.
func (r *reconciler) providersOf(service project.Service) (from []*step.Provided, after []NodeID) {
	for _, name := range sortedKeys(service.DependsOn) {
		if needed := r.services[name]; needed != nil && needed.provided != nil {
			from, after = append(from, needed.provided), append(after, needed.ready...)
		}
	}
	return from, after
}

// otherwiseProvided is the condition on which a container is replaced because providers give other variables than it was made with. Only
// a fingerprint tells those.
func (r *reconciler) otherwiseProvided(service project.Service, container engine.Container) conditional {
	from, after := r.providersOf(service)
	fingerprint, err := project.OpenFingerprint(container.Labels[project.LabelSpec])
	if len(from) == 0 || err != nil {
		return conditional{}
	}
	return conditional{step.ProvidedChanged{Was: fingerprint, From: from}, after}
}

// withoutProvided leaves out the reasons that only a provider can tell: one that is depended on will, or one that was left out of the
// project could have. A container that docker compose made has the variables among its own.
func (r *reconciler) withoutProvided(reasons []Reason, service project.Service, container engine.Container) []Reason {
	from, _ := r.providersOf(service)
	leftOut := slices.ContainsFunc(slices.Collect(maps.Values(r.Project.DisabledServices)), isProvided)
	if len(from) == 0 && !leftOut {
		return reasons
	}
	isForeign := container.Labels[project.LabelSpec] == ""
	return slices.DeleteFunc(reasons, func(reason Reason) bool {
		return strings.HasPrefix(reason.Path, step.ProvidedField("")) || isForeign && reason.Removed && r.isProvidedVariable(reason.Path, service)
	})
}

// isProvidedVariable says whether a field is a variable as the providers that a service depends on give them.
func (r *reconciler) isProvidedVariable(path string, service project.Service) bool {
	return slices.ContainsFunc(sortedKeys(service.DependsOn), func(name string) bool {
		needed := r.services[name]
		return needed != nil && needed.provided != nil && strings.HasPrefix(path, "environment."+strings.ToUpper(name)+"_")
	})
}

// withoutProvidedVariables leaves out the variables that a container of docker compose's has from a provider: the file does not say them.
func (r *reconciler) withoutProvidedVariables(differences []engine.Difference, service project.Service) []engine.Difference {
	return slices.DeleteFunc(slices.Clone(differences), func(d engine.Difference) bool {
		return d.Removed && slices.ContainsFunc(sortedKeys(service.DependsOn), func(name string) bool {
			needed := r.services[name]
			return needed != nil && needed.provided != nil && strings.HasPrefix(d.Path, "environment."+provider.Prefix(name))
		})
	})
}

func isProvided(service project.Service) bool { return service.Provider != nil }

// describeProvider tells of a provider service.
func (s *servicePlan) describeProvider() Change {
	return Change{
		Kind: Provide, Ref: graph.Service(s.service.Name), Objects: []step.Object{{Kind: step.Provider, Name: s.service.Name}},
		Reasons: []Reason{{Text: "its provider " + s.service.Provider.Type + " is asked at every up"}},
	}
}

// endProvided plans that provider services end, after all else that does: others may have used them until then.
func (t *teardown) endProvided(runner provider.Runner, command provider.Command) {
	if t.Project == nil || runner == nil {
		return
	}
	before := make([]NodeID, len(t.plan.Nodes))
	for i := range before {
		before[i] = NodeID(i)
	}
	for _, name := range sortedKeys(t.Project.Services) {
		service := t.Project.Services[name]
		if !isProvided(service) || !t.names(name) {
			continue
		}
		id := t.add(step.RunProvider{Call: call(t.Name, service, command), Runner: runner})
		t.follow(id, before...)
		if command == provider.Down {
			t.plan.Changes = append(t.plan.Changes, Change{
				Kind: Remove, Ref: graph.Service(name), Objects: []step.Object{{Kind: step.Provider, Name: name}},
				Reasons: []Reason{{Text: "by its provider " + service.Provider.Type}},
			})
		}
	}
}
