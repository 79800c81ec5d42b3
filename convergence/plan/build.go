package plan

import (
	"errors"
	"slices"

	"github.com/muster-dev/muster/convergence/build"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// BuildPush says who brings images that were built to their registries.
type BuildPush uint8

// Who pushes.
const (
	// PushNothing leaves images where they are.
	PushNothing BuildPush = iota
	// PushByEngine has the engine push what was built.
	PushByEngine
	// PushByBuilder has a builder that is not the engine push, and not bring the image into the engine, unless another build needs it there.
	PushByBuilder
)

// BuildImages plans that the images of a project's services are built, each once however many services name it: at the same time,
// but for those that are build contexts of others (`additional_contexts: service:`), which come before them, enabled or not. Services
// without a build section are left out.
// Each is brought to its registry with all its tags once it is built, as push says, but for those that the file gives no name.
//
// The error joins a [*project.LoadError] for every build section with something wrong in it.
func BuildImages(p *project.Project, push BuildPush) (*Plan, error) {
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
		isNamed := service.Image != ""
		request.Push = push == PushByBuilder && isNamed && !isContext(services, name)
		planned[ref] = b.add(step.BuildImage{Reference: ref, Request: request})
		b.plan.Changes = append(b.plan.Changes, Change{
			Kind: Build, Ref: graph.Image(ref), Objects: []step.Object{{Kind: step.Image, Name: ref}}, Asked: true,
		})
		if push != PushNothing && isNamed && !request.Push {
			for _, id := range b.push(p, service, pushed) {
				b.after(id, planned[ref])
			}
		}
	}
	b.contextsFirst(p, services, planned)
	return b.plan, errors.Join(problems...)
}

// isContext says whether a build of one of the services reads the image of a service.
func isContext(services map[string]project.Service, name string) bool {
	for _, service := range services {
		if slices.Contains(project.BuildContexts(service), name) {
			return true
		}
	}
	return false
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
