package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/build"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// imagePlan is what becomes of one image that services name.
type imagePlan struct {
	ref      string
	current  *engine.Image // nil when the engine does not have it
	brought  []NodeID      // the pull or build after which it is there; none when it stays as it is
	built    bool          // and not pulled
	fallback bool          // built where the pull fails
	// mayChange says that another image may come than the one that is here, or that containers were made from.
	mayChange bool
	// newer is the digest that the registry is known to have in its place; empty where that is not known.
	newer string
}

// planImages decides for a service's image. The same image is brought once for all services; the one that wants it freshest
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
	if service.GetScale() == 0 && len(r.existing[service.Name]) == 0 || len(i.brought) > 0 {
		return
	}
	builder, buildable := r.builderOf(ref)
	switch policy := r.pullPolicy(service, i); {
	case buildable && r.Policy.Build != BuildNever && (r.Policy.Build == BuildAlways || builder.PullPolicy == project.PullBuild):
		r.build(i, builder)
	case i.current != nil && policy != project.PullAlways:
	case buildable && policy != project.PullAlways && policy != project.PullMissing:
		r.build(i, builder)
	case policy == project.PullNever:
		r.imageProblem(service, "image", "is not to be pulled", "pull it with `docker pull "+ref+"`, or change pull_policy")
	case policy == project.PullBuild:
		r.imageProblem(service, "pull_policy", "there is nothing to build it from", "give the service a build section, or change pull_policy")
	case buildable && r.Policy.Build != BuildNever:
		r.pullOrBuild(i, builder)
	default:
		r.pull(i, r.Project.PlatformOf(service))
	}
}

// builderOf is the service that an image is built for: the first one that has it as its name and a build section.
func (r *reconciler) builderOf(ref string) (project.Service, bool) {
	if r.builders == nil {
		r.builders = map[string]project.Service{}
		built := r.Project.BuiltServices()
		for _, name := range slices.Backward(sortedKeys(built)) {
			r.builders[r.Project.ImageName(built[name])] = built[name]
		}
	}
	service, ok := r.builders[ref]
	return service, ok
}

func (r *reconciler) pull(i *imagePlan, platform string) {
	i.brought = []NodeID{r.add(step.PullImage{Reference: i.ref, Platform: platform})}
	i.mayChange = i.current == nil || !r.registryHasSame(i)
	if i.current != nil && i.mayChange {
		i.newer = r.State.RemoteDigests[i.ref]
	}
}

// pullOrBuild plans a pull that may fail: then the image that is here will do, and where there is none it is built.
func (r *reconciler) pullOrBuild(i *imagePlan, builder project.Service) {
	r.pull(i, r.Project.PlatformOf(builder))
	r.plan.Nodes[i.brought[0]].Optional = true
	if i.current != nil {
		return
	}
	r.only = conditional{when: step.ImageMissing{Reference: i.ref}}
	pulled := i.brought
	r.build(i, builder)
	r.after(i.brought[0], pulled...)
	r.only, i.built, i.fallback = conditional{}, false, true
}

// build plans a build.
func (r *reconciler) build(i *imagePlan, builder project.Service) {
	if r.Policy.Build == BuildNever {
		r.imageProblem(builder, "build", "--no-build forbids to build it", "build it with `muster build "+builder.Name+"`")
		return
	}
	request, err := build.Request(r.Project, builder)
	if err != nil {
		r.problems = append(r.problems, err)
		return
	}
	r.checkContexts(builder)
	contexts := r.buildContexts(builder)
	i.brought = []NodeID{r.add(step.BuildImage{Reference: i.ref, Request: request}, contexts...)}
	i.built, i.mayChange = true, true
}

// checkContexts refuses to build with several contexts on engines whose builder knows only one: it would take their names for images.
func (r *reconciler) checkContexts(service project.Service) {
	if len(service.Build.AdditionalContexts) > 0 {
		r.refuseLacking(need{
			graph.Service(service.Name), "services." + service.Name + ".build.additional_contexts", since("1.42", "23.0"),
		})
	}
}

// buildContexts are the steps that bring the images of services that are build contexts of another one.
func (r *reconciler) buildContexts(service project.Service) (brought []NodeID) {
	for _, name := range project.BuildContexts(service) {
		if needed, ok := r.Project.AllServices()[name]; ok {
			r.planImages(needed)
			brought = append(brought, r.images[r.Project.ImageName(needed)].brought...)
		}
	}
	return brought
}

func (r *reconciler) imageProblem(service project.Service, attribute, why, try string) {
	r.problem(Problem{
		Ref: graph.Service(service.Name), Position: r.Project.Place("services." + service.Name + "." + attribute),
		Message: fmt.Sprintf("service %q: image %q is not on this engine and %s", service.Name, r.Project.ImageName(service), why),
		Try:     try, Kind: "image-missing",
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

// mayChange is the condition on which a container's image is another one after the pull or build: always, where nothing comes that
// could be one.
func (r *reconciler) mayChange(service project.Service, container engine.Container) conditional {
	image := r.images[r.Project.ImageName(service)]
	switch {
	case !image.mayChange || image.current == nil && container.ImageID == "":
		return conditional{}
	case image.current == nil: // it was removed, or another one has its tag
		return conditional{step.ImageChanged{Reference: image.ref, Was: container.ImageID}, image.brought}
	}
	return conditional{step.ImageChanged{Reference: image.ref, Was: image.current.ID}, image.brought}
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
