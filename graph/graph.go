// Package graph is the dependency graph of a project: its services, networks, volumes, configs and secrets, and which needs
// which.
package graph

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/muster-dev/muster/graph/dag"
	"github.com/muster-dev/muster/project"
)

// Kind is a sort of thing in a project.
type Kind string

// The kinds of things, in the order in which they are listed.
const (
	KindNetwork Kind = "network"
	KindVolume  Kind = "volume"
	KindConfig  Kind = "config"
	KindSecret  Kind = "secret"
	KindImage   Kind = "image"
	KindService Kind = "service"
)

// Ref is the one name of a thing: its kind, and the key under which the file has it.
type Ref struct {
	Kind Kind
	Name string
}

// String is kind and name, "service web".
func (r Ref) String() string { return string(r.Kind) + " " + r.Name }

// Service is the name of a service.
func Service(name string) Ref { return Ref{KindService, name} }

// Network is the name of a network.
func Network(name string) Ref { return Ref{KindNetwork, name} }

// Volume is the name of a volume.
func Volume(name string) Ref { return Ref{KindVolume, name} }

// Image is the name of an image: its reference.
func Image(ref string) Ref { return Ref{KindImage, ref} }

func rank(kind Kind) int {
	return slices.Index([]Kind{KindNetwork, KindVolume, KindConfig, KindSecret, KindImage, KindService}, kind)
}

// Compare orders by kind, then name.
func Compare(a, b Ref) int {
	return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.Name, b.Name))
}

// Graph is a project's dependency graph. It is read-only once made.
type Graph struct {
	*dag.Graph[Ref]
	order    []string
	services *dag.Graph[string]
}

// From builds the graph of a project's enabled services and of what they use. The project is not changed.
//
// The error joins everything that makes it no graph: a [*ReferenceError] for each use of something that is not there, and a
// [*CycleError] where services wait for each other, or are build contexts of each other.
func From(p *project.Project) (*Graph, error) {
	builder := builder{
		project: p,
		graph:   &Graph{Graph: dag.New(Compare), services: dag.New(cmp.Compare[string])},
		builds:  dag.New(cmp.Compare[string]),
	}
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		builder.addService(p.Services[name])
	}
	for name, service := range p.BuiltServices() {
		for _, context := range project.BuildContexts(service) {
			builder.builds.Connect(name, context)
		}
	}
	if len(builder.problems) > 0 {
		return nil, errors.Join(builder.problems...)
	}
	order, err := builder.graph.services.Order()
	if cycle := (*dag.CycleError[string])(nil); errors.As(err, &cycle) {
		return nil, &CycleError{Path: cycle.Path, Position: p.Place("services." + cycle.Path[0] + ".depends_on." + next(cycle.Path))}
	}
	_, err = builder.builds.Order()
	if cycle := (*dag.CycleError[string])(nil); errors.As(err, &cycle) {
		return nil, &CycleError{Path: cycle.Path, Position: p.Place("services." + cycle.Path[0] + ".build.additional_contexts")}
	}
	builder.graph.order = order
	return builder.graph, nil
}

func next(path []string) string { return path[1%len(path)] }

// Services are the names of all services, each after those that it needs.
func (g *Graph) Services() []string { return g.order }

// Needs are the services that a service needs directly, sorted.
func (g *Graph) Needs(service string) []string { return g.services.Deps(service) }

// NeededBy are the services that need a service directly, sorted.
func (g *Graph) NeededBy(service string) []string { return g.services.Dependents(service) }

type builder struct {
	project  *project.Project
	graph    *Graph
	builds   *dag.Graph[string] // services that are build contexts of others
	problems []error
}

func (b *builder) addService(service project.Service) {
	ref := Service(service.Name)
	b.graph.Add(ref)
	b.graph.services.Add(service.Name)
	for name, dependency := range service.DependsOn {
		b.need(service.Name, name, "depends_on", dependency.Required)
	}
	for _, sharing := range SharedWith(b.project, service) {
		b.need(service.Name, sharing.Service, sharing.Key, true)
	}
	b.addUses(ref, service)
	for _, hook := range project.PreStarts(b.project, service) {
		b.addUses(ref, hook.Service)
		for _, sharing := range SharedWith(b.project, hook.Service) {
			b.need(service.Name, sharing.Service, sharing.Key, true)
		}
	}
}

// addUses connects a service with what its containers, or those of its hooks, use.
func (b *builder) addUses(ref Ref, service project.Service) {
	for name := range service.Networks {
		b.use(ref, Network(name), has(b.project.Networks, name), "networks")
	}
	for _, mount := range service.Volumes {
		if mount.Type == project.MountVolume && mount.Source != "" {
			b.use(ref, Volume(mount.Source), has(b.project.Volumes, mount.Source), "volumes")
		}
	}
	for _, config := range service.Configs {
		b.use(ref, Ref{KindConfig, config.Source}, has(b.project.Configs, config.Source), "configs")
	}
	for _, secret := range service.Secrets {
		b.use(ref, Ref{KindSecret, secret.Source}, has(b.project.Secrets, secret.Source), "secrets")
	}
}

func has[V any](m map[string]V, name string) bool {
	_, ok := m[name]
	return ok
}

// need connects two services. One that is not there and not required is no dependency.
func (b *builder) need(service, needed, key string, required bool) {
	switch {
	case has(b.project.Services, needed):
		b.graph.services.Connect(service, needed)
		b.graph.Connect(Service(service), Service(needed))
	case required:
		b.missing(Service(service), Service(needed), key)
	}
}

func (b *builder) use(ref, used Ref, known bool, key string) {
	if !known {
		b.missing(ref, used, key)
		return
	}
	b.graph.Connect(ref, used)
}

func (b *builder) missing(ref, used Ref, key string) {
	b.problems = append(b.problems, &ReferenceError{
		From: ref, To: used, Position: b.project.Place("services." + ref.Name + "." + key),
	})
}

// Sharing is a service whose namespace or volumes another one takes part in.
type Sharing struct {
	Key     string // network_mode, ipc, pid, uts, volumes_from
	Service string
}

// SharedWith are the services whose namespaces or volumes the service shares, by their names or by that of their first container:
// it can only be created after them, and has to be made anew when they are.
func SharedWith(p *project.Project, service project.Service) []Sharing {
	var shared []Sharing
	for _, mode := range []struct{ key, value string }{
		{"network_mode", service.NetworkMode}, {"ipc", service.Ipc}, {"pid", service.Pid}, {"uts", service.Uts},
	} {
		if name, ok := SharedService(p, mode.value); ok && name != service.Name {
			shared = append(shared, Sharing{mode.key, name})
		}
	}
	for _, entry := range service.VolumesFrom {
		if name, ok := VolumesOf(p, entry); ok && name != service.Name {
			shared = append(shared, Sharing{"volumes_from", name})
		}
	}
	return shared
}

// SharedService is the service that a namespace mode names, "service:web", or that has the container that it names,
// "container:shop-web-1".
func SharedService(p *project.Project, mode string) (name string, ok bool) {
	if container, isContainer := strings.CutPrefix(mode, project.ContainerPrefix); isContainer {
		return p.ServiceOfContainer(container)
	}
	return strings.CutPrefix(mode, project.ServicePrefix)
}

// VolumesOf is the service that an entry of volumes_from names, "web:ro", or that has the container that it names,
// "container:shop-web-1:ro".
func VolumesOf(p *project.Project, entry string) (name string, ok bool) {
	entry, isContainer := strings.CutPrefix(entry, project.ContainerPrefix)
	name, _, _ = strings.Cut(entry, ":")
	if isContainer {
		return p.ServiceOfContainer(name)
	}
	return name, true
}

// ReferenceError says that something uses what the project does not have.
type ReferenceError struct {
	From, To Ref
	Position project.Position
}

func (e *ReferenceError) Error() string {
	return at(e.Position) + fmt.Sprintf("%s %q needs %s %q, which does not exist", e.From.Kind, e.From.Name, e.To.Kind, e.To.Name)
}

// CycleError says that services wait for each other. Its text begins like docker compose's.
type CycleError struct {
	Path     []string // each needs the next one, the last one the first
	Position project.Position
}

func (e *CycleError) Error() string {
	return at(e.Position) + "dependency cycle detected: " + strings.Join(append(slices.Clone(e.Path), e.Path[0]), " -> ")
}

// Hint is what to try next.
func (e *CycleError) Hint() string {
	return fmt.Sprintf("remove one of these dependencies, for example the one of %q on %q", e.Path[0], next(e.Path))
}

func at(position project.Position) string {
	if place := position.String(); place != "" {
		return place + ": "
	}
	return ""
}
