package plan_test

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// slug is every one-off's here.
const slug = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// Each archive is a run of a one-off of the service web: `before.yaml` is brought up, then it is planned for `compose.yaml` with `policy`.
func TestOneOffs(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/oneoff/*.txtar")
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
			s, w := scenario{archive, path}, &world{}
			if before := s.file("before.yaml"); before != "" {
				w.up(t, load(t, before, ""), plan.Policy{})
			}
			policy, _, option := parsePolicy(t, s.file("policy"))
			p, err := load(t, s.file("compose.yaml"), "web", option).WithOneOff("web", project.OneOff{Command: []string{"migrate"}})
			if err != nil {
				t.Fatal(err)
			}
			w.withImages(p)
			got := describe(oneOff(t, w, p, policy, plan.OneOff{Service: "web", Slug: slug}))
			if want := s.file("plan"); got != want && !*update {
				t.Errorf("plan\n%s\nwant\n%s", got, want)
			}
			if *update {
				s.write(t, got)
			}
		})
	}
}

func oneOff(t *testing.T, w *world, p *project.Project, policy plan.Policy, wanted plan.OneOff) *plan.Plan {
	t.Helper()
	g, err := graph.From(p)
	if err != nil {
		t.Fatal(err)
	}
	made, err := plan.RunOneOff(plan.Input{Project: p, Graph: g, State: w.State, Policy: policy}, wanted)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestOneOffRequest is what a one-off is created with.
func TestOneOffRequest(t *testing.T) {
	t.Parallel()
	const file = `
services:
  web:
    image: web
    labels: {own: "yes"}
    networks: {default: {aliases: [www]}}
    post_start: [{command: [warm]}]
`
	for _, useAliases := range []bool{false, true} {
		p, err := load(t, file, "web").WithOneOff("web", project.OneOff{Volumes: []string{"cache:/cache"}, Stdin: true})
		if err != nil {
			t.Fatal(err)
		}
		w := &world{}
		w.withImages(p)
		made := oneOff(t, w, p, plan.Policy{}, plan.OneOff{
			Service: "web", Slug: slug, UseAliases: useAliases, AutoRemove: true, Attached: true, Volumes: []string{"cache"},
		})
		var create step.CreateContainer
		for _, node := range made.Nodes {
			if found, ok := node.Step.(step.CreateContainer); ok {
				create = found
			}
		}
		request, labels := create.Request, create.Request.Labels
		if request.Name != "p-web-run-0123456789ab" || labels[project.LabelSlug] != slug || labels[project.LabelOneOff] != "True" ||
			labels["own"] != "yes" || labels[project.LabelConfigHash] == "" {
			t.Errorf("got %q with labels %v", request.Name, labels)
		}
		for _, label := range []string{project.LabelNumber, project.LabelDeploy, project.LabelHooks} {
			if value, ok := labels[label]; ok {
				t.Errorf("label %s is %q", label, value)
			}
		}
		want := "p-web-run-0123456789ab"
		if useAliases {
			want += " web www"
		}
		if got := strings.Join(request.Networks[0].Aliases, " "); got != want {
			t.Errorf("aliases: got %q, want %q", got, want)
		}
		if !request.AutoRemove || !request.Attached || !request.Service.StdinOpen || request.Mounts[0].Source != "cache" {
			t.Errorf("got %+v", request)
		}
	}
}
