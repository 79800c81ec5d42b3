package plan

import (
	"fmt"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// imagePlan is what becomes of one image that services name.
type imagePlan struct {
	ref     string
	current *engine.Image // nil when the engine does not have it
	pull    []NodeID      // empty when nothing is pulled
	// mayChange says that the pull may bring another image than the one that is here, or that containers were made from.
	mayChange bool
	// newer is the digest that the registry is known to have in its place; empty where that is not known.
	newer string
}

// planImages decides for a service's image. The same image is pulled once for all services; the one that wants it freshest
// decides for all.
func (r *reconciler) planImages(service project.Service) {
	ref := r.Project.ImageName(service)
	i, seen := r.images[ref]
	if !seen {
		i = &imagePlan{ref: ref}
		if found, ok := r.State.Images[ref]; ok {
			i.current = &found
		}
		r.images[ref] = i
	}
	if service.GetScale() == 0 && len(r.existing[service.Name]) == 0 {
		return
	}
	policy := service.PullPolicy
	switch {
	case i.current != nil && policy != project.PullAlways:
	case len(i.pull) > 0:
	case policy == project.PullNever:
		r.imageProblem(service, "pull it with `docker pull "+ref+"`, or change pull_policy")
	case service.Build != nil && policy != project.PullAlways && policy != project.PullMissing:
		r.imageProblem(service, "build it with `docker compose build "+service.Name+"`: muster build is not there yet")
	case policy == project.PullBuild:
		r.imageProblem(service, "build it: pull_policy is build, and muster build is not there yet")
	default:
		i.pull = []NodeID{r.add(step.PullImage{Reference: ref, Platform: service.Platform})}
		i.mayChange = i.current == nil || !r.registryHasSame(i)
		if i.current != nil && i.mayChange {
			i.newer = r.State.RemoteDigests[ref]
		}
	}
}

func (r *reconciler) imageProblem(service project.Service, try string) {
	r.problem(Problem{
		Ref: graph.Service(service.Name), Position: r.Project.Place("services." + service.Name + ".image"),
		Message: fmt.Sprintf("service %q: image %q is not on this engine and is not to be pulled",
			service.Name, r.Project.ImageName(service)),
		Try: try,
	})
}

// registryHasSame says that the registry was asked and has what is here.
func (r *reconciler) registryHasSame(i *imagePlan) bool {
	remote, asked := r.State.RemoteDigests[i.ref]
	if !asked || remote == "" {
		return false
	}
	for _, digest := range i.current.Digests {
		if strings.HasSuffix(digest, "@"+remote) {
			return true
		}
	}
	return false
}

// mayChange is the condition on which a container's image is another one after the pull: always, where nothing is pulled that
// could bring one.
func (r *reconciler) mayChange(service project.Service, container engine.Container) conditional {
	image := r.images[r.Project.ImageName(service)]
	switch {
	case !image.mayChange || image.current == nil && container.ImageID == "":
		return conditional{}
	case image.current == nil: // it was removed, or another one has its tag
		return conditional{step.ImageChanged{Reference: image.ref, Was: container.ImageID}, image.pull}
	}
	return conditional{step.ImageChanged{Reference: image.ref, Was: image.current.ID}, image.pull}
}

// digestOf is what the registry had called an image that is here; its ID where that is not known.
func digestOf(i *imagePlan) string {
	repository, _, _ := strings.Cut(i.ref, "@")
	if colon := strings.LastIndex(repository, ":"); colon > strings.LastIndex(repository, "/") {
		repository = repository[:colon]
	}
	for _, name := range i.current.Digests {
		if digest, ok := strings.CutPrefix(name, repository+"@"); ok {
			return digest
		}
	}
	return i.current.ID
}

// imageReason is the reason for a container that was made from another image than its reference stands for now, or in the
// registry.
func (r *reconciler) imageReason(service project.Service, container engine.Container) []Reason {
	known := r.images[r.Project.ImageName(service)]
	if known.newer != "" {
		return []Reason{{Change: project.Change{Path: "image", Old: shortDigest(digestOf(known)), New: shortDigest(known.newer)}}}
	}
	current := known.current
	had := container.Labels[project.LabelImage]
	if had == "" {
		had = container.ImageID
	}
	if current == nil || had == "" || had == current.ID || container.ImageID == current.ID {
		return nil
	}
	return []Reason{{Change: project.Change{Path: "image", Old: shortDigest(had), New: shortDigest(current.ID)}}}
}
