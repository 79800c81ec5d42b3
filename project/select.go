package project

import (
	"maps"
	"slices"
)

// Narrow is a copy of the project with only the named services enabled, and those that they depend on unless noDeps says
// otherwise; without names it is the project as it is. A named service that its profiles disable is enabled, and what else
// has those profiles may then be depended on. The others are in DisabledServices. Dependencies on services that are not in the
// copy are dropped; networks, volumes, secrets and configs stay.
//
// The error is an [*UnknownServiceError].
func (p *Project) Narrow(services []string, noDeps bool) (*Project, error) {
	narrowed := *p
	if len(services) == 0 {
		return &narrowed, nil
	}
	for _, name := range services {
		_, enabled := p.Services[name]
		if _, disabled := p.DisabledServices[name]; !enabled && !disabled {
			return nil, &UnknownServiceError{Service: name, Suggestion: nearest(name, keys(p.AllServices()))}
		}
	}
	model, err := p.WithServicesEnabled(services...)
	if err != nil {
		return nil, err
	}
	chosen := map[string]bool{}
	for _, name := range services {
		choose(model, name, noDeps, chosen)
	}
	keep(model, chosen)
	narrowed.Model = model
	return &narrowed, nil
}

// choose adds a service and what it depends on.
func choose(model *Model, name string, alone bool, chosen map[string]bool) {
	service, ok := model.Services[name]
	if !ok || chosen[name] {
		return
	}
	chosen[name] = true
	if alone {
		return
	}
	for _, dependency := range slices.Sorted(maps.Keys(service.DependsOn)) {
		choose(model, dependency, alone, chosen)
	}
}

// keep disables the services that are not chosen. The model must be nobody else's.
func keep(model *Model, chosen map[string]bool) {
	if model.DisabledServices == nil {
		model.DisabledServices = Services{}
	}
	for name, service := range model.Services {
		if !chosen[name] {
			model.DisabledServices[name] = service
			delete(model.Services, name)
			continue
		}
		maps.DeleteFunc(service.DependsOn, func(dependency string, _ Dependency) bool { return !chosen[dependency] })
	}
}
