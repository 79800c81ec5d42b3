package plan_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// randomModel writes a Compose file. Services depend only on earlier ones, so there is no cycle.
func randomModel(random *rand.Rand) string {
	var text strings.Builder
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	text.WriteString("services:\n")
	names := []string{"a", "b", "c", "d", "e"}[:2+random.IntN(4)]
	for i, name := range names {
		fmt.Fprintf(&text, "  %s:\n    image: %s\n", name, pick("one", "two", "three"))
		fmt.Fprintf(&text, "    environment: {LEVEL: %s}\n", pick("info", "debug"))
		if random.IntN(3) == 0 {
			fmt.Fprintf(&text, "    scale: %d\n", 1+random.IntN(3))
		}
		if random.IntN(3) == 0 {
			text.WriteString("    healthcheck: {test: [CMD, \"true\"]}\n")
		}
		if random.IntN(4) == 0 {
			text.WriteString("    restart: always\n")
		}
		if random.IntN(3) == 0 {
			fmt.Fprintf(&text, "    volumes: [%s]\n", pick(`"data:/data"`, `"/anonymous"`, `"data:/data:ro"`))
		}
		if random.IntN(3) == 0 {
			fmt.Fprintf(&text, "    configs: [c, {source: c, target: %s}]\n    secrets: [s]\n    read_only: %s\n",
				pick("/etc/c", "/data/c", "/run/secrets/c"), pick("true", "false"))
		}
		shares := i > 0 && random.IntN(6) == 0
		if shares {
			fmt.Fprintf(&text, "    network_mode: service:%s\n", names[random.IntN(i)])
		} else {
			fmt.Fprintf(&text, "    networks: [%s]\n", pick("front", "back", "front, back"))
		}
		if i > 0 && random.IntN(2) == 0 {
			fmt.Fprintf(&text, "    depends_on: {%s: {condition: %s, restart: %s, required: %s}}\n",
				names[random.IntN(i)], "service_started", pick("true", "false"), pick("true", "false"))
		}
	}
	fmt.Fprintf(&text, "networks:\n  front: {driver_opts: {n: %q}}\n  back: {}\nvolumes: {data: }\n", pick("1", "2"))
	fmt.Fprintf(&text, "configs: {c: {content: %s}}\nsecrets: {s: {environment: PASSWORD}}\n", pick("one", "two"))
	return text.String()
}

// anonymousName is the length of an anonymous volume's name. Those of replicas that went before stay: data is not lost unasked.
const anonymousName = 64

func TestRandomPairsConverge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 3))
			before, after := randomModel(random), randomModel(random)
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("before:\n%s\nafter:\n%s", before, after)
				}
			})
			w := &world{}
			w.up(t, load(t, before, ""), plan.Policy{})
			p := load(t, after, "")
			w.converges(t, p, plan.Policy{RemoveOrphans: random.IntN(2) == 0})
			w.apply(t, plan.Teardown(plan.TeardownInput{Name: "p", State: w.State, RemoveVolumes: true}))
			named := slices.DeleteFunc(w.Volumes, func(v engine.Volume) bool {
				return len(v.Name) == anonymousName && v.Labels[project.LabelFiles] == ""
			})
			if len(w.Containers)+len(w.Networks)+len(named) > 0 {
				t.Errorf("left after a teardown: %v %v %v", w.Containers, w.Networks, named)
			}
		})
	}
}

// A plan is a function of its inputs: it leaves them as they were, and the same ones give the same plan.
func TestPlanningIsPure(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 4))
		w := &world{}
		w.up(t, load(t, randomModel(random), ""), plan.Policy{})
		p := load(t, randomModel(random), "")
		w.withImages(p)
		input := func() string {
			project, projectErr := p.MarshalJSON()
			state, stateErr := json.Marshal(w.State)
			if projectErr != nil || stateErr != nil {
				t.Fatal(projectErr, stateErr)
			}
			return string(project) + string(state)
		}
		before := input()
		first := describe(reconcile(t, p, w.State, plan.Policy{}))
		for range 3 {
			if again := describe(reconcile(t, p, w.State, plan.Policy{})); again != first {
				t.Fatalf("seed %d: two plans of the same inputs:\n%s\n%s", seed, first, again)
			}
		}
		if input() != before {
			t.Errorf("seed %d: planning changed its inputs", seed)
		}
	}
}

func TestTeardownStopsDependentsFirst(t *testing.T) {
	t.Parallel()
	w := &world{}
	w.up(t, load(t, `
services:
  web: {image: web, depends_on: [api], volumes: [/cache]}
  api: {image: api, depends_on: [db], scale: 2}
  db: {image: db, volumes: ["data:/data"]}
  debug: {image: debug}
volumes: {data: }
`, ""), plan.Policy{})
	for i := range w.Containers {
		if w.Containers[i].Service == "debug" {
			w.Containers[i].State = "exited"
		}
	}
	made := plan.Teardown(plan.TeardownInput{Name: "p", State: w.State})
	want := `1 stop container p-web-1
2 stop container p-api-1 ~1
3 remove container p-web-1 <1
4 stop container p-api-2 ~1
5 stop container p-db-1 ~2 ~4
6 remove container p-db-1 <5
7 remove container p-debug-1
8 remove container p-api-1 <2
9 remove container p-api-2 <4
10 remove network p_default [optional] <3 <8 <9 <6 <7
`
	if got := made.String(); sorted(got) != sorted(want) {
		t.Errorf("teardown\n%s\nwant\n%s", got, want)
	}
	w.apply(t, made)
	if len(w.Containers)+len(w.Networks) > 0 || len(w.Volumes) != 2 {
		t.Errorf("after: %v %v %v", w.Containers, w.Networks, w.Volumes)
	}
}

// sorted compares what is done, whatever the numbering.
func sorted(steps string) string {
	var lines []string
	for line := range strings.Lines(steps) {
		_, text, _ := strings.Cut(line, " ")
		text, _, _ = strings.Cut(text, " <")
		text, _, _ = strings.Cut(text, " ~")
		lines = append(lines, strings.TrimSpace(text))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestStopKeepsEverything(t *testing.T) {
	t.Parallel()
	w := &world{}
	w.up(t, load(t, "services: {web: {image: web, depends_on: [db]}, db: {image: db}}", ""), plan.Policy{})
	made := plan.StopContainers(plan.StopInput{Name: "p", State: w.State})
	if got, want := made.String(), "1 stop container p-web-1\n2 stop container p-db-1 ~1\n"; got != want {
		t.Errorf("stop\n%s\nwant\n%s", got, want)
	}
	if got, want := plan.KillContainers(plan.KillInput{Name: "p", State: w.State, Services: []string{"db"}}).String(),
		"1 kill container p-db-1\n"; got != want {
		t.Errorf("kill\n%s\nwant\n%s", got, want)
	}
}

// Labels are anybody's text: services that depend on each other in a circle by their labels are still taken down.
func TestTeardownSurvivesACircleInLabels(t *testing.T) {
	t.Parallel()
	w := &world{}
	w.up(t, load(t, "services: {a: {image: a}, b: {image: b}}", ""), plan.Policy{})
	for i := range w.Containers {
		w.Containers[i].Labels["com.docker.compose.depends_on"] = map[string]string{"a": "b:x:false", "b": "a"}[w.Containers[i].Service]
	}
	w.apply(t, plan.Teardown(plan.TeardownInput{Name: "p", State: w.State}))
	if len(w.Containers) > 0 {
		t.Errorf("left: %v", w.Containers)
	}
}

func planningInput(b *testing.B, services int) plan.Input {
	b.Helper()
	var text strings.Builder
	text.WriteString("services:\n")
	for i := range services {
		fmt.Fprintf(&text, "  s%d: {image: one, environment: {A: b, C: d}, volumes: ['data:/data'], ports: ['%d:80']", i, 1000+i%60000)
		if i > 0 {
			fmt.Fprintf(&text, ", depends_on: [s%d]", i/2)
		}
		text.WriteString("}\n")
	}
	text.WriteString("volumes: {data: }\n")
	p := loadText(b, text.String())
	g, err := graph.From(p)
	if err != nil {
		b.Fatal(err)
	}
	w := &world{}
	w.withImages(p)
	return plan.Input{Project: p, Graph: g, State: w.State}
}

// BenchmarkPlan plans a new stack. Ten times the services may take at most twelve times as long.
func BenchmarkPlan(b *testing.B) {
	for _, services := range []int{1_000, 10_000} {
		input := planningInput(b, services)
		b.Run(fmt.Sprint(services), func(b *testing.B) {
			for b.Loop() {
				if _, err := plan.Reconcile(input); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
