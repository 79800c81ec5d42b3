package plan_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/provider"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// world is a state that steps can be carried out on, without an engine: what the planner's tests plan against.
type world struct {
	plan.State
	created  int
	archives int
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func load(t *testing.T, content, services string, options ...func(*project.Options)) *project.Project {
	t.Helper()
	opts := project.Options{
		Files: []string{"-"}, Stdin: strings.NewReader(content), Dir: t.TempDir(), Name: "p", Env: []string{"PASSWORD=hunter2"},
	}
	if services != "" {
		opts.Services = strings.Split(services, ",")
	}
	for _, option := range options {
		option(&opts)
	}
	p, err := project.Load(t.Context(), opts)
	if err != nil {
		t.Fatalf("load:\n%v", err)
	}
	if err := p.ReadContents(); err != nil {
		t.Fatalf("read contents:\n%v", err)
	}
	p.WorkingDir = "/p"
	return p
}

func loadText(b *testing.B, content string) *project.Project {
	b.Helper()
	p, err := project.Load(b.Context(), project.Options{Files: []string{"-"}, Stdin: strings.NewReader(content), Dir: b.TempDir(), Name: "p"})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// withImages adds an image for every reference that the project names and that is not marked as missing.
func (w *world) withImages(p *project.Project) {
	if w.Images == nil {
		w.Images = map[string]engine.Image{}
	}
	var refs []string
	for _, service := range p.Services {
		if service.Provider != nil {
			continue
		}
		refs = append(refs, p.ImageName(service))
		for _, hook := range project.PreStarts(p, service) {
			refs = append(refs, hook.Service.Image)
		}
	}
	for _, ref := range refs {
		if _, ok := w.Images[ref]; !ok && !strings.Contains(ref, "missing") {
			w.Images[ref] = engine.Image{ID: digest(ref), Tags: []string{ref}}
		}
	}
}

// up plans and carries out, and fails the test when the outcome is not what was planned for: a second plan must be empty.
func (w *world) up(t *testing.T, p *project.Project, policy plan.Policy) {
	t.Helper()
	w.withImages(p)
	w.apply(t, reconcile(t, p, w.State, policy))
}

func reconcile(t *testing.T, p *project.Project, state plan.State, policy plan.Policy) *plan.Plan {
	t.Helper()
	g, err := graph.From(p)
	if err != nil {
		t.Fatalf("graph: %v", err)
	}
	made, err := plan.Reconcile(plan.Input{Project: p, Graph: g, State: state, Policy: policy, Providers: providers{}})
	if err != nil {
		t.Fatalf("reconcile: %v", err)
	}
	return made
}

// apply carries out a plan's steps in an order in which they can run. Images that may have changed have.
func (w *world) apply(t *testing.T, made *plan.Plan) {
	t.Helper()
	order, err := made.Order.Order()
	if err != nil {
		t.Fatalf("the plan has a cycle: %v\n%v", err, made.Nodes)
	}
	for _, id := range order {
		if when := made.Nodes[id].When; when != nil {
			if met, _ := when.Met(t.Context(), otherImages{}); !met {
				continue
			}
		}
		if err := w.run(t.Context(), made.Nodes[id].Step); err != nil {
			t.Fatalf("%s: %v\nin plan\n%s", made.Nodes[id].Step, err, made)
		}
	}
	slices.SortFunc(w.Containers, func(a, b engine.Container) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(w.Networks, func(a, b engine.Network) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(w.Volumes, func(a, b engine.Volume) int { return cmp.Compare(a.Name, b.Name) })
}

func (w *world) run(ctx context.Context, s step.Step) error {
	if _, waits := s.(step.Settle); waits {
		return nil // nothing ends in this world
	}
	if wait, ok := s.(step.Wait); ok {
		wait.Steady, wait.Monitor = 0, 0
		s = wait
	}
	return s.Run(ctx, &simulated{world: w}, func(step.Progress) {})
}

// providers give each service a variable with the values of all options.
type providers struct{}

func (providers) Run(_ context.Context, call provider.Call, _ func(string)) (map[string]string, error) {
	return map[string]string{strings.ToUpper(call.Service) + "_URL": fmt.Sprint(call.Options)}, nil
}

// otherImages has another image for every reference.
type otherImages struct{ engine.Engine }

func (otherImages) InspectImage(context.Context, string) (engine.Image, error) {
	return engine.Image{ID: "another"}, nil
}

// simulated is just enough of an engine for steps to change a world.
type simulated struct {
	engine.Engine // nil: what is not simulated must not be called
	world         *world
}

func (s *simulated) find(ref string) (int, error) {
	for i, c := range s.world.Containers {
		if c.ID == ref || c.Name == ref {
			return i, nil
		}
	}
	return 0, fmt.Errorf("container %q: %w", ref, engine.ErrNotFound)
}

func (s *simulated) change(ref string, change func(c *engine.Container) error) error {
	i, err := s.find(ref)
	if err != nil {
		return err
	}
	return change(&s.world.Containers[i])
}

func (s *simulated) InspectContainer(_ context.Context, ref string) (engine.ContainerDetails, error) {
	i, err := s.find(ref)
	if err != nil {
		return engine.ContainerDetails{}, err
	}
	details := engine.ContainerDetails{Container: s.world.Containers[i]}
	if details.Health != engine.HealthNone {
		details.HealthCheck = &engine.HealthCheck{Status: details.Health}
	}
	return details, nil
}

func (s *simulated) CreateContainer(_ context.Context, request engine.CreateContainer) (engine.Created, error) {
	if _, err := s.find(request.Name); err == nil {
		return engine.Created{}, fmt.Errorf("name %q: %w", request.Name, engine.ErrConflict)
	}
	s.world.created++
	c := engine.Container{
		ID: digest(strconv.Itoa(s.world.created))[7:], Name: request.Name, State: engine.StateCreated,
		Project: request.Labels[project.LabelProject], Service: request.Service.Name, Number: request.Number,
		Hook: request.Labels[project.LabelHook], Image: request.Image, ImageID: s.world.Images[request.Image].ID, Labels: request.Labels,
	}
	if request.Service.HealthCheck != nil {
		c.Health = engine.HealthHealthy
	}
	for _, endpoint := range request.Networks {
		network, ok := s.network(endpoint.Network)
		if !ok {
			return engine.Created{}, fmt.Errorf("network %q: %w", endpoint.Network, engine.ErrNotFound)
		}
		c.Networks = append(c.Networks, engine.Attachment{Network: network.Name, NetworkID: network.ID})
	}
	for _, mount := range request.Mounts {
		name := mount.Source
		if mount.Type == project.MountVolume && name == "" {
			name = digest(c.ID + mount.Target)[7:]
			s.makeVolume(mount, name, map[string]string{project.LabelAnonymous: ""})
		}
		if mount.Volume != nil && mount.Volume.Labels[project.LabelFiles] != "" {
			s.makeVolume(mount, name, map[string]string{})
		}
		if mount.Type == project.MountVolume && !slices.ContainsFunc(s.world.Volumes, func(v engine.Volume) bool { return v.Name == name }) {
			return engine.Created{}, fmt.Errorf("volume %q: %w", name, engine.ErrNotFound)
		}
		c.Mounts = append(c.Mounts, engine.MountPoint{Type: mount.Type, Name: name, Target: mount.Target})
	}
	s.world.Containers = append(s.world.Containers, c)
	return engine.Created{ID: c.ID}, nil
}

// makeVolume makes the volume of a mount, unless it is there.
func (s *simulated) makeVolume(mount project.Mount, name string, labels map[string]string) {
	if slices.ContainsFunc(s.world.Volumes, func(v engine.Volume) bool { return v.Name == name }) {
		return
	}
	if mount.Volume != nil {
		maps.Copy(labels, mount.Volume.Labels)
	}
	s.world.Volumes = append(s.world.Volumes, engine.Volume{Name: name, Labels: labels})
}

// PutArchive only takes files for what is there and has not run.
func (s *simulated) PutArchive(_ context.Context, ref, _ string, _ io.Reader, _ engine.PutArchive) error {
	return s.change(ref, func(c *engine.Container) error {
		if c.State != engine.StateCreated {
			return fmt.Errorf("files for %s, which is %s", c.Name, c.State)
		}
		s.world.archives++
		return nil
	})
}

func (s *simulated) StartContainer(_ context.Context, ref string) error {
	return s.change(ref, func(c *engine.Container) error {
		for _, other := range s.world.Containers {
			if other.State == engine.StateRunning && other.Name != c.Name && other.Service == c.Service && other.Number == c.Number {
				return fmt.Errorf("%s and %s run at once", other.Name, c.Name)
			}
		}
		c.State = engine.StateRunning
		return nil
	})
}

func (s *simulated) Exec(_ context.Context, ref string, request engine.Exec, _ func(engine.Frame) error) (int, error) {
	return 0, s.change(ref, func(c *engine.Container) error {
		if c.State != engine.StateRunning {
			return fmt.Errorf("%s does not run: %w", ref, engine.ErrConflict)
		}
		c.Status = strings.TrimPrefix(c.Status+" "+strings.Join(request.Command, " "), " ")
		return nil
	})
}

func (s *simulated) StopContainer(_ context.Context, ref string, _ *time.Duration) error {
	return s.change(ref, func(c *engine.Container) error {
		c.State = engine.StateExited
		return nil
	})
}

func (s *simulated) RemoveContainer(_ context.Context, ref string, _ engine.RemoveContainer) error {
	i, err := s.find(ref)
	if err != nil {
		return err
	}
	if s.world.Containers[i].Running() {
		return fmt.Errorf("%s is removed while it runs", ref)
	}
	s.world.Containers = slices.Delete(s.world.Containers, i, i+1)
	return nil
}

func (s *simulated) RenameContainer(_ context.Context, ref, name string) error {
	if _, err := s.find(name); err == nil {
		return fmt.Errorf("name %q: %w", name, engine.ErrConflict)
	}
	return s.change(ref, func(c *engine.Container) error {
		c.Name = name
		return nil
	})
}

func (s *simulated) SetRestartPolicy(_ context.Context, ref string, _ engine.RestartPolicy) error {
	return s.change(ref, func(*engine.Container) error { return nil })
}

func (s *simulated) network(name string) (engine.Network, bool) {
	for _, network := range s.world.Networks {
		if network.Name == name || network.ID == name {
			return network, true
		}
	}
	return engine.Network{}, false
}

func (s *simulated) CreateNetwork(_ context.Context, request engine.CreateNetwork) (string, error) {
	if _, ok := s.network(request.Name); ok {
		return "", fmt.Errorf("network %q exists: %w", request.Name, engine.ErrInvalid)
	}
	s.world.created++
	id := digest("network " + strconv.Itoa(s.world.created))[7:]
	s.world.Networks = append(s.world.Networks, engine.Network{ID: id, Name: request.Name, Labels: request.Labels, Settings: request.Network})
	return id, nil
}

func (s *simulated) RemoveNetwork(_ context.Context, ref string) error {
	network, ok := s.network(ref)
	if !ok {
		return engine.ErrNotFound
	}
	for _, c := range s.world.Containers {
		if slices.ContainsFunc(c.Networks, func(a engine.Attachment) bool { return a.NetworkID == network.ID }) {
			return fmt.Errorf("network %s is used by %s: %w", network.Name, c.Name, engine.ErrInUse)
		}
	}
	s.world.Networks = slices.DeleteFunc(s.world.Networks, func(n engine.Network) bool { return n.ID == network.ID })
	return nil
}

func (s *simulated) ConnectNetwork(_ context.Context, ref string, endpoint engine.Endpoint) error {
	network, ok := s.network(endpoint.Network)
	if !ok {
		return engine.ErrNotFound
	}
	return s.change(ref, func(c *engine.Container) error {
		c.Networks = append(c.Networks, engine.Attachment{Network: network.Name, NetworkID: network.ID})
		return nil
	})
}

func (s *simulated) DisconnectNetwork(_ context.Context, ref, networkRef string) error {
	return s.change(ref, func(c *engine.Container) error {
		c.Networks = slices.DeleteFunc(slices.Clone(c.Networks), func(a engine.Attachment) bool { return a.NetworkID == networkRef })
		return nil
	})
}

func (s *simulated) CreateVolume(_ context.Context, request engine.CreateVolume) (engine.Volume, error) {
	volume := engine.Volume{Name: request.Name, Labels: request.Labels}
	s.world.Volumes = append(s.world.Volumes, volume)
	return volume, nil
}

func (s *simulated) RemoveVolume(_ context.Context, name string) error {
	for _, c := range s.world.Containers {
		if slices.ContainsFunc(c.Mounts, func(m engine.MountPoint) bool { return m.Name == name }) {
			return fmt.Errorf("volume %s is used by %s: %w", name, c.Name, engine.ErrInUse)
		}
	}
	s.world.Volumes = slices.DeleteFunc(s.world.Volumes, func(v engine.Volume) bool { return v.Name == name })
	return nil
}

func (s *simulated) InspectImage(_ context.Context, ref string) (engine.Image, error) {
	image, ok := s.world.Images[ref]
	if !ok {
		return engine.Image{}, engine.ErrNotFound
	}
	return image, nil
}

func (s *simulated) PullImage(_ context.Context, request engine.PullImage, _ func(engine.PullProgress)) error {
	s.world.Images[request.Ref] = engine.Image{ID: digest("pulled " + request.Ref), Tags: []string{request.Ref}}
	return nil
}

func (s *simulated) BuildImage(
	_ context.Context, request engine.BuildImage, _ func(engine.BuildProgress),
) (engine.BuiltImage, error) {
	id := digest("built " + request.Service)
	for _, tag := range request.Tags {
		s.world.Images[tag] = engine.Image{ID: id, Tags: request.Tags}
	}
	return engine.BuiltImage{ID: id}, nil
}

// Events lets time pass: health checks succeed, and images called job or migrate run to their end.
func (s *simulated) Events(_ context.Context, _ engine.EventFilter, ready func(), yield func(engine.Event) error) error {
	ready()
	for i := range s.world.Containers {
		c := &s.world.Containers[i]
		if c.Health == engine.HealthStarting {
			c.Health = engine.HealthHealthy
		}
		if c.State == engine.StateRunning && (c.Image == "job" || c.Image == "migrate" || c.Hook != "") {
			c.State = engine.StateExited
		}
		if err := yield(engine.Event{Kind: engine.EventContainer, Action: "die", ID: c.ID}); err != nil {
			return err
		}
	}
	return fmt.Errorf("nothing happens: %w", engine.ErrUnavailable)
}

func (s *simulated) Logs(context.Context, string, engine.LogOptions, func(engine.Frame) error) error {
	return nil
}
