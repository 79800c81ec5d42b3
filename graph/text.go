package graph

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/mattn/go-runewidth"
)

// TextOptions say how a diagram is written as text.
type TextOptions struct {
	// Width is that of the lines in cells of a terminal; what is longer is cut. 0 means no bound.
	Width int
	// Paint gives text the colour of a tone; nil means none. It must not change what the text reads.
	Paint func(tone Tone, text string) string
}

// Text draws the diagram as trees: under each service those that it needs, with what it waits for. A service that many need is
// drawn where it is first needed; the arrow behind its name elsewhere says whether that is above or below.
func (d *Diagram) Text(options TextOptions) []byte {
	t := newTextTree(d, options.Width)
	for i, node := range d.Nodes {
		if node.Ref.Kind == KindService && t.needed[i] == 0 {
			t.root(i)
		}
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s: %s\n", printable(d.Title), d.counts())
	if len(t.rows) > 0 {
		text.WriteByte('\n')
		newColumns(t.rows, options).write(&text)
	}
	return text.Bytes()
}

// textRow is one line of a tree, in columns.
type textRow struct {
	lines string // of the tree
	name  string
	again bool   // the name of what is drawn elsewhere, or of what is no service
	state State  // with text that is printable
	words string // of the edge to it
}

// textTree makes the rows.
type textTree struct {
	diagram *Diagram
	width   int
	edges   map[int][]int // by node, in order: places in the diagram's list
	at      map[Ref]int
	needed  []int  // how many services need the node
	drawn   []bool // or promised: it will be a root
	promise []int
	rows    []textRow
}

func newTextTree(d *Diagram, width int) *textTree {
	t := &textTree{
		diagram: d, width: width, edges: map[int][]int{}, at: d.positions(),
		needed: make([]int, len(d.Nodes)), drawn: make([]bool, len(d.Nodes)),
	}
	for i, edge := range d.Edges {
		t.edges[t.at[edge.From]] = append(t.edges[t.at[edge.From]], i)
		t.needed[t.at[edge.To]]++
	}
	return t
}

// root draws a tree, and after it those that it had no room for.
func (t *textTree) root(node int) {
	t.promise = append(t.promise, node)
	for len(t.promise) > 0 {
		node, t.promise = t.promise[0], t.promise[1:]
		t.drawn[node] = true
		t.rows = append(t.rows, textRow{name: t.name(node), state: t.state(node)})
		t.children(node, "", 1)
	}
}

func (t *textTree) name(node int) string { return printable(t.diagram.Nodes[node].Ref.Name) }

func (t *textTree) state(node int) State {
	state := t.diagram.Nodes[node].State
	return State{Text: printable(state.Text), Tone: state.Tone}
}

// children draws what a node needs: first what is no service, a line for each kind, then the services.
func (t *textTree) children(node int, lines string, depth int) {
	uses := map[Kind][]string{}
	var services []Edge
	for _, i := range t.edges[node] {
		edge := t.diagram.Edges[i]
		if edge.To.Kind == KindService {
			services = append(services, edge)
			continue
		}
		name := printable(edge.To.Name)
		if words := edge.words(); len(words) > 0 {
			name += " (" + strings.Join(words, ", ") + ")"
		}
		uses[edge.To.Kind] = append(uses[edge.To.Kind], name)
	}
	left := len(uses) + len(services)
	for _, kind := range Kinds() {
		if names := uses[kind]; len(names) > 0 {
			left--
			t.list(plural(len(names), kind)+": ", names, lines, left)
		}
	}
	for _, edge := range services {
		left--
		t.child(edge, lines, left, depth)
	}
}

// list draws names behind a label, on as many lines as they need.
func (t *textTree) list(label string, names []string, lines string, left int) {
	room := t.width - runewidth.StringWidth(lines+branch(left)+label)
	row := textRow{lines: lines + branch(left), name: label, again: true}
	used := 0
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		width := runewidth.StringWidth(name)
		if t.width > 0 && used > 0 && used+1+width > room {
			t.rows = append(t.rows, row)
			row = textRow{lines: lines + trunk(left), name: strings.Repeat(" ", len(label)), again: true}
			used = 0
		}
		if used > 0 {
			name = " " + name
			width++
		}
		row.name += name
		used += width
	}
	t.rows = append(t.rows, row)
}

// child draws a needed service, or says where it is drawn.
func (t *textTree) child(edge Edge, lines string, left, depth int) {
	const deepest = 10 // deeper trees do not fit into 80 columns
	node := t.at[edge.To]
	row := textRow{lines: lines + branch(left), name: t.name(node), words: onceWords(edge)}
	switch {
	case t.drawn[node]:
		row.again = true
		row.name += " " + t.direction(node)
		t.rows = append(t.rows, row)
		return
	case depth >= deepest && len(t.edges[node]) > 0:
		t.promise = append(t.promise, node)
		t.drawn[node], row.again = true, true
		row.name += " ↓"
		t.rows = append(t.rows, row)
		return
	}
	t.drawn[node] = true
	row.state = t.state(node)
	t.rows = append(t.rows, row)
	t.children(node, lines+trunk(left), depth+1)
}

// direction is where a node that was seen before is drawn.
func (t *textTree) direction(node int) string {
	for _, promised := range t.promise {
		if promised == node {
			return "↓"
		}
	}
	return "↑"
}

func branch(left int) string {
	if left == 0 {
		return "└─ "
	}
	return "├─ "
}

func trunk(left int) string {
	if left == 0 {
		return "   "
	}
	return "│  "
}

// onceWords are an edge's words behind the name of what is needed: "once healthy, optional".
func onceWords(edge Edge) string {
	words := edge.words()
	if edge.Condition != "" {
		words[0] = "once " + words[0]
	}
	return printable(strings.Join(words, ", "))
}

// columns are rows that line up.
type columns struct {
	rows                  []textRow
	options               TextOptions
	nameWidth, stateWidth int
}

func newColumns(rows []textRow, options TextOptions) columns {
	c := columns{rows: rows, options: options}
	if c.options.Paint == nil {
		c.options.Paint = func(_ Tone, text string) string { return text }
	}
	words := 0
	for _, row := range rows {
		c.stateWidth = max(c.stateWidth, runewidth.StringWidth(row.state.Text))
		words = max(words, runewidth.StringWidth(row.words))
		if row.words != "" || row.state.Text != "" {
			c.nameWidth = max(c.nameWidth, runewidth.StringWidth(row.lines+row.name))
		}
	}
	if c.stateWidth > 0 {
		c.stateWidth += gapWidth
	}
	if options.Width > 0 {
		const least = 16
		c.nameWidth = min(c.nameWidth, max(options.Width-c.stateWidth-words-gapWidth, least))
	}
	return c
}

const gapWidth = 2

func (c columns) write(text *bytes.Buffer) {
	for _, row := range c.rows {
		text.WriteString(strings.TrimRight(c.line(row), " "))
		text.WriteByte('\n')
	}
}

// line writes a row. The width of what is painted is measured before.
func (c columns) line(row textRow) string {
	room := c.options.Width
	if row.words != "" || row.state.Text != "" {
		room = c.nameWidth
	}
	name := row.name
	if room > 0 {
		name = c.cut(name, room-runewidth.StringWidth(row.lines))
	}
	used := runewidth.StringWidth(row.lines + name)
	tone := TonePlain
	if row.again {
		tone = ToneDim
	}
	line := c.paint(ToneDim, row.lines) + c.paint(tone, name)
	if row.words == "" && row.state.Text == "" {
		return line
	}
	line += strings.Repeat(" ", max(c.nameWidth-used, 0))
	if c.stateWidth > 0 {
		state := c.cut(row.state.Text, c.options.Width-c.nameWidth-gapWidth)
		line += strings.Repeat(" ", gapWidth) + c.paint(row.state.Tone, state)
		line += strings.Repeat(" ", max(c.stateWidth-gapWidth-runewidth.StringWidth(state), 0))
	}
	if row.words != "" {
		line += strings.Repeat(" ", gapWidth) + c.paint(ToneDim, c.cut(row.words, c.options.Width-c.nameWidth-c.stateWidth-gapWidth))
	}
	return line
}

// cut shortens text to a width where lines have a bound.
func (c columns) cut(text string, width int) string {
	if c.options.Width <= 0 {
		return text
	}
	return runewidth.Truncate(text, max(width, 1), "…")
}

func (c columns) paint(tone Tone, text string) string {
	if text == "" || tone == TonePlain {
		return text
	}
	return c.options.Paint(tone, text)
}
