package plan_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

var update = flag.Bool("update", false, "write the plans that the tests get into their archives")

// Each archive is a scenario: `before.yaml` is brought up in a simulated world, `change` edits that world, then `compose.yaml`
// is planned with `policy`, and `plan` is the plan that has to come out.
func TestScenarios(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runScenario(t, path)
		})
	}
}

type scenario struct {
	archive *txtar.Archive
	path    string
}

func (s scenario) file(name string) string {
	for _, file := range s.archive.Files {
		if file.Name == name {
			return string(file.Data)
		}
	}
	return ""
}

func runScenario(t *testing.T, path string) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := scenario{archive, path}
	w := &world{}
	if before := s.file("before.yaml"); before != "" {
		w.up(t, load(t, before, ""), plan.Policy{})
	}
	w.edit(t, s.file("change"))
	policy, services, option := parsePolicy(t, s.file("policy"))
	p := load(t, s.file("compose.yaml"), services, option)
	w.withImages(p)
	got := outcome(t, p, w.State, policy)
	if again := outcome(t, p, w.State, policy); again != got {
		t.Errorf("planned twice, two plans:\n%s\n%s", got, again)
	}
	if want := s.file("plan"); got != want && !*update {
		t.Errorf("plan\n%s\nwant\n%s", got, want)
	}
	if *update {
		s.write(t, got)
	}
	if !strings.HasPrefix(got, "error") && !strings.Contains(s.file("policy"), "no second") {
		w.converges(t, p, policy)
	}
}

// converges carries the plan out and expects that nothing is left to change.
func (w *world) converges(t *testing.T, p *project.Project, policy plan.Policy) {
	t.Helper()
	w.up(t, p, policy)
	policy.Recreate, policy.Wait = plan.RecreateChanged, false
	if second := reconcile(t, p, w.State, policy); second.HasChanges() {
		t.Errorf("a second plan changes something:\n%s", describe(second))
	}
}

func (s scenario) write(t *testing.T, got string) {
	t.Helper()
	for i := range s.archive.Files {
		if s.archive.Files[i].Name == "plan" {
			s.archive.Files[i].Data = []byte(got)
		}
	}
	if s.file("plan") == "" {
		s.archive.Files = append(s.archive.Files, txtar.File{Name: "plan", Data: []byte(got)})
	}
	if err := os.WriteFile(s.path, txtar.Format(s.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func outcome(t *testing.T, p *project.Project, state plan.State, policy plan.Policy) string {
	t.Helper()
	g, err := graph.From(p)
	if err != nil {
		return fmt.Sprintf("error: %v\n", err)
	}
	made, err := plan.Reconcile(plan.Input{Project: p, Graph: g, State: state, Policy: policy, Providers: providers{}})
	if err != nil {
		return fmt.Sprintf("error: %v\n", err)
	}
	return describe(made)
}

func describe(made *plan.Plan) string {
	var text bytes.Buffer
	for _, change := range made.Changes {
		fmt.Fprintf(&text, "%s %s", change.Kind, change.Ref)
		for _, object := range change.Objects {
			fmt.Fprintf(&text, " %s", object.Name)
		}
		if change.Note != "" {
			fmt.Fprintf(&text, " (%s)", change.Note)
		}
		text.WriteByte('\n')
		for _, reason := range change.Reasons {
			fmt.Fprintf(&text, "  %s\n", reason)
		}
	}
	for _, kept := range made.Unchanged {
		fmt.Fprintf(&text, "keep %s\n", kept.Object)
	}
	for _, warning := range made.Warnings {
		fmt.Fprintf(&text, "warning: %s\n", warning.Message)
	}
	for _, question := range made.Questions {
		fmt.Fprintf(&text, "question: %s\n", question.Text)
	}
	text.WriteString(made.String())
	return text.String()
}

// parsePolicy reads a word a line.
func parsePolicy(t *testing.T, text string) (policy plan.Policy, services string, option func(*project.Options)) {
	t.Helper()
	option = func(*project.Options) {}
	for line := range strings.Lines(text) {
		word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "force-recreate":
			policy.Recreate = plan.RecreateAll
		case "no-recreate":
			policy.Recreate = plan.RecreateNone
		case "remove-orphans":
			policy.RemoveOrphans = true
		case "ignore-orphans":
			policy.IgnoreOrphans = true
		case "build":
			policy.Build = plan.BuildAlways
		case "no-build":
			policy.Build = plan.BuildNever
		case "no-start":
			policy.NoStart = true
		case "wait":
			policy.Wait = true
			policy.WaitTimeout, _ = time.ParseDuration(value)
		case "services":
			services, policy.Targets = value, strings.Split(value, ",")
		case "no-deps":
			option = func(o *project.Options) { o.NoDeps = true }
		case "recreate-volume":
			policy.RecreateVolumes = map[string]bool{value: true}
		case "no", "":
		default:
			t.Fatalf("policy %q", line)
		}
	}
	return policy, services, option
}

// edit changes the world: "NAME state exited 1", "NAME health starting", "NAME remove", "NAME rename OTHER", "NAME copy OTHER",
// "NAME label KEY VALUE", "NAME unlabel KEY", "NAME compared", "NAME differs PATH MADE WANTED" ("-" for none), "image REF ID", "remote REF DIGEST", "network NAME", "volume NAME", "detail NAME KEY=VALUE".
func (w *world) edit(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) < 2:
			continue
		case words[0] == "image":
			w.Images[words[1]] = engine.Image{ID: words[2], Tags: []string{words[1]}}
		case words[0] == "remote":
			w.RemoteDigests = map[string]string{words[1]: words[2]}
		case words[0] == "network":
			w.Networks = append(w.Networks, engine.Network{ID: digest(words[1])[7:], Name: words[1]})
		case words[0] == "volume":
			volume := engine.Volume{Name: words[1]}
			if len(words) > 2 { // of secrets and configs
				volume.Labels = map[string]string{project.LabelFiles: "p"}
			}
			w.Volumes = append(w.Volumes, volume)
		default:
			w.editContainer(t, words)
		}
	}
}

func (w *world) editContainer(t *testing.T, words []string) {
	t.Helper()
	s := &simulated{world: w}
	i, err := s.find(words[0])
	if err != nil {
		t.Fatal(err)
	}
	c := &w.Containers[i]
	switch words[1] {
	case "state":
		c.State = engine.State(words[2])
		if len(words) > 3 {
			_, _ = fmt.Sscan(words[3], &c.ExitCode)
		}
	case "health":
		c.Health = engine.Health(words[2])
	case "remove":
		w.Containers = append(w.Containers[:i:i], w.Containers[i+1:]...)
	case "rename":
		c.Name = words[2]
	case "copy":
		other := *c
		other.Name, other.ID, other.Labels = words[2], digest(words[2])[7:], maps.Clone(c.Labels)
		w.Containers = append(w.Containers, other)
	case "hook":
		c.Hook, c.Labels[project.LabelHook] = words[2], words[2]
		delete(c.Labels, project.LabelConfigHash)
	case "service":
		c.Service = words[2]
	case "label":
		c.Labels[words[2]] = strings.Join(words[3:], " ")
	case "compared", "differs":
		if w.Differences == nil {
			w.Differences = map[string][]engine.Difference{}
		}
		w.Differences[c.ID] = append(w.Differences[c.ID], difference(words[2:])...)
	case "unlabel":
		delete(c.Labels, words[2])
	case "environment":
		key, value, _ := strings.Cut(words[2], "=")
		if w.Details == nil {
			w.Details = map[string]engine.ContainerDetails{}
		}
		w.Details[c.ID] = engine.ContainerDetails{
			Container: *c, Environment: map[string]string{key: value}, Restart: engine.RestartPolicy{Name: "always"},
		}
	default:
		t.Fatalf("change %q", words)
	}
}

func difference(words []string) []engine.Difference {
	if len(words) == 0 {
		return nil
	}
	d := engine.Difference{Path: words[0], Made: words[1], Wanted: words[2], Added: words[1] == "-", Removed: words[2] == "-"}
	d.Made, d.Wanted = strings.Trim(d.Made, "-"), strings.Trim(d.Wanted, "-")
	return []engine.Difference{d}
}
