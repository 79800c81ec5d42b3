package convergence_test

import (
	"context"
	"runtime/debug"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// TestMain collects garbage less often: thousands of engines live for a moment each.
func TestMain(m *testing.M) {
	const percent = 400
	debug.SetGCPercent(percent)
	goleak.VerifyTestMain(m)
}

// stage is an engine in memory and what a test does with it.
type stage struct {
	*dockertest.Engine
	t      *testing.T
	eng    engine.Engine
	policy plan.Policy
	sink   convergence.Sink
	dir    string
}

func newStage(t *testing.T, images ...string) *stage {
	t.Helper()
	return newStageWith(t, dockertest.Options{}, images...)
}

func newStageWith(t *testing.T, options dockertest.Options, images ...string) *stage {
	t.Helper()
	s := &stage{Engine: dockertest.Start(t, options), t: t, dir: t.TempDir()}
	for _, image := range images {
		s.AddImage(dockertest.Box(image))
	}
	s.eng = s.connect()
	return s
}

// connect is a client of its own with a hub, as a process that has just begun.
func (s *stage) connect() engine.Engine {
	hub := engine.NewHub(s.Client(s.t), "p")
	s.t.Cleanup(func() { _ = hub.Close() })
	return hub
}

func (s *stage) load(content string, options ...func(*project.Options)) *project.Project {
	s.t.Helper()
	opts := project.Options{
		Files: []string{"-"}, Stdin: strings.NewReader(content), Dir: s.dir, Name: "p", Env: []string{"PASSWORD=hunter2"},
	}
	for _, option := range options {
		option(&opts)
	}
	p, err := project.Load(s.t.Context(), opts)
	if err != nil {
		s.t.Fatalf("load:\n%v", err)
	}
	if err := p.ReadContents(); err != nil {
		s.t.Fatalf("read contents:\n%v", err)
	}
	return p
}

func (s *stage) converger() convergence.Converger {
	return convergence.Converger{Engine: s.eng, Sink: s.sink, Providers: providers{}}
}

func (s *stage) up(ctx context.Context, content string, options ...func(*project.Options)) (*plan.Plan, error) {
	s.t.Helper()
	return s.bringUp(ctx, s.load(content, options...))
}

// bringUp is how every test here brings a project up.
func (s *stage) bringUp(ctx context.Context, p *project.Project) (*plan.Plan, error) {
	return s.converger().Up(ctx, p, s.policy)
}

func (s *stage) mustUp(content string, options ...func(*project.Options)) *plan.Plan {
	s.t.Helper()
	made, err := s.up(s.t.Context(), content, options...)
	if err != nil {
		s.t.Fatalf("up: %v\n%s", err, s.Snapshot())
	}
	return made
}

// failingUp expects an up to fail with a text.
func (s *stage) failingUp(content, want string) error {
	s.t.Helper()
	_, err := s.up(s.t.Context(), content)
	if err == nil || !strings.Contains(err.Error(), want) {
		s.t.Fatalf("up: error %v, want one with %q\n%s", err, want, s.Snapshot())
	}
	return err
}

// settled expects that there is nothing left to do.
func (s *stage) settled(content string) {
	s.t.Helper()
	made, err := s.converger().Plan(s.t.Context(), s.load(content), plan.Policy{}, false)
	if err != nil || made.HasChanges() {
		s.t.Errorf("something is left to change (error %v):\n%s\n%s", err, made, s.Snapshot())
	}
}

func (s *stage) container(name string) dockertest.ContainerState {
	s.t.Helper()
	c, ok := s.Snapshot().Container(name)
	if !ok {
		s.t.Fatalf("no container %s:\n%s", name, s.Snapshot())
	}
	return c
}

// names are all containers with their states.
func (s *stage) names() string {
	var names []string
	for _, c := range s.Snapshot().Containers {
		names = append(names, c.Name+" "+c.State)
	}
	return strings.Join(names, ", ")
}

// runs expects a container to run, and to be one that was seen before.
func (s *stage) runs(before dockertest.ContainerState) {
	s.t.Helper()
	now := s.container(before.Name)
	if now.ID != before.ID || now.State != "running" || now.Policy != before.Policy {
		s.t.Errorf("now %s %s %s %s, before %s %s %s", now.Name, now.ID[:12], now.State, now.Policy, before.ID[:12], before.State, before.Policy)
	}
}

func (s *stage) named(want string) {
	s.t.Helper()
	if got := s.names(); got != want {
		s.t.Errorf("containers %s, want %s", got, want)
	}
}

// foreign makes a container that has nothing to do with the project, and starts it.
func (s *stage) foreign(name string) dockertest.ContainerState {
	s.t.Helper()
	request := engine.CreateContainer{Name: name, Image: "box", NetworkMode: "none"}
	if _, err := s.eng.CreateContainer(s.t.Context(), request); err != nil {
		s.t.Fatal(err)
	}
	if err := s.eng.StartContainer(s.t.Context(), name); err != nil {
		s.t.Fatal(err)
	}
	return s.container(name)
}
