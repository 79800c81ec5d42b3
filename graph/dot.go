package graph

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// DOT draws the diagram in graphviz's language (https://graphviz.org/doc/info/lang.html).
func (d *Diagram) DOT() []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "digraph %s {\n", dotLabel(d.Title))
	text.WriteString(`  rankdir=LR
  node [shape=box, style="rounded,filled", fillcolor="#f6f8fa", color="#8c959f", fontname="sans-serif", fontsize=12]
  edge [color="#57606a", fontname="sans-serif", fontsize=10]
`)
	ids := map[Ref]string{}
	for i, node := range d.Nodes {
		ids[node.Ref] = dotID(node.Ref.String(), i)
		fmt.Fprintf(&text, "  %s [label=%s%s]\n", ids[node.Ref], dotLabel(node.lines()...), dotLook(node))
	}
	for _, edge := range d.Edges {
		fmt.Fprintf(&text, "  %s -> %s", ids[edge.From], ids[edge.To])
		if attributes := dotEdge(edge); len(attributes) > 0 {
			fmt.Fprintf(&text, " [%s]", strings.Join(attributes, ", "))
		}
		text.WriteByte('\n')
	}
	text.WriteString("}\n")
	return text.Bytes()
}

// lines are what is to be told of a node, its name first.
func (n Node) lines() []string { return append([]string{n.Ref.Name, n.State.Text}, n.Notes...) }

// dotLook are a node's attributes beside its label, by kind and tone.
func dotLook(node Node) string {
	var look string
	switch node.Ref.Kind {
	case KindVolume:
		look = `, shape=cylinder, style="filled"`
	case KindNetwork:
		look = `, shape=ellipse, style="filled"`
	case KindConfig, KindSecret:
		look = `, shape=note, style="filled"`
	}
	switch node.State.Tone {
	case ToneGood:
		look += `, fillcolor="#dafbe1", color="#1a7f37"`
	case ToneBusy:
		look += `, fillcolor="#fff8c5", color="#9a6700"`
	case ToneBad:
		look += `, fillcolor="#ffebe9", color="#cf222e"`
	}
	return look
}

func dotEdge(edge Edge) []string {
	var attributes []string
	if words := edge.words(); len(words) > 0 {
		attributes = append(attributes, "label="+dotLabel(words...))
	}
	switch {
	case edge.Optional:
		attributes = append(attributes, "style=dashed")
	case edge.To.Kind != KindService:
		attributes = append(attributes, "style=dotted", "arrowhead=none")
	}
	return attributes
}

// dotID quotes a name so that different names stay different: in DOT's strings \" is a quote, and every other backslash stands
// for itself. Of a name that is too long for graphviz, whose strings have 16384 bytes at most, the ID is its number.
func dotID(name string, number int) string {
	const longest = 1000
	if len(name) > longest {
		return fmt.Sprintf(`"%d"`, number)
	}
	return strconv.QuoteToGraphic(name)
}

// dotLabel quotes lines of text that are not empty as a label, in which graphviz knows escapes of its own and HTML's entities.
func dotLabel(lines ...string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`)
	var shown []string
	for _, line := range lines {
		if line != "" {
			shown = append(shown, escape.Replace(short(line)))
		}
	}
	return `"` + strings.Join(shown, `\n`) + `"`
}
