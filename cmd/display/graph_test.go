package display

import (
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// replicas are the containers of a service, by words such as "running", "healthy", "exited:1".
func replicas(words string) []engine.Container {
	var containers []engine.Container
	for word := range strings.FieldsSeq(words) {
		c := engine.Container{Service: "web", State: engine.State(word)}
		switch word {
		case "healthy", "unhealthy", "starting":
			c.State, c.Health = engine.StateRunning, engine.Health(word)
		case "one-off":
			c.State, c.OneOff = engine.StateRunning, true
		case "failed":
			c.State, c.ExitCode = engine.StateExited, 137
		}
		containers = append(containers, c)
	}
	return containers
}

func TestServiceStates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		wanted      int
		have, words string
		tone        graph.Tone
	}{
		{1, "", "not created", graph.ToneDim},
		{0, "", "scaled to 0", graph.ToneDim},
		{1, "one-off", "not created", graph.ToneDim},
		{1, "running", "running", graph.ToneGood},
		{1, "healthy", "healthy", graph.ToneGood},
		{2, "healthy healthy", "healthy 2/2", graph.ToneGood},
		{3, "running running", "running 2/3", graph.ToneBusy},
		{1, "running running", "running 2/2", graph.ToneGood},
		{2, "healthy starting", "starting 1/2", graph.ToneBusy},
		{2, "unhealthy starting", "unhealthy 1/2", graph.ToneBad},
		{3, "running failed unhealthy", "exited (137) 1/3", graph.ToneBad},
		{1, "exited", "done (0)", graph.ToneGood},
		{2, "exited running", "running 1/2", graph.ToneGood},
		{1, "restarting", "restarting (0)", graph.ToneBad},
		{1, "paused", "paused", graph.ToneBusy},
		{1, "created", "created", graph.ToneBusy},
		{1, "dead", "exited (0)", graph.ToneBad},
	} {
		p := &project.Project{Model: &project.Model{Services: project.Services{"web": {Name: "web", Scale: &test.wanted}}}}
		got := ServiceStates(p, replicas(test.have))[graph.Service("web")]
		if want := (graph.State{Text: test.words, Tone: test.tone}); got != want {
			t.Errorf("%d wanted, %q: %+v, want %+v", test.wanted, test.have, got, want)
		}
	}
}

func TestGraph(t *testing.T) {
	t.Parallel()
	diagram := &graph.Diagram{
		Title: "shop",
		Nodes: []graph.Node{
			{Ref: graph.Service("db"), State: graph.State{Text: "healthy", Tone: graph.ToneGood}},
			{Ref: graph.Service("migrate"), State: graph.State{Text: "exited (1)", Tone: graph.ToneBad}},
			{Ref: graph.Service("web-with-a-name"), State: graph.State{Text: "starting 1/2", Tone: graph.ToneBusy}},
			{Ref: graph.Service("worker"), State: graph.State{Text: "not created", Tone: graph.ToneDim}},
		},
		Edges: []graph.Edge{
			{From: graph.Service("migrate"), To: graph.Service("db"), Condition: project.ConditionHealthy},
			{From: graph.Service("web-with-a-name"), To: graph.Service("db"), Condition: project.ConditionHealthy},
			{From: graph.Service("web-with-a-name"), To: graph.Service("migrate"), Condition: project.ConditionCompleted},
			{From: graph.Service("worker"), To: graph.Service("db"), Condition: project.ConditionStarted, Optional: true},
		},
	}
	for name, width := range map[string]int{"graph": 0, "graph-40": 40, "graph-colours": 80} {
		streams, out, _ := buffers(width, 24)
		if err := Graph(streams, diagram, name == "graph-colours"); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.String())
	}
}
