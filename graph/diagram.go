package graph

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"

	"github.com/muster-dev/muster/project"
)

// Diagram is a dependency graph as it is drawn. Its methods are the formats; each gives the same bytes for the same diagram,
// and changes nothing.
type Diagram struct {
	Title string // the project's name
	Nodes []Node // each after those that it needs
	Edges []Edge // in the order of Nodes: by From, then by To
}

// Node is a thing that is drawn.
type Node struct {
	Ref   Ref
	State State // the zero State where nothing is known
	// Notes are more to be told of it, a line each. Only DOT shows them.
	Notes []string
}

// State is how a thing is now: words such as "healthy 2/2", and what they mean.
type State struct {
	Text string
	Tone Tone
}

// Tone is what a colour says.
type Tone string

// The tones. What is drawn reads without them.
const (
	TonePlain Tone = ""
	ToneGood  Tone = "good"
	ToneBusy  Tone = "busy" // waiting or changing
	ToneBad   Tone = "bad"
	ToneDim   Tone = "dim"
)

// Edge is that one thing needs another.
type Edge struct {
	From, To Ref
	// Condition is what a service waits for, as `depends_on` has it; empty for networks, volumes, configs and secrets.
	Condition string
	Optional  bool     // required: false
	Restart   bool     // From is restarted when To is
	Shares    []string // the keys under which From takes part in what is To's: network_mode, ipc, pid, uts, volumes_from
	ReadOnly  bool     // of a volume: all mounts of it are
}

// Kinds are the kinds of things that a diagram can have beside services.
func Kinds() []Kind { return []Kind{KindNetwork, KindVolume, KindConfig, KindSecret} }

// Draw makes the diagram of a project and its graph: the services, and of what they use the kinds that are named. States are
// those of the things about which something is known; nil where nothing is. Neither project nor graph is changed.
func Draw(p *project.Project, g *Graph, kinds []Kind, states map[Ref]State) *Diagram {
	d := &Diagram{Title: p.Name}
	for _, vertex := range g.Vertices() {
		if slices.Contains(kinds, vertex.Kind) && vertex.Kind != KindService {
			d.Nodes = append(d.Nodes, Node{Ref: vertex, State: states[vertex]})
		}
	}
	for _, name := range g.Services() {
		d.Nodes = append(d.Nodes, Node{Ref: Service(name), State: states[Service(name)]})
	}
	at := d.positions()
	for _, name := range g.Services() {
		var edges []Edge
		for _, needed := range g.Deps(Service(name)) {
			if _, drawn := at[needed]; drawn {
				edges = append(edges, edgeOf(p, p.Services[name], needed))
			}
		}
		slices.SortStableFunc(edges, func(a, b Edge) int { return at[a.To] - at[b.To] })
		d.Edges = append(d.Edges, edges...)
	}
	return d
}

func edgeOf(p *project.Project, service project.Service, needed Ref) Edge {
	edge := Edge{From: Service(service.Name), To: needed}
	switch needed.Kind {
	case KindService:
		edge.Condition = project.ConditionStarted
		if dependency, ok := service.DependsOn[needed.Name]; ok {
			edge.Condition, edge.Optional, edge.Restart = dependency.Condition, !dependency.Required, dependency.Restart
		}
		for _, sharing := range SharedWith(p, service) {
			if sharing.Service == needed.Name && !slices.Contains(edge.Shares, sharing.Key) {
				edge.Shares = append(edge.Shares, sharing.Key)
			}
		}
	case KindVolume:
		edge.ReadOnly = !slices.ContainsFunc(service.Volumes, func(mount project.Mount) bool {
			return mount.Source == needed.Name && mount.Type == project.MountVolume && !mount.ReadOnly
		})
	}
	return edge
}

// positions are the places of the nodes in the diagram's list.
func (d *Diagram) positions() map[Ref]int {
	at := make(map[Ref]int, len(d.Nodes))
	for i, node := range d.Nodes {
		at[node.Ref] = i
	}
	return at
}

// counts is how many things of each kind there are.
func (d *Diagram) counts() string {
	number := map[Kind]int{}
	for _, node := range d.Nodes {
		number[node.Ref.Kind]++
	}
	parts := []string{counted(number[KindService], KindService)}
	for _, kind := range Kinds() {
		if number[kind] > 0 {
			parts = append(parts, counted(number[kind], kind))
		}
	}
	return strings.Join(parts, ", ")
}

func counted(number int, kind Kind) string { return fmt.Sprintf("%d %s", number, plural(number, kind)) }

func plural(number int, kind Kind) string {
	if number == 1 {
		return string(kind)
	}
	return string(kind) + "s"
}

// words are what there is to say of an edge, the condition first: "healthy", "optional".
func (e Edge) words() []string {
	var words []string
	if word := e.condition(); word != "" {
		words = append(words, word)
	}
	if e.Optional {
		words = append(words, "optional")
	}
	if e.Restart {
		words = append(words, "restart")
	}
	for _, key := range e.Shares {
		words = append(words, "shares "+strings.TrimSuffix(strings.TrimSuffix(key, "_mode"), "_from"))
	}
	if e.ReadOnly {
		words = append(words, "read only")
	}
	return words
}

// condition is a condition's word: started, healthy, completed.
func (e Edge) condition() string {
	switch e.Condition {
	case project.ConditionStarted:
		return "started"
	case project.ConditionHealthy:
		return "healthy"
	case project.ConditionCompleted:
		return "completed"
	}
	return printable(e.Condition)
}

// name is how a thing is called where its kind does not show otherwise: a service by its name alone.
func (r Ref) name() string {
	if r.Kind == KindService {
		return printable(r.Name)
	}
	return string(r.Kind) + " " + printable(r.Name)
}

// printable makes other people's text fit to be drawn in any format: what cannot be seen is written as an escape, and there is an
// end to it.
func printable(text string) string {
	const cells = 250 // names are no longer
	hidden := func(r rune) bool { return !strconv.IsPrint(r) }
	if !utf8.ValidString(text) || strings.ContainsFunc(text, hidden) {
		quoted := strconv.QuoteToGraphic(text)
		text = quoted[1 : len(quoted)-1]
	}
	return runewidth.Truncate(text, cells, "…")
}

// short is printable text of at most a box's width.
func short(text string) string {
	const cells = 40
	return runewidth.Truncate(printable(text), cells, "…")
}
