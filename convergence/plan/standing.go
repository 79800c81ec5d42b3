package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// newStanding is a reconciler that decides nothing: its services have the containers that are there, as they are. It plans what a start of
// those takes, in the plan of b.
func newStanding(p *project.Project, state State, b *builder) *reconciler {
	r := &reconciler{
		Input: Input{Project: p, State: state}, builder: b,
		existing: map[string][]engine.Container{}, networks: map[string]*networkPlan{}, volumes: map[string]*volumePlan{},
		images: map[string]*imagePlan{}, services: map[string]*servicePlan{}, volumesFilled: map[string]bool{},
	}
	for key, network := range p.Networks {
		r.networks[key] = &networkPlan{key: key, name: network.Name}
	}
	for key, volume := range p.Volumes {
		r.volumes[key] = &volumePlan{key: key, name: volume.Name}
	}
	for _, container := range state.Containers {
		if !container.OneOff && !isHelper(container) {
			r.existing[container.Service] = append(r.existing[container.Service], container)
		}
	}
	for name, service := range p.Services {
		s := &servicePlan{service: service, files: filesOf(p, service)}
		for i := range s.files {
			s.files[i].Content, _ = p.Content(s.files[i].key)
		}
		for _, container := range r.existing[name] {
			s.foundParts(container)
			s.replicas = append(s.replicas, &replica{number: observedNumber(container), name: container.Name, current: &container})
		}
		slices.SortFunc(s.replicas, func(a, b *replica) int { return a.number - b.number })
		r.services[name] = s
		r.images[p.ImageName(service)] = &imagePlan{}
		for _, hook := range project.PreStarts(p, service) {
			r.images[p.ImageName(hook.Service)] = &imagePlan{}
		}
	}
	return r
}

// foundParts notes which files a container has from a volume of which it mounts parts.
func (s *servicePlan) foundParts(container engine.Container) {
	for i := range s.files {
		for _, mount := range container.Mounts {
			if s.files[i].by == copied && mount.Type == project.MountVolume && mount.Target == s.files[i].Path {
				s.files[i].by = copiedToPart
			}
		}
	}
}

// hooksFirst plans the pre_start hooks of a service whose containers are started, and returns what their starts come after.
func (l *lifecycle) hooksFirst(service string, g gate) []NodeID {
	if l.standing == nil {
		l.warnOfHooks(service)
		return nil
	}
	s := l.standing.services[service]
	if s == nil || len(l.standing.startsWithHooks(s)) == 0 {
		return nil
	}
	for _, container := range l.State.Containers {
		if container.Hook != "" && container.Service == service {
			l.standing.removeHelper(container)
		}
	}
	return l.standing.preStart(s, g)
}

// warnOfHooks says that a service's pre_start hooks are not known.
func (l *lifecycle) warnOfHooks(service string) {
	containers := l.containers[service]
	if slices.ContainsFunc(containers, engine.Container.Running) {
		return
	}
	for _, container := range containers {
		hooks, _ := project.ParseHooksLabel(container.Labels[project.LabelHooks])
		if hooks.PreStarts > 0 {
			l.warn(graph.Service(service), "the pre_start hooks of service %s are not run: only the compose file has them, which can be named with -f", service)
			return
		}
	}
}

// filesFirst plans that a container that was created and has never run gets its secrets and configs: whoever created it may have been killed
// before. It returns what the start comes after.
func (l *lifecycle) filesFirst(container engine.Container) []NodeID {
	if container.State != engine.StateCreated {
		return nil
	}
	if l.standing == nil {
		l.warnOfFiles(container)
		return nil
	}
	s := l.standing.services[container.Service]
	if s == nil {
		return nil
	}
	for _, one := range s.files {
		if _, read := l.Project.Content(one.key); !read && one.by != bound {
			l.problems = append(l.problems, &Problem{
				Ref: graph.Service(container.Service), Position: l.Project.Place("services." + container.Service + "." + one.place),
				Message: fmt.Sprintf("container %s was never started and may lack %s, which cannot be read: %v", container.Name, one.quoted(),
					l.unreadable()),
				Try: "make it readable, or begin anew with `muster up --force-recreate " + container.Service + "`",
			})
			return nil
		}
	}
	return l.standing.fillAgain(s, container, nil)
}

func (l *lifecycle) unreadable() error {
	if l.Unread != nil {
		return l.Unread
	}
	return errors.New("nobody has read it")
}

// warnOfFiles says that a container may lack its secrets and configs, where its fingerprint tells that it has some of which it has a copy.
func (l *lifecycle) warnOfFiles(container engine.Container) {
	fingerprint, err := project.OpenFingerprint(container.Labels[project.LabelSpec])
	if err != nil {
		return
	}
	for path := range fingerprint.Fields {
		name, isContent := strings.CutSuffix(path, ".content")
		isFile := strings.HasPrefix(name, "secrets.") || strings.HasPrefix(name, "configs.")
		if _, isBound := fingerprint.Fields[name+".file"]; isContent && isFile && !isBound {
			l.warn(graph.Service(container.Service), "container %s was never started and may lack its secrets and configs: only the compose file "+
				"has them, which can be named with -f", container.Name)
			return
		}
	}
}

// tellOfHooks adds to why a service starts that hooks run first.
func (l *lifecycle) tellOfHooks(service string) {
	if l.standing == nil || l.standing.services[service] == nil {
		return
	}
	for i := range l.plan.Changes {
		if change := &l.plan.Changes[i]; change.Ref == graph.Service(service) && change.Kind == Start {
			*change = l.standing.services[service].tellOfHooks([]Change{*change})[0]
		}
	}
}
