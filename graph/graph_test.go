package graph_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

func load(t *testing.T, content string, skipCheck bool) *project.Project {
	t.Helper()
	p, err := project.Load(t.Context(), project.Options{
		Files: []string{"-"}, Stdin: strings.NewReader(content), Dir: t.TempDir(), Name: "p", SkipConsistency: skipCheck,
	})
	if err != nil {
		t.Fatalf("load:\n%v", err)
	}
	return p
}

func TestFrom(t *testing.T) {
	t.Parallel()
	p := load(t, `
services:
  web: {image: i, depends_on: [api], networks: [front], configs: [c]}
  api: {image: i, depends_on: {db: {condition: service_healthy}}, networks: [front, back], secrets: [s]}
  db: {image: i, volumes: ["data:/d", /anonymous], networks: [back]}
  proxy: {image: i, network_mode: "service:web"}
  log: {image: i, volumes_from: ["db:ro", "container:other"], pid: "service:api", networks: [back]}
networks: {front: , back: }
volumes: {data: }
configs: {c: {file: ./c}}
secrets: {s: {file: ./s}}
`, false)
	before, err := p.MarshalYAML()
	if err != nil {
		t.Fatal(err)
	}
	g, err := graph.From(p)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(g.Services(), " "), "db api log web proxy"; got != want {
		t.Errorf("order %q, want %q", got, want)
	}
	for service, want := range map[string]string{"web": "api", "proxy": "web", "log": "api db", "db": ""} {
		if got := strings.Join(g.Needs(service), " "); got != want {
			t.Errorf("%s needs %q, want %q", service, got, want)
		}
	}
	if got, want := strings.Join(g.NeededBy("api"), " "), "log web"; got != want {
		t.Errorf("api is needed by %q, want %q", got, want)
	}
	for ref, want := range map[graph.Ref]string{
		graph.Service("web"): "[network front config c service api]",
		graph.Service("db"):  "[network back volume data]",
		graph.Service("api"): "[network back network front secret s service db]",
	} {
		if got := fmt.Sprint(g.Deps(ref)); got != want {
			t.Errorf("%s depends on %s, want %s", ref, got, want)
		}
	}
	if after, err := p.MarshalYAML(); err != nil || string(after) != string(before) {
		t.Errorf("the project was changed (error %v)", err)
	}
}

func TestFromRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, content, want string }{
		{
			"a circle, at its first edge",
			"services:\n  c: {image: i, depends_on: [a]}\n  a: {image: i, depends_on: [b]}\n  b: {image: i, network_mode: \"service:c\"}\n",
			"<stdin>:3:30: dependency cycle detected: a -> b -> c -> a",
		},
		{
			"itself",
			"services:\n  a: {image: i, depends_on: [a]}\n",
			"<stdin>:2:30: dependency cycle detected: a -> a",
		},
		{
			"what is not there, all of it",
			"services:\n  a: {image: i, depends_on: [x], networks: [n], volumes: [\"vol:/v\"]}\n",
			`service "a" needs service "x", which does not exist|service "a" needs network "n", which does not exist|` +
				`service "a" needs volume "vol", which does not exist`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := graph.From(load(t, test.content, true))
			for part := range strings.SplitSeq(test.want, "|") {
				if !strings.Contains(fmt.Sprint(err), part) {
					t.Errorf("error %q lacks %q", err, part)
				}
			}
			var cycle *graph.CycleError
			if errors.As(err, &cycle) && !strings.Contains(cycle.Hint(), cycle.Path[0]) {
				t.Errorf("hint %q", cycle.Hint())
			}
		})
	}
}

func TestAnOptionalDependencyThatIsNotThereIsNone(t *testing.T) {
	t.Parallel()
	g, err := graph.From(load(t, "services: {a: {image: i, depends_on: {x: {condition: service_started, required: false}}}}", true))
	if err != nil || len(g.Needs("a")) > 0 {
		t.Errorf("error %v, needs %v", err, g.Needs("a"))
	}
}
