package plan

import (
	"errors"

	"github.com/muster-dev/muster/convergence/build"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// BuildImages plans that the images of a project's services are built, each once however many services name it: at the same time,
// but for those that are build contexts of others (`additional_contexts: service:`), which come before them, enabled or not. Services
// without a build section are left out.
// With push, each is brought to its registry with all its tags once it is built, but for those that the file gives no name.
//
// The error joins a [*project.LoadError] for every build section with something wrong in it.
func BuildImages(p *project.Project, push bool) (*Plan, error) {
	b := newBuilder(p.Name)
	planned, pushed := map[string]NodeID{}, map[string]bool{}
	var problems []error
	services := p.BuiltServices()
	for _, name := range sortedKeys(services) {
		service := services[name]
		ref := p.ImageName(service)
		if _, ok := planned[ref]; ok {
			continue
		}
		request, err := build.Request(p, service)
		if err != nil {
			problems = append(problems, err)
		}
		planned[ref] = b.add(step.BuildImage{Reference: ref, Request: request})
		b.plan.Changes = append(b.plan.Changes, Change{
			Kind: Build, Ref: graph.Image(ref), Objects: []step.Object{{Kind: step.Image, Name: ref}}, Asked: true,
		})
		if push && service.Image != "" {
			for _, id := range b.push(p, service, pushed) {
				b.after(id, planned[ref])
			}
		}
	}
	b.contextsFirst(p, services, planned)
	return b.plan, errors.Join(problems...)
}

// contextsFirst orders the builds of services after those of the services that are their contexts.
func (b *builder) contextsFirst(p *project.Project, services map[string]project.Service, planned map[string]NodeID) {
	for _, service := range services {
		for _, name := range project.BuildContexts(service) {
			if before, isPlanned := planned[p.ImageName(p.AllServices()[name])]; isPlanned {
				b.after(planned[p.ImageName(service)], before)
			}
		}
	}
}
