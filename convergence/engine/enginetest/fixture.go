package enginetest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// patience is how long anything may take that is not the thing under test. Nothing waits for it to pass.
const patience = 60 * time.Second

// fixture is a test with its engine and a name of its own: all that it makes begins with that name, and goes with the test.
type fixture struct {
	*testing.T
	engine.Engine
	harness Harness
	ctx     context.Context //nolint:containedctx // a test's own
	name    string          // of the project, and the beginning of all other names
	built   []string        // IDs of images that may have no name any more
}

func newFixture(t *testing.T, harness Harness) *fixture {
	t.Helper()
	hash := fnv.New32a()
	_, _ = fmt.Fprint(hash, t.Name(), os.Getpid())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	f := &fixture{T: t, harness: harness, Engine: harness.Connect(t), ctx: ctx, name: fmt.Sprintf("muster-test-%x", hash.Sum32())}
	t.Cleanup(f.clean)
	return f
}

// clean removes what the test has made; it is registered after the engine's end, and so runs before it.
func (f *fixture) clean() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), patience)
	defer cancel()
	containers, err := f.ListContainers(ctx, engine.ContainerFilter{})
	f.check(err, "list containers")
	for _, c := range containers {
		if strings.HasPrefix(c.Name, f.name) {
			f.check(f.RemoveContainer(ctx, c.ID, engine.RemoveContainer{Force: true, Volumes: true}), "remove container "+c.Name)
		}
	}
	f.cleanImages(ctx)
	networks, err := f.ListNetworks(ctx)
	f.check(err, "list networks")
	for _, n := range networks {
		if strings.HasPrefix(n.Name, f.name) {
			f.check(f.RemoveNetwork(ctx, n.ID), "remove network "+n.Name)
		}
	}
	volumes, err := f.ListVolumes(ctx)
	f.check(err, "list volumes")
	for _, v := range volumes {
		if strings.HasPrefix(v.Name, f.name) {
			f.check(f.RemoveVolume(ctx, v.Name), "remove volume "+v.Name)
		}
	}
}

// cleanImages removes what was built, also where it has lost its name.
func (f *fixture) cleanImages(ctx context.Context) {
	images, err := f.ListImages(ctx)
	f.check(err, "list images")
	for _, i := range images {
		for _, tag := range i.Tags {
			if strings.HasPrefix(tag, f.name) {
				f.check(f.RemoveImage(ctx, tag), "remove image "+tag)
			}
		}
	}
	for _, id := range f.built {
		f.check(f.RemoveImage(ctx, id), "remove image "+id)
	}
}

// check reports an error of the clean-up; what is gone already is as good as removed.
func (f *fixture) check(err error, what string) {
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		f.Errorf("%s: %v", what, err)
	}
}

// must ends the test on an error.
func (f *fixture) must(err error, what string) {
	f.Helper()
	if err != nil {
		f.Fatalf("%s: %v", what, err)
	}
}

// wants says that an error is the sentinel that the contract promises.
func (f *fixture) wants(err, sentinel error, what string) {
	f.Helper()
	if !errors.Is(err, sentinel) {
		f.Errorf("%s: got error %v, want one that is %q", what, err, sentinel)
	}
}

// own is a name that belongs to the test.
func (f *fixture) own(name string) string { return f.name + "-" + name }

// request is a create request for a container of the box, running testbox with the arguments.
func (f *fixture) request(name string, arguments ...string) engine.CreateContainer {
	service := project.Service{Name: name}
	service.Command = arguments
	return engine.CreateContainer{
		Name: f.own(name), Image: f.harness.Box, Service: service,
		Labels: map[string]string{
			project.LabelProject: f.name, project.LabelService: name, project.LabelNumber: "1", project.LabelOneOff: "False",
		},
		NetworkMode: "none",
	}
}

// create makes the container of a request and returns its ID.
func (f *fixture) create(request engine.CreateContainer) string {
	f.Helper()
	created, err := f.CreateContainer(f.ctx, request)
	f.must(err, "create container "+request.Name)
	if created.ID == "" {
		f.Fatalf("create container %s: no ID", request.Name)
	}
	return created.ID
}

// start makes and starts a container and returns its ID.
func (f *fixture) start(request engine.CreateContainer) string {
	f.Helper()
	id := f.create(request)
	f.must(f.StartContainer(f.ctx, id), "start container "+request.Name)
	return id
}

// finish starts a container, waits until it has ended and returns what is known of it then.
func (f *fixture) finish(request engine.CreateContainer) engine.ContainerDetails {
	f.Helper()
	id := f.create(request)
	w := f.watch(f.name)
	f.must(f.StartContainer(f.ctx, id), "start container "+request.Name)
	w.await(id, "die")
	return f.inspect(id)
}

func (f *fixture) inspect(ref string) engine.ContainerDetails {
	f.Helper()
	details, err := f.InspectContainer(f.ctx, ref)
	f.must(err, "inspect container "+ref)
	return details
}

// listed is the container of that name as a list of the test's project has it.
func (f *fixture) listed(name string) engine.Container {
	f.Helper()
	containers, err := f.ListContainers(f.ctx, engine.ContainerFilter{Project: f.name})
	f.must(err, "list containers")
	for _, c := range containers {
		if c.Name == f.own(name) {
			return c
		}
	}
	f.Fatalf("list containers: %s is not among %d", f.own(name), len(containers))
	return engine.Container{}
}

// network makes a network of the test and returns its ID.
func (f *fixture) network(name string, wanted project.Network) string {
	f.Helper()
	id, err := f.CreateNetwork(f.ctx, engine.CreateNetwork{Name: f.own(name), Network: wanted, Labels: map[string]string{project.LabelProject: f.name}})
	f.must(err, "create network "+f.own(name))
	return id
}

// volume makes a volume of the test and returns its name.
func (f *fixture) volume(name string) string {
	f.Helper()
	created, err := f.CreateVolume(f.ctx, engine.CreateVolume{Name: f.own(name), Labels: map[string]string{project.LabelProject: f.name}})
	f.must(err, "create volume "+f.own(name))
	return created.Name
}

// olderThan says whether the API in use is older than a version.
func (f *fixture) olderThan(version string) bool {
	f.Helper()
	in, err := f.Version(f.ctx)
	f.must(err, "version")
	return len(in.API) < len(version) || len(in.API) == len(version) && in.API < version
}

// equal compares one fact.
func equal[T comparable](f *fixture, what string, got, want T) {
	f.Helper()
	if got != want {
		f.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func ptr[T any](value T) *T { return &value }

// fill makes an option struct of the model, whose type has no name here.
func fill[T any](field **T) { *field = new(T) }

func portText(port uint16) string { return strconv.Itoa(int(port)) }
