package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
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

// checkText counts the lines of a tree: one for each root, one for each edge between services.
func checkText(t *testing.T, d *graph.Diagram, text []byte) {
	t.Helper()
	services, edges := 0, 0
	needed := map[graph.Ref]bool{}
	for _, edge := range d.Edges {
		if edge.To.Kind == graph.KindService {
			edges++
			needed[edge.To] = true
		}
	}
	for _, node := range d.Nodes {
		if node.Ref.Kind == graph.KindService {
			services++
		}
	}
	roots, references, lists, below := 0, 0, 0, 0
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for _, line := range lines[min(2, len(lines)):] {
		_, name, isChild := strings.Cut(line, "─ ")
		switch {
		case !isChild:
			roots++
		case strings.Contains(name, " ↑"):
			references++
		case strings.Contains(name, " ↓"):
			references++
			below++
		case strings.Contains(name, ": "):
			lists++
		}
	}
	children := len(lines) - 2 - roots - lists
	if services > 0 && (children != edges || roots+children-references != services) {
		t.Errorf("%d roots, %d children, %d of them drawn elsewhere, for %d services and %d edges:\n%s",
			roots, children, references, services, edges, text)
	}
	if extra := roots - (services - len(needed)); extra < 0 || extra > below {
		t.Errorf("%d roots more than there are services that nobody needs, %d below", extra, below)
	}
}

// checkDOT reads the statements with the rules of graphviz's scanner, and counts them.
func checkDOT(t *testing.T, d *graph.Diagram, text []byte) {
	t.Helper()
	nodes, edges := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(string(text)) {
		tokens := dotTokens(t, line)
		switch {
		case len(tokens) > 2 && strings.HasPrefix(tokens[0], `"`) && tokens[1] == "[":
			nodes[tokens[0]] = true
		case len(tokens) > 2 && tokens[1] == "->":
			edges[tokens[0]+tokens[2]] = true
			if !nodes[tokens[0]] || !nodes[tokens[2]] {
				t.Errorf("dot: %s connects what is no node", line)
			}
		}
	}
	if len(nodes) != len(d.Nodes) || len(edges) != len(d.Edges) {
		t.Errorf("dot has %d nodes and %d edges of %d and %d:\n%s", len(nodes), len(edges), len(d.Nodes), len(d.Edges), text)
	}
}

// dotTokens splits a line of DOT: quoted strings, in which only \" stands for something else, words, and signs.
func dotTokens(t *testing.T, line string) []string {
	t.Helper()
	const word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789."
	var tokens []string
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimLeft(rest, " \n") {
		length := len(rest) - len(strings.TrimLeft(rest, word))
		switch {
		case rest[0] == '"':
			for length = 1; length < len(rest) && rest[length] != '"'; length++ {
				if rest[length] == '\\' {
					length++
				}
			}
			length++
			const longest = 16384 // of graphviz
			if length > longest {
				t.Errorf("dot: a string of %d bytes", length)
			}
		case strings.HasPrefix(rest, "->"):
			length = len("->")
		case strings.ContainsRune("[]{}=,;", rune(rest[0])):
			length = 1
		}
		if length == 0 || length > len(rest) {
			t.Fatalf("dot: no token at %q of %q", rest, line)
		}
		tokens, rest = append(tokens, rest[:length]), rest[length:]
	}
	return tokens
}

// checkMermaid looks at the form of each line, and counts them.
func checkMermaid(t *testing.T, d *graph.Diagram, text []byte) {
	t.Helper()
	nodes, edges := 0, 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		label, quotes := "", strings.Count(line, `"`)
		if parts := strings.Split(line, `"`); quotes == 2 {
			label = strings.ReplaceAll(parts[1], "<br>", "")
			line = parts[0] + `""` + parts[2]
		}
		if quotes != 0 && (quotes != 2 || label == "") || strings.ContainsAny(label, "<>`\"|[]{}%\\") {
			t.Errorf("mermaid: label %q", label)
		}
		if before, after, ok := strings.Cut(line, " "); ok && isNode(before) && isNode(after[strings.LastIndex(after, " ")+1:]) {
			edges++
		} else if before, _, ok := strings.Cut(line, `""`); ok && isNode(strings.TrimRight(before, "([/{")) {
			nodes++
		} else if line != "flowchart LR" && !strings.HasPrefix(line, "classDef ") {
			t.Errorf("mermaid: line %q", line)
		}
	}
	if nodes != len(d.Nodes) || edges != len(d.Edges) {
		t.Errorf("mermaid has %d nodes and %d edges of %d and %d", nodes, edges, len(d.Nodes), len(d.Edges))
	}
}

func isNode(id string) bool {
	number, found := strings.CutPrefix(id, "n")
	_, err := strconv.Atoi(number)
	return found && err == nil
}

// svgRect is a box of a drawing.
type svgRect struct{ x, y, width, height float64 }

// checkSVG reads a drawing as XML: each thing is a box, each edge a line, no two boxes overlap, lines run from left to right and
// everything is within the picture.
func checkSVG(t *testing.T, d *graph.Diagram, text []byte) {
	t.Helper()
	var boxes []svgRect
	var lines int
	var class string
	var page svgRect
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("svg: %v\n%s", err, text)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attributes := map[string]string{}
		for _, attribute := range element.Attr {
			attributes[attribute.Name.Local] = attribute.Value
		}
		switch element.Name.Local {
		case "svg":
			page = rectOf(t, attributes)
		case "g":
			class = attributes["class"]
		case "rect":
			if strings.HasPrefix(class, "node ") {
				boxes = append(boxes, rectOf(t, attributes))
			}
		case "path":
			if strings.HasPrefix(attributes["class"], "edge ") && class != "legend" {
				lines++
				checkPath(t, attributes["d"], page)
			}
		case "title", "style", "defs", "marker", "text", "tspan", "circle":
		default:
			t.Errorf("svg has an element %q", element.Name.Local)
		}
	}
	if len(boxes) != len(d.Nodes) || lines != len(d.Edges) {
		t.Errorf("svg has %d boxes and %d lines for %d things and %d edges", len(boxes), lines, len(d.Nodes), len(d.Edges))
	}
	checkBoxes(t, boxes, page)
}

func rectOf(t *testing.T, attributes map[string]string) svgRect {
	t.Helper()
	number := func(name string) float64 {
		value, err := strconv.ParseFloat(attributes[name], 64)
		if err != nil && attributes[name] != "" {
			t.Errorf("svg: %s=%q", name, attributes[name])
		}
		return value
	}
	return svgRect{number("x"), number("y"), number("width"), number("height")}
}

func checkBoxes(t *testing.T, boxes []svgRect, page svgRect) {
	t.Helper()
	for i, a := range boxes {
		if a.x < 0 || a.y < 0 || a.x+a.width > page.width || a.y+a.height > page.height {
			t.Errorf("box %v is not in the picture, %v", a, page)
		}
		for _, b := range boxes[i+1:] {
			if a.x < b.x+b.width && b.x < a.x+a.width && a.y < b.y+b.height && b.y < a.y+a.height {
				t.Errorf("boxes %v and %v overlap", a, b)
			}
		}
	}
}

// checkPath follows a line.
func checkPath(t *testing.T, path string, page svgRect) {
	t.Helper()
	x := -1.0
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return strings.ContainsRune("MCL", r) }) {
		numbers := strings.Fields(part)
		for i := 0; i < len(numbers); i += 2 {
			next, err := strconv.ParseFloat(numbers[i], 64)
			if err != nil || next < x || next > page.width {
				t.Fatalf("line %q does not run from left to right: %v", path, err)
			}
			x = next
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
			drawings := drawAll(t, d)
			const patience = 20 * time.Second // a test machine under load; by itself it takes less than one
			if took := time.Since(begin); took > patience {
				t.Errorf("drawing took %s", took)
			}
			for format, drawing := range drawings {
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
