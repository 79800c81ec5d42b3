package plan_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// Each archive is a project that is up, what has happened to it since, and pairs of a command (`start web`, with -labels where
// only the project's name is known) and the plan that it gives. Commands are planned one by one, from the same state.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/lifecycle/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := scenario{archive, path}
			p := load(t, s.file("compose.yaml"), "")
			w := &world{}
			w.up(t, p, plan.Policy{})
			w.edit(t, s.file("change"))
			for i, file := range archive.Files {
				if file.Name == "compose.yaml" || file.Name == "change" {
					continue
				}
				got := lifecyclePlan(t, strings.Fields(file.Name), p, w)
				if got != string(file.Data) && !*update {
					t.Errorf("%s\n%s\nwant\n%s", file.Name, got, file.Data)
				}
				archive.Files[i].Data = []byte(got)
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// lifecyclePlan is what a command line plans, as text with its changes and warnings.
func lifecyclePlan(t *testing.T, words []string, p *project.Project, w *world) string {
	t.Helper()
	flags := map[string]bool{}
	services := slices.DeleteFunc(words[1:], func(word string) bool {
		if strings.HasPrefix(word, "-") {
			flags[word] = true
			return true
		}
		return false
	})
	if flags["-labels"] {
		p = nil
	}
	life := plan.LifecycleInput{
		Name: "p", Project: p, State: w.State, Services: services, NoDeps: flags["-no-deps"],
		Wait: flags["-wait"], WaitTimeout: time.Minute,
	}
	var made *plan.Plan
	var err error
	switch words[0] {
	case "start":
		made, err = plan.StartContainers(life)
	case "restart":
		made, err = plan.RestartContainers(life)
	case "stop":
		made = plan.StopContainers(plan.StopInput{Name: "p", Project: p, State: w.State, Services: services, Providers: providers{}})
	case "pause":
		made = plan.PauseContainers(plan.PauseInput{Name: "p", Project: p, State: w.State, Services: services})
	case "unpause":
		made = plan.UnpauseContainers(plan.PauseInput{Name: "p", Project: p, State: w.State, Services: services})
	case "kill":
		made = plan.KillContainers(plan.KillInput{
			Name: "p", Project: p, State: w.State, Services: services, OneOffs: true, RemoveOrphans: flags["-remove-orphans"],
		})
	case "rm":
		made = plan.RemoveContainers(plan.RemoveInput{
			Name: "p", Project: p, State: w.State, Services: services, Stop: flags["-stop"], Volumes: flags["-volumes"],
		})
	default:
		t.Fatalf("unknown command %q", words[0])
	}
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var text strings.Builder
	text.WriteString(made.String())
	for _, change := range made.Changes {
		fmt.Fprintf(&text, "%s %s %v\n", change.Kind, change.Ref, change.Objects)
	}
	for _, warning := range made.Warnings {
		fmt.Fprintf(&text, "warning: %s\n", warning.Message)
	}
	return text.String()
}
