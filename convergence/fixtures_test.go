package convergence_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/provider"
	"github.com/muster-dev/muster/project"
)

// fixture is what is up, a command that is given then, and what an up is to make of it in the end. Each archive in testdata/faults is
// one; so is each folder in examples, from nothing.
//
// Its files: `before` (what is up; nothing without it), `after` (what is wanted; `before` without it), `command` (up without it) and
// `with`, a line for each of: example NAME (its files come before ours), push REF (to a registry; another image each time, before the
// command), network NAME and volume NAME (external ones), consent VOLUME, remove orphans, recreate, profile NAME (in the end).
type fixture struct {
	name          string
	before, after *project.Project // before is nil where nothing is up
	command       []string
	policy        plan.Policy
	with          map[string][]string
}

func fixtures(t *testing.T) []fixture {
	t.Helper()
	archives, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	var all []fixture
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, newFixture(t, strings.TrimSuffix(filepath.Base(path), ".txtar"), archive))
	}
	for _, name := range exampleNames(t) {
		archive := &txtar.Archive{Files: []txtar.File{{Name: "with", Data: []byte("example " + name)}, {Name: "after", Data: []byte("services: {}")}}}
		all = append(all, newFixture(t, "example "+name, archive))
	}
	return all
}

func exampleNames(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../examples/*/compose.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	return names
}

func newFixture(t *testing.T, name string, archive *txtar.Archive) fixture {
	t.Helper()
	texts := map[string]string{}
	for _, file := range archive.Files {
		texts[file.Name] = string(file.Data)
	}
	f := fixture{name: name, command: strings.Fields(texts["command"]), with: map[string][]string{}}
	for line := range strings.Lines(texts["with"]) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		f.with[key] = append(f.with[key], value)
	}
	if len(f.command) == 0 {
		f.command = []string{"up"}
	}
	f.policy = plan.Policy{RemoveOrphans: len(f.with["remove"]) > 0}
	if len(f.with["recreate"]) > 0 {
		f.policy.Recreate = plan.RecreateAll
	}
	for _, volume := range f.with["consent"] {
		f.policy.RecreateVolumes = map[string]bool{volume: true}
	}
	if content, ok := texts["before"]; ok {
		f.before = f.load(t, content, nil)
		f.after = f.before
	}
	if content, ok := texts["after"]; ok {
		f.after = f.load(t, content, f.with["profile"])
	}
	return f
}

// load loads once what is used for every point: nothing may change it, which the planner's own tests hold it to.
func (f fixture) load(t *testing.T, content string, profiles []string) *project.Project {
	t.Helper()
	options := project.Options{
		Files: []string{"-"}, Stdin: strings.NewReader(content), Dir: t.TempDir(), Name: "p", Profiles: profiles,
		Env: []string{"PASSWORD=hunter2", "FRONTEND_PORT=0", "HTTP_PORT=0", "POSTGRES_PORT=0"},
	}
	for _, example := range f.with["example"] {
		folder, err := filepath.Abs("../examples/" + example)
		if err != nil {
			t.Fatal(err)
		}
		options.Dir, options.Files = folder, []string{filepath.Join(folder, "compose.yaml"), "-"}
	}
	p, err := project.Load(t.Context(), options)
	if err != nil {
		t.Fatalf("%s: load:\n%v", f.name, err)
	}
	if err := p.ReadContents(); err != nil {
		t.Fatalf("%s: read contents:\n%v", f.name, err)
	}
	return p
}

// stage is an engine on which the fixture's stack is up, and its command is to come.
func (f fixture) stage(t *testing.T) *stage {
	t.Helper()
	registry := dockertest.NewRegistry()
	s := newStageWith(t, dockertest.Options{Remote: registry}, "box")
	for _, p := range []*project.Project{f.before, f.after} {
		for _, ref := range imagesOf(p) {
			s.AddImage(standIn(ref))
		}
	}
	s.policy = plan.Policy{}
	push := func(version string) {
		for _, ref := range f.with["push"] {
			image := dockertest.Box(ref)
			image.Version = version
			registry.Push(image)
		}
	}
	push("1")
	s.addExternals(f.with["network"], f.with["volume"])
	if f.before != nil {
		if _, err := s.bringUp(t.Context(), f.before); err != nil {
			t.Fatalf("%s: the first up: %v\n%s", f.name, err, s.Snapshot())
		}
	}
	push("2")
	if f.command[0] == "start" {
		if err := s.do(t.Context(), f, "stop"); err != nil {
			t.Fatal(err)
		}
	}
	s.policy = f.policy
	return s
}

func (s *stage) addExternals(networks, volumes []string) {
	s.t.Helper()
	for _, name := range networks {
		if _, err := s.eng.CreateNetwork(s.t.Context(), engine.CreateNetwork{Name: name}); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, name := range volumes {
		if _, err := s.eng.CreateVolume(s.t.Context(), engine.CreateVolume{Name: name}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// imagesOf are what a project's services and hooks run and what is not pulled.
func imagesOf(p *project.Project) (refs []string) {
	if p == nil {
		return nil
	}
	for _, service := range p.Services {
		if ref := p.ImageName(service); service.Provider == nil && !strings.HasPrefix(ref, "registry.test/") {
			refs = append(refs, ref)
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

// standIn is an image in which the clients of examples end well, and everything else stays.
func standIn(ref string) dockertest.Image {
	if strings.HasPrefix(ref, "box") {
		image := dockertest.Box(ref)
		image.Version = ref
		return image
	}
	image := dockertest.Image{Ref: ref, Cmd: []string{"stay"}}
	if strings.HasPrefix(ref, "postgres") {
		image.Program = func(world testbox.World) int {
			if world.Args[0] == "psql" || world.Args[0] == "pg_isready" {
				return 0
			}
			return dockertest.Shell(world)
		}
	}
	return image
}

// do carries a command out, as the command line does.
func (s *stage) do(ctx context.Context, f fixture, words ...string) error {
	s.t.Helper()
	converger, p := s.converger(), f.after
	services := slices.DeleteFunc(slices.Clone(words[1:]), func(word string) bool { return strings.HasPrefix(word, "-") })
	lifecycle := plan.LifecycleInput{Name: "p", Project: p, Services: services}
	var made *plan.Plan
	var err error
	switch words[0] {
	case "up":
		_, err = s.bringUp(ctx, p)
		return err
	case "create":
		policy := s.policy
		policy.NoStart = true
		made, err = converger.Plan(ctx, p, policy, false)
	case "run":
		made, err = s.planOneOff(ctx, p, services[0])
	case "down":
		made, err = converger.PlanDown(ctx, f.teardown(words[1:]))
	case "stop":
		made, err = converger.PlanStop(ctx, plan.StopInput{Name: "p", Project: p, Services: services})
	case "start":
		made, err = converger.PlanStart(ctx, lifecycle)
	case "restart":
		made, err = converger.PlanRestart(ctx, lifecycle)
	case "rm":
		made, err = converger.PlanRemove(ctx, plan.RemoveInput{Name: "p", Project: p, Services: services, Stop: slices.Contains(words, "-s")})
	default:
		s.t.Fatalf("%s: unknown command %v", f.name, words)
	}
	if err != nil {
		return err
	}
	return converger.Apply(ctx, made)
}

func (f fixture) teardown(flags []string) plan.TeardownInput {
	input := plan.TeardownInput{
		Name: "p", Project: f.after, RemoveVolumes: slices.Contains(flags, "-v"), RemoveOrphans: true, Providers: providers{},
	}
	if slices.Contains(flags, "--rmi") {
		input.RemoveImages = plan.RemoveAllImages
	}
	return input
}

// planOneOff plans what `run` does before it attaches: what the one-off depends on, and its container.
func (s *stage) planOneOff(ctx context.Context, p *project.Project, service string) (*plan.Plan, error) {
	with, err := p.WithOneOff(service, project.OneOff{})
	if err != nil {
		return nil, err
	}
	return s.converger().PlanOneOff(ctx, with, s.policy, false, plan.OneOff{Service: service, Slug: "abc"})
}

// providers give each service a variable with the values of all options.
type providers struct{}

func (providers) Run(_ context.Context, call provider.Call, _ func(string)) (map[string]string, error) {
	return map[string]string{strings.ToUpper(call.Service) + "_URL": fmt.Sprint(call.Options)}, nil
}
