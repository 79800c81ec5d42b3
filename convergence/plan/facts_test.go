package plan_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

// Each archive plans `compose.yaml` for an engine; `plan` is what comes of it, the warnings included.
func TestEngines(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/engine/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := scenario{archive, path}
			var info engine.Info
			if err := json.Unmarshal([]byte(s.file("engine")), &info); err != nil {
				t.Fatal(err)
			}
			p := load(t, s.file("compose.yaml"), "")
			w := &world{State: plan.State{Engine: &info}}
			w.withImages(p)
			if !plan.AsksOfEngine(p) {
				t.Error("the project asks nothing of the engine")
			}
			got := outcome(t, p, w.State, plan.Policy{})
			if *update {
				s.write(t, got)
			} else if want := s.file("plan"); got != want {
				t.Errorf("plan\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Most projects ask nothing of the engine, which saves a call.
func TestPlainProjectsAskNothing(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("testdata/create.txtar")
	if err != nil {
		t.Fatal(err)
	}
	p := load(t, scenario{archive: txtar.Parse(content)}.file("compose.yaml"), "")
	if plan.AsksOfEngine(p) {
		t.Error("a plain project asks what the engine is")
	}
}

// An image whose pull policy names a time is pulled when the engine has had it for longer.
func TestPullAgainAfterATime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	const hour = time.Hour
	for _, c := range []struct {
		policy string
		age    time.Duration
		pulled bool
	}{
		{"daily", 23 * hour, false},
		{"daily", 24 * hour, true},
		{"weekly", 6 * 24 * hour, false},
		{"weekly", 8 * 24 * hour, true},
		{"every_90m", hour, false},
		{"every_90m", 2 * hour, true},
		{"refresh, pull_refresh_after: 2h", hour, false},
		{"refresh, pull_refresh_after: 2h", 3 * hour, true},
	} {
		p := load(t, "services: {web: {image: i, pull_policy: "+c.policy+"}}", "")
		w := &world{State: plan.State{Now: now}}
		w.withImages(p)
		for ref, image := range w.Images {
			image.LastTagged = now.Add(-c.age)
			w.Images[ref] = image
		}
		made := reconcile(t, p, w.State, plan.Policy{})
		if pulled := strings.Contains(made.String(), "pull image"); pulled != c.pulled {
			t.Errorf("%s, got %s ago: pulled: %v\n%s", c.policy, c.age, pulled, made)
		}
		w.Images = map[string]engine.Image{}
		if made := reconcile(t, p, w.State, plan.Policy{}); !strings.Contains(made.String(), "pull image") {
			t.Errorf("%s, not here: not pulled\n%s", c.policy, made)
		}
	}
}
