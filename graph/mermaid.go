package graph

import (
	"bytes"
	"fmt"
	"strings"
)

// Mermaid draws the diagram as a flowchart of Mermaid's (https://mermaid.js.org/syntax/flowchart.html), which Markdown can hold.
func (d *Diagram) Mermaid() []byte {
	var text bytes.Buffer
	text.WriteString("flowchart LR\n")
	at := d.positions()
	tones := map[Tone]bool{}
	for i, node := range d.Nodes {
		before, after := mermaidShape(node.Ref.Kind)
		fmt.Fprintf(&text, "  n%d%s\"%s\"%s", i, before, mermaidLines(node.Ref.Name, node.State.Text), after)
		if tone := node.State.Tone; mermaidLook(tone) != "" {
			tones[tone] = true
			fmt.Fprintf(&text, ":::%s", tone)
		}
		text.WriteByte('\n')
	}
	for _, edge := range d.Edges {
		line := "-->"
		switch {
		case edge.Optional:
			line = "-.->"
		case edge.To.Kind != KindService:
			line = "-.-"
		}
		fmt.Fprintf(&text, "  n%d %s", at[edge.From], line)
		if words := edge.words(); len(words) > 0 {
			fmt.Fprintf(&text, "|\"%s\"|", mermaidLines(words...))
		}
		fmt.Fprintf(&text, " n%d\n", at[edge.To])
	}
	for _, tone := range []Tone{ToneGood, ToneBusy, ToneBad} {
		if tones[tone] {
			fmt.Fprintf(&text, "  classDef %s %s\n", tone, mermaidLook(tone))
		}
	}
	return text.Bytes()
}

// mermaidShape is what stands around a label.
func mermaidShape(kind Kind) (before, after string) {
	switch kind {
	case KindVolume:
		return "[(", ")]"
	case KindNetwork:
		return "([", "])"
	case KindConfig, KindSecret:
		return "[/", "/]"
	}
	return "(", ")"
}

func mermaidLook(tone Tone) string {
	switch tone {
	case ToneGood:
		return "fill:#dafbe1,stroke:#1a7f37,color:#1f2328"
	case ToneBusy:
		return "fill:#fff8c5,stroke:#9a6700,color:#1f2328"
	case ToneBad:
		return "fill:#ffebe9,stroke:#cf222e,color:#1f2328"
	}
	return ""
}

// mermaidLines is a label of the lines that are not empty.
func mermaidLines(lines ...string) string {
	var shown []string
	for _, line := range lines {
		if line != "" {
			shown = append(shown, mermaidText(line))
		}
	}
	if len(shown) == 0 {
		return " " // Mermaid takes no empty label
	}
	return strings.Join(shown, "<br>")
}

// mermaidText writes text by Mermaid's character codes wherever it could mean something: as Markdown, HTML or syntax.
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range short(text) {
		const plain = " ,.:-_()+…" // beside letters and digits
		if r < 0x80 && !isAlphanumeric(r) && !strings.ContainsRune(plain, r) {
			fmt.Fprintf(&b, "#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isAlphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
