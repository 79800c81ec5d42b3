package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/provider"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/graph/dag"
	"github.com/muster-dev/muster/project"
)

// TeardownInput is what a teardown is planned from.
type TeardownInput struct {
	Name string // of the project
	// Project is what the file says; nil where there is none. It only tells orphans apart, and which hooks to run: what is taken
	// down is what the labels say, so services that a profile leaves out go too.
	Project *project.Project
	State   State
	// Services limits it to these services; empty means all.
	Services []string
	// RemoveOrphans removes containers of services that the file does not have, and one-offs.
	RemoveOrphans bool
	// RemoveVolumes removes the project's volumes and the containers' anonymous ones, with their data.
	RemoveVolumes bool
	// RemoveImages says which images go, too, of those that the engine has: Images.
	RemoveImages ImageRemoval
	Images       []engine.Image
	StopTimeout  *time.Duration // nil leaves it to each container
	// Providers runs the programs of provider services; nil leaves those services alone.
	Providers provider.Runner
}

// ImageRemoval says which images a teardown removes.
type ImageRemoval uint8

// What images to remove.
const (
	KeepImages ImageRemoval = iota
	// RemoveLocalImages removes those that were built and that nobody has named.
	RemoveLocalImages
	// RemoveAllImages removes all that services use.
	RemoveAllImages
)

// Teardown plans the end of a project: containers stop and go, each after those that depend on it, then networks, and volumes
// only when asked for. What is external or belongs to others stays.
func Teardown(input TeardownInput) *Plan {
	t := &teardown{TeardownInput: input, builder: newBuilder(input.Name), stops: map[string][]NodeID{}}
	t.choose()
	t.removeContainers()
	t.removeNetworks()
	if input.RemoveVolumes {
		t.removeVolumes()
	}
	t.removeFileVolumes()
	t.removeImages()
	t.endProvided(input.Providers, provider.Down)
	if t.plan.Empty() {
		t.warn(graph.Ref{}, "No resource found to remove for project %q.", input.Name)
	}
	t.addHooks(newHooked(input.Project, input.State))
	return t.plan
}

type teardown struct {
	TeardownInput
	*builder
	chosen   []engine.Container
	removals map[string]NodeID   // of containers, by ID
	stops    map[string][]NodeID // by service
}

// choose takes the containers that go.
func (t *teardown) choose() {
	t.removals = map[string]NodeID{}
	var left []string
	for _, container := range t.State.Containers {
		switch {
		case len(t.Services) > 0 && !slices.Contains(t.Services, container.Service):
		case t.isOrphan(container) && !t.RemoveOrphans:
			left = append(left, container.Name)
		default:
			t.chosen = append(t.chosen, container)
		}
	}
	if len(left) > 0 {
		t.warn(graph.Ref{}, "Found orphan containers (%s) for this project. If you removed or renamed this service in your "+
			"compose file, you can run this command with the --remove-orphans flag to clean it up.", strings.Join(left, ", "))
	}
}

func (t *teardown) isOrphan(container engine.Container) bool {
	switch {
	case isHelper(container):
		return false
	case container.OneOff:
		return true
	}
	if t.Project == nil {
		return false
	}
	_, enabled := t.Project.Services[container.Service]
	_, disabled := t.Project.DisabledServices[container.Service]
	return !enabled && !disabled
}

// removeContainers stops each container after those of the services that depend on its own, by the labels that they carry.
func (t *teardown) removeContainers() {
	needs := t.dependencies()
	byService := t.byService()
	for _, service := range dependentsFirst(needs) {
		change := Change{Kind: Remove, Ref: graph.Service(service)}
		for _, container := range byService[service] {
			t.removeContainer(container, needs)
			change.Objects = append(change.Objects, step.Object{Kind: step.Container, Name: container.Name})
		}
		if len(change.Objects) > 0 {
			t.plan.Changes = append(t.plan.Changes, change)
		}
	}
}

// dependentsFirst lists services so that each comes before what it depends on. Labels can say anything: in a circle it is the
// order of the names, and a step only ever comes after steps that are planned already.
func dependentsFirst(needs *dag.Graph[string]) []string {
	order, err := needs.Order()
	if err != nil {
		order = needs.Vertices()
	}
	slices.Reverse(order)
	return order
}

func (t *teardown) byService() map[string][]engine.Container {
	services := map[string][]engine.Container{}
	for _, container := range t.chosen {
		services[container.Service] = append(services[container.Service], container)
	}
	return services
}

func (t *teardown) dependencies() *dag.Graph[string] {
	needs := dag.New(cmp.Compare[string])
	for _, container := range t.chosen {
		needs.Add(container.Service)
	}
	for _, container := range t.chosen {
		for dependency := range project.ParseDependsOnLabel(container.Labels[project.LabelDependsOn]) {
			if needs.Has(dependency) && dependency != container.Service {
				needs.Connect(container.Service, dependency)
			}
		}
	}
	return needs
}

func (t *teardown) removeContainer(container engine.Container, needs *dag.Graph[string]) {
	var before []NodeID
	for _, dependent := range needs.Dependents(container.Service) {
		before = append(before, t.stops[dependent]...)
	}
	var stopped []NodeID
	if container.Running() {
		stop := t.add(step.StopContainer{Target: target(container), Timeout: t.StopTimeout})
		t.follow(stop, before...)
		stopped = []NodeID{stop}
		t.stops[container.Service] = append(t.stops[container.Service], stop)
	}
	t.removals[container.ID] = t.add(step.RemoveContainer{
		Target: target(container), Volumes: t.RemoveVolumes || container.Hook != "",
	}, stopped...)
}

func (t *teardown) removeNetworks() {
	for _, network := range t.State.Networks {
		key, own := network.Labels[project.LabelNetwork]
		if !own || network.Labels[project.LabelProject] != t.Name {
			continue
		}
		id := t.add(step.RemoveNetwork{Key: key, ID: network.ID, Name: network.Name})
		t.plan.Nodes[id].Optional = true
		for _, container := range t.chosen {
			if attached(container, network.ID, network.Name) {
				t.after(id, t.removals[container.ID])
			}
		}
		t.plan.Changes = append(t.plan.Changes, Change{
			Kind: Remove, Ref: graph.Network(key), Objects: []step.Object{{Kind: step.Network, Name: network.Name}},
		})
	}
}

// removeVolumes removes the project's volumes, and what removeAnonymousVolumes does.
func (t *teardown) removeVolumes() {
	t.removeAnonymousVolumes()
	if len(t.Services) > 0 {
		return
	}
	users := t.volumeUsers()
	for _, volume := range t.State.Volumes {
		key, own := volume.Labels[project.LabelVolume]
		if !own || volume.Labels[project.LabelProject] != t.Name {
			continue
		}
		t.removeVolume(key, volume, users)
		t.plan.Changes = append(t.plan.Changes, Change{
			Kind: Remove, Ref: graph.Volume(key), Objects: []step.Object{{Kind: step.Volume, Name: volume.Name}},
			Reasons: []Reason{{Text: "with its data"}},
		})
	}
}

// removeAnonymousVolumes removes those that containers that go have taken over from others before them: the engine counts them as
// named then and leaves them.
func (t *teardown) removeAnonymousVolumes() {
	users := t.volumeUsers()
	for _, volume := range t.State.Volumes {
		if isAnonymous(volume) && !isFiles(volume, t.Name) && len(users[volume.Name]) > 0 {
			t.removeVolume("", volume, users)
		}
	}
}

// removeFileVolumes removes the volumes of secrets and configs of the containers that go, and those that nobody has any more. Nobody's data
// is in them.
func (t *teardown) removeFileVolumes() {
	users := t.volumeUsers()
	for _, volume := range t.State.Volumes {
		left := len(t.Services) == 0 && len(mountingVolume(t.State.Containers, volume.Name)) == 0
		if isFiles(volume, t.Name) && (left || len(users[volume.Name]) > 0) {
			t.removeVolume("", volume, users)
		}
	}
}

// volumeUsers are the removals of the containers that mount a volume, by its name.
func (t *teardown) volumeUsers() map[string][]NodeID {
	users := map[string][]NodeID{}
	for _, container := range t.chosen {
		for _, mount := range container.Mounts {
			if mount.Type == project.MountVolume {
				users[mount.Name] = append(users[mount.Name], t.removals[container.ID])
			}
		}
	}
	return users
}

func (t *teardown) removeVolume(key string, volume engine.Volume, users map[string][]NodeID) {
	id := t.add(step.RemoveVolume{Key: key, Name: volume.Name}, users[volume.Name]...)
	t.plan.Nodes[id].Optional = true
}

// removeImages removes images once no container of the project uses them. One that others use stays.
func (t *teardown) removeImages() {
	for _, ref := range t.imagesToRemove() {
		id := t.add(step.RemoveImage{Reference: ref})
		t.plan.Nodes[id].Optional = true
		for _, container := range t.chosen {
			t.after(id, t.removals[container.ID])
		}
		t.plan.Changes = append(t.plan.Changes, Change{
			Kind: Remove, Ref: graph.Image(ref), Objects: []step.Object{{Kind: step.Image, Name: ref}},
		})
	}
}

// imagesToRemove are the references of images that go and that the engine has. The file tells the services' images, or, without
// one, their containers and the labels of built images.
func (t *teardown) imagesToRemove() []string {
	if t.RemoveImages == KeepImages {
		return nil
	}
	wanted := t.imagesOfServices()
	if t.RemoveImages == RemoveAllImages {
		for _, container := range t.chosen {
			wanted[project.FamiliarImage(container.Image)] = true
		}
	}
	var refs []string
	for _, image := range t.Images {
		for _, tag := range image.Tags {
			if wanted[tag] || t.Project == nil && t.isOwnBuild(image, tag) {
				refs = append(refs, tag)
			}
		}
	}
	slices.Sort(refs)
	return refs
}

// imagesOfServices are the images that go as far as the file tells them.
func (t *teardown) imagesOfServices() map[string]bool {
	images := map[string]bool{}
	if t.Project == nil {
		return images
	}
	for _, service := range t.Project.AllServices() {
		isLocal := service.Build != nil && service.Image == ""
		if t.names(service.Name) && (isLocal || t.RemoveImages == RemoveAllImages) {
			images[project.FamiliarImage(t.Project.ImageName(service))] = true
		}
	}
	return images
}

// isOwnBuild judges by the labels that builds carry.
func (t *teardown) isOwnBuild(image engine.Image, tag string) bool {
	service := image.Labels[project.LabelService]
	return image.Labels[project.LabelProject] == t.Name && t.names(service) && project.IsBuiltName(tag, t.Name, service)
}

// names says whether a service is one of those that the teardown is about.
func (t *teardown) names(service string) bool {
	return len(t.Services) == 0 || slices.Contains(t.Services, service)
}

// Describe is the plan's size in words, "3 changes, 2 unchanged": services, networks and volumes of which something changes, and of
// which something stays.
func (p *Plan) Describe() string {
	changes := 0
	for _, change := range p.Changes {
		if change.Counts() {
			changes++
		}
	}
	kept := map[graph.Ref]bool{}
	for _, one := range p.Unchanged {
		kept[one.Ref] = true
	}
	if len(kept) == 0 {
		return plural(changes, "change")
	}
	return fmt.Sprintf("%s, %d unchanged", plural(changes, "change"), len(kept))
}
