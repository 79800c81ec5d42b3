package plan

import (
	"errors"

	"github.com/muster-dev/muster/convergence/build"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// BuildImages plans that the images of a project's services are built, each once however many services name it, and all at the
// same time: no image is made from another one. Services without a build section are left out.
//
// The error joins a [*project.LoadError] for every build section with something wrong in it.
func BuildImages(p *project.Project) (*Plan, error) {
	b := newBuilder(p.Name)
	planned := map[string]bool{}
	var problems []error
	for _, name := range sortedKeys(p.Services) {
		service := p.Services[name]
		ref := p.ImageName(service)
		if service.Build == nil || planned[ref] {
			continue
		}
		planned[ref] = true
		request, err := build.Request(p, service)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		b.add(step.BuildImage{Reference: ref, Request: request})
		b.plan.Changes = append(b.plan.Changes, Change{
			Kind: Build, Ref: graph.Image(ref), Objects: []step.Object{{Kind: step.Image, Name: ref}}, Asked: true,
		})
	}
	return b.plan, errors.Join(problems...)
}
