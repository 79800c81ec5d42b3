package graph_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

var update = flag.Bool("update", false, "write what the tests get into their goldens")

// TestDrawings compares what is drawn of testdata's projects with what stands behind them: compose.yaml, then a file for each
// format. A file state says how services are: "web good healthy 2/2". Comments name what is drawn beside services.
func TestDrawings(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{}
			for _, file := range archive.Files {
				files[file.Name] = string(file.Data)
			}
			drawings := drawAll(t, diagramOf(t, files["compose.yaml"], withKinds(string(archive.Comment)), states(files["state"])))
			for i, file := range archive.Files {
				got, drawn := drawings[file.Name]
				got = styleSheet.ReplaceAll(got, nil)
				if drawn && *update {
					archive.Files[i].Data = got
				} else if drawn && string(got) != string(file.Data) {
					t.Errorf("%s:\n%s\nwant\n%s", file.Name, got, file.Data)
				}
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// styleSheet is in every drawing, and need not be in every golden.
var styleSheet = regexp.MustCompile(`(?s)<style>.*</style>\n|<defs>.*</defs>\n`)

// drawAll draws in every format, and checks that each is what it should be.
func drawAll(t *testing.T, d *graph.Diagram) map[string][]byte {
	t.Helper()
	paint := func(tone graph.Tone, text string) string { return "<" + string(tone) + ":" + text + ">" }
	drawings := map[string][]byte{
		"text": d.Text(graph.TextOptions{}), "text-80": d.Text(graph.TextOptions{Width: 80}),
		"text-40": d.Text(graph.TextOptions{Width: 40}), "painted": d.Text(graph.TextOptions{Paint: paint}),
		"dot": d.DOT(), "mermaid": d.Mermaid(), "svg": d.SVG(),
	}
	checkDOT(t, d, drawings["dot"])
	checkMermaid(t, d, drawings["mermaid"])
	checkSVG(t, d, drawings["svg"])
	checkText(t, d, drawings["text"])
	for name, drawing := range drawings {
		for _, r := range string(drawing) {
			if r != '\n' && !strconv.IsPrint(r) {
				t.Errorf("%s has %q, which cannot be seen", name, r)
			}
		}
	}
	return drawings
}

func diagramOf(t *testing.T, compose string, kinds []graph.Kind, states map[graph.Ref]graph.State) *graph.Diagram {
	t.Helper()
	p := load(t, compose, false)
	g, err := graph.From(p)
	if err != nil {
		t.Fatal(err)
	}
	return graph.Draw(p, g, kinds, states)
}

func withKinds(comment string) []graph.Kind {
	var kinds []graph.Kind
	for _, kind := range graph.Kinds() {
		if strings.Contains(comment, "with "+string(kind)) || strings.Contains(comment, "with all") {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func states(text string) map[graph.Ref]graph.State {
	found := map[graph.Ref]graph.State{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		tone, words, _ := strings.Cut(rest, " ")
		found[graph.Service(name)] = graph.State{Text: words, Tone: graph.Tone(tone)}
	}
	return found
}

// hostile is a diagram of names that no project has: they try to end what they are written into.
func hostile() *graph.Diagram {
	d := &graph.Diagram{Title: "a\"]}; </title><script>alert(1)</script>\x1b[2J"}
	for _, name := range []string{
		`"`, `\`, `\"`, `ends in \`, `<b>&amp;`, "]]>", `</text><script>`, "a\nb", "a\\nb", "\x1b]0;owned\a", "\u202egnp.exe", "\xff\xfe",
		"`**bold**`", "end", "-->", "%% comment", "#quot;", "n0", "#35;", "'; drop", "名前", strings.Repeat("long", 5000), "",
	} {
		d.Nodes = append(d.Nodes, graph.Node{Ref: graph.Service(name), State: graph.State{Text: name, Tone: graph.ToneGood}})
	}
	for i, node := range d.Nodes[1:] {
		d.Edges = append(d.Edges, graph.Edge{From: node.Ref, To: d.Nodes[i].Ref, Condition: node.Ref.Name + "?", Shares: []string{"\"<"}})
	}
	return d
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	const bound = 200_000 // the one that is 20,000 characters long is whole only where it is no more than a name
	for format, drawing := range drawAll(t, hostile()) {
		if len(drawing) > bound {
			t.Errorf("%s has %d bytes", format, len(drawing))
		}
		if marked := format == "svg" || format == "mermaid"; marked && bytes.Contains(drawing, []byte("<script")) {
			t.Errorf("%s has a script", format)
		}
	}
}

// randomDiagram has edges only from later to earlier services.
func randomDiagram(random *rand.Rand, services int, needs float64) *graph.Diagram {
	d := &graph.Diagram{Title: "random"}
	conditions := []string{project.ConditionStarted, project.ConditionHealthy, project.ConditionCompleted}
	for i := range services {
		ref := graph.Service(fmt.Sprintf("s%0*d", 1+random.IntN(12), i))
		chosen := map[int]bool{}
		for range int(random.Float64() * 2 * needs) {
			if i > 0 {
				chosen[random.IntN(i)] = true
			}
		}
		for _, needed := range slices.Sorted(maps.Keys(chosen)) {
			d.Edges = append(d.Edges, graph.Edge{
				From: ref, To: d.Nodes[needed].Ref, Condition: conditions[random.IntN(len(conditions))],
				Optional: random.IntN(4) == 0, Restart: random.IntN(4) == 0,
			})
		}
		d.Nodes = append(d.Nodes, graph.Node{Ref: ref})
	}
	return d
}

func TestRandomGraphs(t *testing.T) {
	t.Parallel()
	for seed := range uint64(80) {
		random := rand.New(rand.NewPCG(seed, 3))
		d := randomDiagram(random, random.IntN(60), random.Float64()*4)
		first, second := drawAll(t, d), drawAll(t, d)
		for format := range first {
			if !bytes.Equal(first[format], second[format]) {
				t.Errorf("seed %d: %s differs from one time to the next", seed, format)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestManyServices draws a thousand services within bounds of time and size, in shapes that are hard: one chain on whose first
// service all others wait, all that need all of the layer before, and at random.
func TestManyServices(t *testing.T) {
	t.Parallel()
	const many = 1000
	for name, d := range map[string]*graph.Diagram{
		"chain": shaped(many, func(i int) []int { return []int{i - 1, 0} }),
		"layers": shaped(many, func(i int) []int {
			const wide = 30
			var layer []int
			for j := i/wide*wide - wide; j >= 0 && j < i/wide*wide; j++ {
				layer = append(layer, j)
			}
			return layer
		}),
		"random": randomDiagram(rand.New(rand.NewPCG(1, 1)), many, 3),
		"alone":  shaped(many, func(int) []int { return nil }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			d.SVG()
			d.Text(graph.TextOptions{Width: 80})
			const patience = 20 * time.Second // a test machine under load; by itself it takes less than one
			if took := time.Since(begin); took > patience {
				t.Errorf("drawing took %s", took)
			}
			for format, drawing := range drawAll(t, d) {
				const each = 5000 // bytes of a service or an edge
				if len(drawing) > each*(len(d.Nodes)+len(d.Edges)) {
					t.Errorf("%s has %d bytes for %d services and %d edges", format, len(drawing), len(d.Nodes), len(d.Edges))
				}
			}
		})
	}
}

// shaped is a diagram in which each service needs the earlier ones that the function names.
func shaped(services int, needs func(i int) []int) *graph.Diagram {
	d := &graph.Diagram{Title: "shaped"}
	for i := range services {
		ref := graph.Service(fmt.Sprintf("service-%d", i))
		needed := needs(i)
		slices.Sort(needed)
		for _, j := range slices.Compact(needed) {
			if j >= 0 && j < i {
				d.Edges = append(d.Edges, graph.Edge{From: ref, To: d.Nodes[j].Ref, Condition: project.ConditionHealthy})
			}
		}
		d.Nodes = append(d.Nodes, graph.Node{Ref: ref})
	}
	return d
}

func BenchmarkSVG(b *testing.B) {
	for _, services := range []int{30, 300, 1000} {
		d := randomDiagram(rand.New(rand.NewPCG(1, 1)), services, 3)
		b.Run(fmt.Sprint(services), func(b *testing.B) {
			for b.Loop() {
				d.SVG()
			}
		})
	}
}

func BenchmarkText(b *testing.B) {
	d := randomDiagram(rand.New(rand.NewPCG(1, 1)), 1000, 3)
	for b.Loop() {
		d.Text(graph.TextOptions{Width: 80})
	}
}
