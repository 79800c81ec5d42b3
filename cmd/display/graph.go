package display

import (
	"fmt"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// Graph writes a project's dependency graph for people: as wide as the terminal, and whole where there is none.
func Graph(streams Streams, diagram *graph.Diagram, colors bool) error {
	options := graph.TextOptions{}
	if streams.OutTerminal {
		options.Width = streams.width()
	}
	if colors {
		options.Paint = style{colors}.tone
	}
	_, err := streams.Out.Write(diagram.Text(options))
	return err
}

func (s style) tone(tone graph.Tone, text string) string {
	switch tone {
	case graph.ToneGood:
		return s.good(text)
	case graph.ToneBusy:
		return s.busy(text)
	case graph.ToneBad:
		return s.bad(text)
	case graph.ToneDim:
		return s.dim(text)
	}
	return text
}

// ServiceStates says of each service of a project how its containers are, in a graph's words: "healthy 2/2", by the replica that
// is worst off. One-off containers do not count.
func ServiceStates(p *project.Project, containers []engine.Container) map[graph.Ref]graph.State {
	replicas := map[string][]engine.Container{}
	for _, c := range containers {
		if !c.OneOff {
			replicas[c.Service] = append(replicas[c.Service], c)
		}
	}
	states := map[graph.Ref]graph.State{}
	for name, service := range p.Services {
		states[graph.Service(name)] = serviceState(max(service.GetScale(), 0), replicas[name])
	}
	return states
}

// serviceState is a service's state: that of the worst replica, and how many have it.
func serviceState(wanted int, replicas []engine.Container) graph.State {
	switch {
	case len(replicas) == 0 && wanted == 0:
		return graph.State{Text: "scaled to 0", Tone: graph.ToneDim}
	case len(replicas) == 0:
		return graph.State{Text: "not created", Tone: graph.ToneDim}
	}
	worst, number := condition{}, 0
	for _, c := range replicas {
		switch found := conditionOf(c); {
		case number == 0 || found.rank > worst.rank:
			worst, number = found, 1
		case found == worst:
			number++
		}
	}
	of := max(wanted, len(replicas))
	state := graph.State{Text: worst.words, Tone: worst.tone}
	if of > 1 {
		state.Text += fmt.Sprintf(" %d/%d", number, of)
	}
	if len(replicas) < wanted && state.Tone == graph.ToneGood {
		state.Tone = graph.ToneBusy
	}
	return state
}

// condition is how a replica is: the greater the rank, the worse.
type condition struct {
	rank  int
	words string
	tone  graph.Tone
}

// The ranks of conditions.
const (
	rankDone = iota + 1
	rankHealthy
	rankRunning
	rankWaiting
	rankRestarting
	rankUnhealthy
	rankFailed
)

func conditionOf(c engine.Container) condition {
	words, _ := stateText(c)
	switch {
	case c.State == engine.StateExited && c.ExitCode == 0:
		return condition{rankDone, words, graph.ToneGood}
	case c.State == engine.StateExited || c.State == engine.StateDead:
		return condition{rankFailed, words, graph.ToneBad}
	case c.State == engine.StateRestarting:
		return condition{rankRestarting, words, graph.ToneBad}
	case c.State != engine.StateRunning:
		return condition{rankWaiting, words, graph.ToneBusy}
	}
	switch c.Health {
	case engine.HealthHealthy:
		return condition{rankHealthy, "healthy", graph.ToneGood}
	case engine.HealthStarting:
		return condition{rankWaiting, "starting", graph.ToneBusy}
	case engine.HealthUnhealthy:
		return condition{rankUnhealthy, "unhealthy", graph.ToneBad}
	}
	return condition{rankRunning, words, graph.ToneGood}
}
