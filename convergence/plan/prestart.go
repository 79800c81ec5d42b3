package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// startsWithHooks are the pre_start hooks that run before a service's containers start, and the replicas that each runs for: the first
// one that stands still where none of the service runs, and each that stands still where the hook is for each of them.
func (r *reconciler) startsWithHooks(s *servicePlan) map[int][]*replica {
	var still []*replica
	for _, one := range s.replicas {
		if one.current == nil || !one.current.Running() {
			still = append(still, one)
		}
	}
	runs := map[int][]*replica{}
	for i, hook := range project.PreStarts(r.Project, s.service) {
		switch {
		case len(still) == 0:
		case hook.PerReplica:
			runs[i] = still
		case !slices.ContainsFunc(r.existing[s.service.Name], engine.Container.Running):
			runs[i] = still[:1]
		}
	}
	return runs
}

// preStart plans a service's pre_start hooks, one after the other, behind its gate, and returns what its starts come after.
func (r *reconciler) preStart(s *servicePlan, g gate) []NodeID {
	var before []NodeID
	runs := r.startsWithHooks(s)
	if s.hooksWhy = "none of its containers runs"; slices.ContainsFunc(r.existing[s.service.Name], engine.Container.Running) {
		s.hooksWhy = "for each that starts"
	}
	for i, hook := range project.PreStarts(r.Project, s.service) {
		for _, one := range runs[i] {
			id := r.add(r.preStartStep(s, one, hook, i), append(one.create, before...)...)
			r.after(id, g.must...)
			r.follow(id, g.may...)
			r.follow(id, r.helperRemovals...) // one of them may have the name
			r.afterNeeds(id, hook.Service)
			for _, sharing := range graph.SharedWith(r.Project, hook.Service) {
				if shared := r.services[sharing.Service]; shared != nil {
					r.after(id, shared.ready...)
				}
			}
			before = []NodeID{id}
		}
		if len(runs[i]) > 0 {
			s.hooksRun++
		}
	}
	return before
}

// afterNeeds makes a step come after what brings the networks, volumes and the image of what it makes a container of.
func (r *reconciler) afterNeeds(id NodeID, service project.Service) {
	for key := range service.Networks {
		r.after(id, r.networks[key].ready...)
	}
	for _, mount := range service.Volumes {
		if mount.Type == project.MountVolume && mount.Source != "" {
			r.after(id, r.volumes[mount.Source].ready...)
		}
	}
	r.after(id, r.images[r.Project.ImageName(service)].brought...)
}

func (r *reconciler) preStartStep(s *servicePlan, one *replica, hook project.PreStart, index int) step.RunPreStart {
	number := 0
	if hook.PerReplica {
		number = one.number
	}
	service := hook.Service
	name := r.Project.PreStartName(s.service.Name, number, index)
	parent, renamed := one.nameAtCreation(), map[string]string{}
	if parent != one.name {
		renamed[parent] = one.name
	}
	_, others := r.shares(service)
	maps.Copy(renamed, others)
	files := r.hookFiles(s, hook)
	hooked := &servicePlan{service: service, files: files}
	request := engine.CreateContainer{
		Name: name, Service: service, Image: r.Project.ImageName(service), Labels: r.hookLabels(service),
		Networks: r.endpoints(service, &replica{name: name}),
		Mounts:   r.mounts(hooked, &replica{}, r.fileMounts(hooked, name)),
	}
	r.share(&request, service, r.firstContainer)
	request.VolumesFrom = append(request.VolumesFrom, parent)
	request.Service.SecurityOpt = r.securityOptions(service)
	from, _ := r.providersOf(s.service)
	made := step.RunPreStart{
		Target: step.Target{Name: name, Service: s.service.Name, Replica: number}, Request: request, Index: index,
		Provided: from, Place: r.Project.Place(hook.Path).String(), Renamed: renamed, Project: r.Project.Name,
	}
	for _, one := range files {
		if one.by == copied {
			made.Files = append(made.Files, one.File)
		}
	}
	return made
}

// hookLabels are the hook's own and docker compose's, without a hash: nobody takes the container for a replica.
func (r *reconciler) hookLabels(service project.Service) map[string]string {
	labels := maps.Clone(map[string]string(service.Labels))
	if labels == nil {
		labels = map[string]string{}
	}
	labels[project.LabelProject], labels[project.LabelService] = r.Project.Name, service.Name
	labels[project.LabelVersion], labels[project.LabelHook] = project.ComposeVersion, project.HookPreStart
	return labels
}

// hookFiles are the secrets and configs of a hook that it does not have with its service's volumes.
func (r *reconciler) hookFiles(s *servicePlan, hook project.PreStart) []file {
	var files []file
	for _, one := range filesOf(r.Project, hook.Service) {
		inVolume := func(other file) bool {
			return other.key == one.key && other.Path == one.Path && other.by == copiedToPart
		}
		if slices.ContainsFunc(s.files, inVolume) {
			continue
		}
		if one.by == copied {
			one.Content, _ = r.Project.Content(one.key)
		}
		if one.by == bound || one.by == copied {
			files = append(files, one)
		}
	}
	return files
}

// checkHookFiles refuses secrets and configs of hooks that a container would silently lack: what needs a volume a hook only has where its
// service has the same.
func (r *reconciler) checkHookFiles(s *servicePlan) {
	for _, hook := range project.PreStarts(r.Project, s.service) {
		r.checkFiles(hook.Service)
		for _, one := range filesOf(r.Project, hook.Service) {
			isSame := func(other file) bool { return other.key == one.key && other.Path == one.Path && other.by == one.by }
			if one.by == bound || one.by == copied || slices.ContainsFunc(s.files, isSame) {
				continue
			}
			r.problem(Problem{
				Ref: graph.Service(s.service.Name), Position: r.Project.Place(hook.Path),
				Message: one.quoted() + " cannot be put into the container of a pre_start hook that is read-only, or mounts something there",
				Try:     "give the same one to the service, or leave out read_only",
			})
		}
	}
}

// preStartImage is what an image is decided for.
func preStartImage(service project.Service, hook project.PreStart) project.Service {
	hook.Service.Scale, hook.Service.Deploy = service.Scale, service.Deploy
	return hook.Service
}

// hookNeeds are the attributes of pre_start hooks that not every engine has, and that their service has not itself.
func hookNeeds(p *project.Project, service project.Service, own []use) []need {
	var found []need
	for _, hook := range project.PreStarts(p, service) {
		for _, used := range needsOf(p, hook.Service) {
			inherited := slices.ContainsFunc(own, func(other use) bool { return other.set && other.path == used.path })
			if used.set && !inherited && !strings.HasPrefix(used.path, "secrets.") && !strings.HasPrefix(used.path, "configs.") {
				found = append(found, need{graph.Service(service.Name), hook.Path + "." + used.path, used.requirement})
			}
		}
	}
	return found
}

// tellOfHooks adds to the reasons why a service's containers start that hooks run first.
func (s *servicePlan) tellOfHooks(changes []Change) []Change {
	if s.hooksRun == 0 {
		return changes
	}
	for i := range changes {
		switch changes[i].Kind {
		case Create, Replace, Start, RunAgain, Maybe:
			reason := Reason{Text: plural(s.hooksRun, "pre_start hook") + " first: " + s.hooksWhy}
			changes[i].Reasons = append(slices.Clone(changes[i].Reasons), reason)
			return changes
		}
	}
	return changes
}
