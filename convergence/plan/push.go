package plan

import (
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// PushInput is what pushing a project's images is planned from.
type PushInput struct {
	Project *project.Project // narrowed to the services that count
	// IgnoreFailures makes every failure a warning.
	IgnoreFailures bool
}

// PushImages plans that the images that services build, and name, are brought to their registries with all their tags, each once
// however many services have it. Other services are told of as skipped.
func PushImages(input PushInput) *Plan {
	b := newBuilder(input.Project.Name)
	planned := map[string]bool{}
	for _, name := range sortedKeys(input.Project.Services) {
		service := input.Project.Services[name]
		if service.Build == nil || service.Image == "" {
			b.plan.Unchanged = append(b.plan.Unchanged, Kept{Ref: graph.Service(name), Object: step.Object{Name: name}, Skipped: true})
			continue
		}
		for _, id := range b.push(input.Project, service, planned) {
			b.plan.Nodes[id].Optional = input.IgnoreFailures
		}
	}
	return b.plan
}

// push plans that a service's image is brought to its registry with all its tags, but for those that are planned already.
func (b *builder) push(p *project.Project, service project.Service, planned map[string]bool) (pushes []NodeID) {
	for _, ref := range slices.Concat([]string{p.ImageName(service)}, service.Build.Tags) {
		ref = project.FamiliarImage(ref)
		if planned[ref] || strings.Contains(ref, "@") { // what has a digest is there already
			continue
		}
		planned[ref] = true
		pushes = append(pushes, b.add(step.PushImage{Reference: ref, Service: service.Name}))
		b.plan.Changes = append(b.plan.Changes, Change{
			Kind: Push, Ref: graph.Image(ref), Objects: []step.Object{{Kind: step.Image, Name: ref}},
		})
	}
	return pushes
}
