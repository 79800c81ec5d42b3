package graph

import (
	"bytes"
	_ "embed" // for the style sheet
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/muster-dev/muster/project"
)

// The measures of an SVG drawing, in pixels.
const (
	svgMargin    = 28.0
	svgHeader    = 56.0 // the title above the graph
	svgLegend    = 52.0 // the legend below it
	svgLow       = 36.0 // a box with a name alone
	svgHigh      = 46.0 // a box with a line below its name
	svgInset     = 14.0 // of text in a box
	svgNameCell  = 8.9  // a cell of a name
	svgSmallCell = 6.9  // a cell of other text
	svgDot       = 12.0 // a state's dot and what is behind it
)

//go:embed svg.css
var svgStyle string

// SVG draws the diagram as a picture that stands alone: no scripts, no fonts, no links; light and dark as the reader's system is.
// What needs is left of what it needs. The tooltips tell of boxes and lines what there is no room for.
func (d *Diagram) SVG() []byte {
	s := &svg{Diagram: d}
	s.measure()
	s.write()
	return s.text.Bytes()
}

// svg is one drawing on its way.
type svg struct {
	*Diagram
	layout
	text          bytes.Buffer
	legend        []legendEntry
	width, height float64 // of the whole drawing
}

func (s *svg) measure() {
	at := s.positions()
	height := svgLow
	widths := make([]float64, len(s.Nodes))
	for i, node := range s.Nodes {
		widths[i] = nodeWidth(node)
		if caption(node) != "" {
			height = svgHigh
		}
	}
	edges := make([]link, len(s.Edges))
	for i, edge := range s.Edges {
		edges[i] = link{at[edge.From], at[edge.To]}
	}
	s.layout = lay(widths, height, edges)
	s.legend = s.legendEntries()
	s.width = max(s.layout.width, textWidth(s.heading(), svgNameCell), legendWidth(s.legend)) + 2*svgMargin
	s.height = s.layout.height + svgHeader + svgMargin
	if len(s.legend) > 0 {
		s.height += svgLegend
	}
}

func textWidth(text string, cell float64) float64 { return float64(runewidth.StringWidth(text)) * cell }

func nodeWidth(node Node) float64 {
	const least = 72
	below := textWidth(caption(node), svgSmallCell)
	if node.State.Text != "" {
		below += svgDot
	}
	return math.Ceil(max(textWidth(short(node.Ref.Name), svgNameCell), below, least) + 2*svgInset)
}

// caption is the line below a name.
func caption(node Node) string {
	if node.State.Text != "" {
		return short(node.State.Text)
	}
	if node.Ref.Kind != KindService {
		return string(node.Ref.Kind)
	}
	return ""
}

func (s *svg) heading() string { return short(s.Title) + "   " + s.counts() }

func (s *svg) write() {
	fmt.Fprintf(&s.text, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s" role="img">`+"\n",
		pixels(s.width), pixels(s.height))
	fmt.Fprintf(&s.text, "<title>%s</title>\n<style>\n%s</style>\n", escaped(printable(s.Title)), svgStyle)
	s.text.WriteString(svgMarkers)
	s.text.WriteString(`<rect class="paper" width="100%" height="100%"/>` + "\n")
	fmt.Fprintf(&s.text, `<text class="title" x="%[1]s" y="38">%[2]s<tspan class="note" dx="10">%[3]s</tspan></text>`+"\n",
		pixels(svgMargin), escaped(short(s.Title)), escaped(s.counts()))
	fmt.Fprintf(&s.text, "<g transform=\"translate(%s %s)\">\n", pixels(svgMargin), pixels(svgHeader))
	for i, edge := range s.Edges {
		s.edge(edge, s.routes[i])
	}
	for i, node := range s.Nodes {
		s.node(node, s.boxes[i])
	}
	s.text.WriteString("</g>\n")
	s.writeLegend()
	s.text.WriteString("</svg>\n")
}

func (s *svg) node(node Node, b box) {
	tooltip := node.Ref.name()
	if node.State.Text != "" {
		tooltip += ": " + printable(node.State.Text)
	}
	radius := 8.0
	if node.Ref.Kind != KindService {
		radius = b.height / 2 //nolint:mnd // round ends
	}
	fmt.Fprintf(&s.text, `<g class="node %s"><title>%s</title><rect x="%s" y="%s" width="%s" height="%s" rx="%s"/>`,
		node.Ref.Kind, escaped(tooltip), pixels(b.x), pixels(b.y), pixels(b.width), pixels(b.height), pixels(radius))
	const up, down, baseline = 4, 12, 4.5
	x, middle, below := b.x+svgInset, b.y+b.height/2, caption(node)
	if below == "" {
		s.label("name", x, middle+baseline, short(node.Ref.Name))
	} else {
		s.label("name", x, middle-up+1, short(node.Ref.Name))
		if node.State.Text != "" {
			fmt.Fprintf(&s.text, `<circle class="dot %s" cx="%s" cy="%s" r="3.5"/>`, node.State.Tone, pixels(x+up), pixels(middle+down-up))
			x += svgDot
		}
		s.label("note", x, middle+down, below)
	}
	s.text.WriteString("</g>\n")
}

func (s *svg) label(class string, x, y float64, text string) {
	fmt.Fprintf(&s.text, `<text class="%s" x="%s" y="%s">%s</text>`, class, pixels(x), pixels(y), escaped(text))
}

func (s *svg) edge(edge Edge, route []point) {
	tooltip := edge.From.name() + " → " + edge.To.name()
	if words := onceWords(edge); words != "" {
		tooltip += ": " + words
	}
	fmt.Fprintf(&s.text, `<path class="%s" d="%s"%s><title>%s</title></path>`+"\n", edgeClass(edge), curve(route), markers(edge), escaped(tooltip))
}

// curve is a route as a path: curves between the layers, straight lines past what is in them.
func curve(route []point) string {
	var path strings.Builder
	fmt.Fprintf(&path, "M%s %s", pixels(route[0].x), pixels(route[0].y))
	for i := 1; i < len(route); i++ {
		from, to := route[i-1], route[i]
		if i%2 == 0 || from.y == to.y {
			fmt.Fprintf(&path, "L%s %s", pixels(to.x), pixels(to.y))
			continue
		}
		middle := (from.x + to.x) / 2 //nolint:mnd // half way
		fmt.Fprintf(&path, "C%[1]s %[2]s %[1]s %[4]s %[3]s %[4]s", pixels(middle), pixels(from.y), pixels(to.x), pixels(to.y))
	}
	return path.String()
}

// edgeClass is an edge's class in the style sheet: its colour by what is waited for, dashes where it is optional.
func edgeClass(edge Edge) string {
	class := "edge " + edgeKind(edge)
	if edge.Optional {
		class += " optional"
	}
	if len(edge.Shares) > 0 {
		class += " shared"
	}
	return class
}

func edgeKind(edge Edge) string {
	switch edge.Condition {
	case "":
		return "uses"
	case project.ConditionHealthy:
		return "healthy"
	case project.ConditionCompleted:
		return "completed"
	}
	return "started"
}

// markers are what is at the ends of an edge. Each condition has a shape of its own, so that nobody depends on colours.
func markers(edge Edge) string {
	kind := edgeKind(edge)
	marks := fmt.Sprintf(` marker-end="url(#%s)"`, kind)
	if edge.Restart {
		marks += fmt.Sprintf(` marker-start="url(#restart-%s)"`, kind)
	}
	return marks
}

const svgMarkers = `<defs>
<marker id="started" markerUnits="userSpaceOnUse" markerWidth="12" markerHeight="12" refX="9" refY="6" orient="auto"><path class="head started open" d="M3 2L9 6L3 10"/></marker>
<marker id="healthy" markerUnits="userSpaceOnUse" markerWidth="12" markerHeight="12" refX="10" refY="6" orient="auto"><path class="head healthy" d="M1 1.5L10 6L1 10.5Z"/></marker>
<marker id="completed" markerUnits="userSpaceOnUse" markerWidth="12" markerHeight="12" refX="10" refY="6" orient="auto"><path class="head completed" d="M1 6L5.5 1.5L10 6L5.5 10.5Z"/></marker>
<marker id="uses" markerUnits="userSpaceOnUse" markerWidth="6" markerHeight="6" refX="4" refY="3" orient="auto"><circle class="head uses" cx="3" cy="3" r="2"/></marker>
<marker id="restart-started" markerUnits="userSpaceOnUse" markerWidth="12" markerHeight="12" refX="2" refY="6"><circle class="ring started" cx="6" cy="6" r="3.5"/></marker>
<marker id="restart-healthy" markerUnits="userSpaceOnUse" markerWidth="12" markerHeight="12" refX="2" refY="6"><circle class="ring healthy" cx="6" cy="6" r="3.5"/></marker>
<marker id="restart-completed" markerUnits="userSpaceOnUse" markerWidth="12" markerHeight="12" refX="2" refY="6"><circle class="ring completed" cx="6" cy="6" r="3.5"/></marker>
</defs>
`

// legendEntry is a line and what it means.
type legendEntry struct {
	edge Edge
	text string
}

// legendEntries explain the kinds of lines that are in the drawing.
func (s *svg) legendEntries() []legendEntry {
	meanings := []struct {
		entry legendEntry
		is    func(Edge) bool
	}{
		{
			legendEntry{Edge{Condition: project.ConditionStarted}, "once started"},
			func(e Edge) bool { return edgeKind(e) == "started" },
		},
		{
			legendEntry{Edge{Condition: project.ConditionHealthy}, "once healthy"},
			func(e Edge) bool { return edgeKind(e) == "healthy" },
		},
		{
			legendEntry{Edge{Condition: project.ConditionCompleted}, "once completed"},
			func(e Edge) bool { return edgeKind(e) == "completed" },
		},
		{legendEntry{Edge{Condition: project.ConditionStarted, Optional: true}, "optional"}, func(e Edge) bool { return e.Optional }},
		{legendEntry{Edge{Condition: project.ConditionStarted, Restart: true}, "restarts with it"}, func(e Edge) bool { return e.Restart }},
		{
			legendEntry{Edge{Condition: project.ConditionStarted, Shares: []string{""}}, "shares a namespace or volumes"},
			func(e Edge) bool { return len(e.Shares) > 0 },
		},
		{legendEntry{Edge{}, "uses"}, func(e Edge) bool { return edgeKind(e) == "uses" }},
	}
	var entries []legendEntry
	for _, meaning := range meanings {
		if slices.ContainsFunc(s.Edges, meaning.is) {
			entries = append(entries, meaning.entry)
		}
	}
	return entries
}

// The measures of the legend.
const (
	legendLine = 34.0
	legendText = 8.0
	legendGap  = 24.0
)

func legendWidth(entries []legendEntry) float64 {
	width := 0.0
	for _, entry := range entries {
		width += legendLine + legendText + textWidth(entry.text, svgSmallCell) + legendGap
	}
	return width
}

func (s *svg) writeLegend() {
	if len(s.legend) == 0 {
		return
	}
	const baseline = 4
	x, y := svgMargin, s.height-svgMargin
	s.text.WriteString(`<g class="legend">` + "\n")
	for _, entry := range s.legend {
		route := []point{{x, y}, {x + legendLine, y}}
		fmt.Fprintf(&s.text, `<path class="%s" d="%s"%s/>`, edgeClass(entry.edge), curve(route), markers(entry.edge))
		s.label("note", x+legendLine+legendText, y+baseline, entry.text)
		s.text.WriteByte('\n')
		x += legendWidth([]legendEntry{entry})
	}
	s.text.WriteString("</g>\n")
}

// pixels is a number of at most one decimal.
func pixels(value float64) string {
	const tenth = 10
	return strconv.FormatFloat(math.Round(value*tenth)/tenth, 'f', -1, 64)
}

// escaped is printable text as XML has it.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}
