package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/muster-dev/muster/graph"
)

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
