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
		for _, ref := range slices.Concat([]string{input.Project.ImageName(service)}, service.Build.Tags) {
			ref = project.FamiliarImage(ref)
			if planned[ref] || strings.Contains(ref, "@") { // what has a digest is there already
				continue
			}
			planned[ref] = true
			id := b.add(step.PushImage{Reference: ref, Service: name})
			b.plan.Nodes[id].Optional = input.IgnoreFailures
			b.plan.Changes = append(b.plan.Changes, Change{
				Kind: Push, Ref: graph.Image(ref), Objects: []step.Object{{Kind: step.Image, Name: ref}},
			})
		}
	}
	return b.plan
}
