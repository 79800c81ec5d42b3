package plan

import (
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// PullInput is what pulling a project's images is planned from.
type PullInput struct {
	Project *project.Project // narrowed to the services that count
	State   State            // only its images
	// Policy is always or missing for all services; empty leaves each its own, and what says nothing is pulled always.
	Policy string
	// IgnoreBuildable leaves out images that can be built.
	IgnoreBuildable bool
	// IgnoreFailures makes every failure a warning. Without it only those of images that can be built are.
	IgnoreFailures bool
}

// PullImages plans that images are brought, each once however many services use it. What is not pulled is told, with why.
func PullImages(input PullInput) *Plan {
	b := newBuilder(input.Project.Name)
	pulls := map[string]NodeID{}
	for _, service := range input.pulled() {
		ref := input.Project.ImageName(service)
		if reason, skipped := input.skips(service, ref); skipped {
			b.plan.Unchanged = append(b.plan.Unchanged, Kept{
				Ref: graph.Image(ref), Object: step.Object{Kind: step.Image, Name: ref}, Skipped: true, Reason: reason,
			})
			continue
		}
		id, planned := pulls[ref]
		if !planned {
			id = b.add(step.PullImage{Reference: ref, Platform: input.Project.PlatformOf(service)})
			pulls[ref] = id
			b.plan.Nodes[id].Optional = true
			b.plan.Changes = append(b.plan.Changes, Change{
				Kind: Pull, Ref: graph.Image(ref), Objects: []step.Object{{Kind: step.Image, Name: ref}}, Asked: true,
			})
		}
		if service.Build == nil && !input.IgnoreFailures {
			b.plan.Nodes[id].Optional = false
		}
	}
	return b.plan
}

// pulled are the services whose images are pulled, and the pre_start hooks that have images of their own, as services, in the order of
// their names.
func (i PullInput) pulled() []project.Service {
	var services []project.Service
	named := map[string]bool{}
	for _, name := range sortedKeys(i.Project.Services) {
		service := i.Project.Services[name]
		if isProvided(service) {
			continue
		}
		services = append(services, service)
		named[i.Project.ImageName(service)] = true
	}
	for _, service := range slices.Clone(services) {
		for _, hook := range project.PreStarts(i.Project, service) {
			if !named[hook.Service.Image] {
				services = append(services, hook.Service)
			}
		}
	}
	return services
}

// skips says whether and why a service's image is not pulled, in docker compose's words.
func (i PullInput) skips(service project.Service, ref string) (reason string, skipped bool) {
	policy := service.PullPolicy
	if i.Policy != "" {
		policy = i.Policy
	}
	_, here := i.State.Images[ref]
	switch {
	case service.Build != nil && service.Image == "":
		return "No image to be pulled", true
	case service.Build != nil && i.IgnoreBuildable:
		return "Image can be built", true
	case policy == project.PullNever, policy == project.PullBuild:
		return "", true
	case policy == project.PullMissing && here && !isLatest(ref):
		return "Image is already present locally", true
	}
	return "", false
}

// isLatest says whether a reference stands for whatever is newest.
func isLatest(ref string) bool {
	name := ref[strings.LastIndex(ref, "/")+1:]
	return !strings.ContainsAny(name, ":@") || strings.HasSuffix(name, ":latest")
}
