package plan

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// request is everything that is decided about a new container.
func (r *reconciler) request(s *servicePlan, one *replica, name string) engine.CreateContainer {
	service := s.service
	request := engine.CreateContainer{
		Name: name, Service: service, Number: one.number,
		Image:    r.Project.ImageName(service),
		Labels:   r.labels(s, one),
		Networks: r.endpoints(service, one),
		Mounts:   r.mounts(s, one, r.fileMounts(s, name)),
		Links:    r.links(service),
	}
	r.share(&request, service, r.firstContainer)
	request.Service.SecurityOpt = r.securityOptions(service)
	return request
}

// labels are the user's, and over them those by which docker compose and Muster find the container again. The image's digest is
// left to the step when a pull will bring it.
func (r *reconciler) labels(s *servicePlan, one *replica) map[string]string {
	labels := maps.Clone(map[string]string(s.service.Labels))
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, project.ServiceLabels(r.Project, s.service))
	labels[project.LabelNumber] = strconv.Itoa(one.number)
	labels[project.LabelConfigHash] = s.hash
	labels[project.LabelDeploy] = strconv.Itoa(r.deploy)
	labels[project.LabelWhy] = r.why(s, one).Label()
	if image := r.images[r.Project.ImageName(s.service)]; image.current != nil && len(image.brought) == 0 {
		labels[project.LabelImage] = image.current.ID
	}
	if hooks := project.ServiceHooks(r.Project, s.service); !hooks.Empty() {
		labels[project.LabelHooks] = hooks.Label()
	}
	if one.current != nil {
		labels[project.LabelReplace] = cmp.Or(s.service.ContainerName, s.service.Name+"-"+strconv.Itoa(one.number))
	}
	return labels
}

// endpoints are the service's networks, the primary one first, with the names that a container has in each: its own, its
// service's, and those that the file adds.
func (r *reconciler) endpoints(service project.Service, one *replica) []engine.Endpoint {
	if service.NetworkMode != "" {
		return nil
	}
	keys := service.NetworksByPriority()
	endpoints := make([]engine.Endpoint, 0, len(keys))
	for _, key := range keys {
		options := service.Networks[key]
		aliases := []string{one.name}
		if options.ServiceNameAliasEnabled() {
			aliases = append(aliases, service.Name)
		}
		if options != nil {
			aliases = append(aliases, options.Aliases...)
		}
		endpoints = append(endpoints, engine.Endpoint{Network: r.networks[key].name, Aliases: dedupe(aliases), Options: options})
	}
	return endpoints
}

func dedupe(values []string) []string {
	var unique []string
	for _, value := range values {
		if !slices.Contains(unique, value) {
			unique = append(unique, value)
		}
	}
	return unique
}

// share puts containers in place of services in namespace modes and volumes_from: first says what the first one of a service is called.
func (r *reconciler) share(request *engine.CreateContainer, service project.Service, first func(service string) string) {
	shared := func(mode string) string {
		name, ok := graph.SharedService(r.Project, mode)
		if !ok {
			return mode
		}
		return step.SharePrefix + first(name)
	}
	request.NetworkMode, request.IPC, request.PID = shared(service.NetworkMode), shared(service.Ipc), shared(service.Pid)
	request.VolumesFrom = nil
	for _, entry := range service.VolumesFrom {
		source, access, hasAccess := strings.Cut(strings.TrimPrefix(entry, step.SharePrefix), ":")
		if name, ok := graph.VolumesOf(r.Project, entry); ok {
			source = first(name)
		}
		if hasAccess {
			source += ":" + access
		}
		request.VolumesFrom = append(request.VolumesFrom, source)
	}
}

// firstContainer is a service's first replica, by the name that it has when requests are made.
func (r *reconciler) firstContainer(service string) string {
	s := r.services[service]
	if s == nil || len(s.replicas) == 0 {
		return service
	}
	return s.replicas[0].nameAtCreation()
}

// nameAtCreation is what the replica's container is called while containers are created: the new one of a replacement has its
// temporary name then. One that is there already is called by its ID.
func (r *replica) nameAtCreation() string {
	switch {
	case r.current == nil:
		return r.name
	case r.resume != nil:
		return r.resume.ID
	case r.replaced():
		return r.newName()
	}
	return r.current.ID
}

// newName is under what name a replica's container is created beside the one that it replaces: a temporary one, unless its own is
// another one than the old one's. Then it is free, or the creation fails before anything is stopped.
func (r *replica) newName() string {
	if r.oldName() != r.name {
		return r.name
	}
	return project.ReplacementName(r.current.ID, r.name)
}

// oldName is the name that the container of a replica had before a replacement began.
func (r *replica) oldName() string {
	if project.IsTemporaryName(r.current.Name, r.name) {
		return r.name
	}
	return r.current.Name
}

// links are "container:alias" for each replica of a linked service: under the alias, under its service and number, and under both with
// the project before them, as docker compose has it.
func (r *reconciler) links(service project.Service) []string {
	var links []string
	for _, link := range service.Links {
		name, alias, _ := strings.Cut(link, ":")
		linked := r.services[name]
		if linked == nil {
			continue
		}
		for _, one := range linked.replicas {
			numbered := name + "-" + strconv.Itoa(one.number)
			for _, known := range []string{cmp.Or(alias, name), numbered, r.Project.Name + "-" + numbered} {
				links = append(links, one.name+":"+known)
			}
		}
	}
	for _, link := range service.ExternalLinks {
		name, alias, _ := strings.Cut(link, ":")
		links = append(links, name+":"+cmp.Or(alias, name))
	}
	return links
}

// mounts are the service's, with volumes under the engine's names, then the files of configs and secrets, then the anonymous
// volumes of the container that is replaced. The first that claims a target has it.
func (r *reconciler) mounts(s *servicePlan, one *replica, files []project.Mount) []project.Mount {
	service := s.service
	var mounts []project.Mount
	taken := map[string]bool{}
	add := func(mount project.Mount) {
		if target := path.Clean(mount.Target); !taken[target] {
			taken[target] = true
			mounts = append(mounts, mount)
		}
	}
	anonymous := r.anonymousVolumes(one)
	for _, entry := range service.Tmpfs {
		target, _, _ := strings.Cut(entry, ":")
		delete(anonymous, path.Clean(target))
	}
	for _, mount := range service.Volumes {
		if mount.Type == project.MountVolume && mount.Source != "" {
			mount.Source = r.volumes[mount.Source].name
		}
		if adopted, ok := anonymous[path.Clean(mount.Target)]; ok && mount.Type == project.MountVolume && mount.Source == "" {
			mount.Source = adopted
		}
		add(mount)
	}
	for _, mount := range files {
		add(mount)
	}
	for _, target := range sortedKeys(anonymous) {
		add(project.Mount{Type: project.MountVolume, Source: anonymous[target], Target: target})
	}
	return mounts
}

// anonymousVolumes are those of the container that is replaced, by target: the new one takes them over, or their data would be
// out of reach.
func (r *reconciler) anonymousVolumes(one *replica) map[string]string {
	volumes := map[string]string{}
	if one.current == nil || r.Policy.RenewAnonymousVolumes {
		return volumes
	}
	for _, mount := range one.current.Mounts {
		if mount.Type != project.MountVolume {
			continue
		}
		if volume, ok := r.State.volume(mount.Name); ok && isAnonymous(volume) && !isFiles(volume, r.Project.Name) {
			volumes[path.Clean(mount.Target)] = mount.Name
		}
	}
	return volumes
}

func isAnonymous(volume engine.Volume) bool {
	_, anonymous := volume.Labels[project.LabelAnonymous]
	return anonymous
}

// securityOptions are the service's, with the path of a seccomp profile made absolute: it is relative to the project.
func (r *reconciler) securityOptions(service project.Service) []string {
	options := slices.Clone(service.SecurityOpt)
	for i, option := range options {
		if profile, ok := project.SeccompProfile(option); ok && !path.IsAbs(profile) {
			options[i] = "seccomp=" + path.Join(r.Project.WorkingDir, profile)
		}
	}
	return options
}
