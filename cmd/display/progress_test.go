package display

import (
	"bytes"
	"cmp"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/graph/dag"
	"github.com/muster-dev/muster/project"
)

// story is a plan, and what happens while it is applied, a second apart.
type story struct {
	plan   *plan.Plan
	events []convergence.Event
}

func newStory() *story {
	s := &story{plan: &plan.Plan{
		Project: "shop", Services: 5, Containers: 7, Order: dag.New(cmp.Compare[plan.NodeID]),
		Changes: []plan.Change{
			{Kind: plan.Create, Ref: graph.Network("default")},
			{Kind: plan.Replace, Ref: graph.Service("web"), Reasons: []plan.Reason{
				{Change: project.Change{Path: "environment.LEVEL", Old: "info", New: "debug"}}, {Text: "asked for (--force-recreate)"},
			}},
		},
		Unchanged: []plan.Kept{{Ref: graph.Service("cache"), Object: step.Object{Kind: step.Container, Name: "shop-cache-1"}}},
		Warnings:  []plan.Warning{{Message: "found an orphan called \x1b[31mred"}},
	}}
	target := func(service string) step.Target {
		return step.Target{Name: "shop-" + service + "-1", Service: service, Replica: 1}
	}
	network := s.add(step.CreateNetwork{Key: "default", Request: engine.CreateNetwork{Name: "shop_default"}})
	db := s.add(step.CreateContainer{Target: target("db")}, network)
	dbStart := s.add(step.StartContainer{Target: target("db")}, db)
	api := s.add(step.StartContainer{Target: target("api")}, dbStart)
	health := s.add(step.Wait{Target: target("api"), Goal: step.Healthy}, api)
	s.add(step.StartContainer{Target: target("web")}, health)
	s.add(step.PullImage{Reference: "mailer:1"})
	return s
}

func (s *story) add(what step.Step, after ...plan.NodeID) plan.NodeID {
	id := plan.NodeID(len(s.plan.Nodes))
	s.plan.Nodes = append(s.plan.Nodes, plan.Node{ID: id, Step: what})
	s.plan.Order.Add(id)
	for _, before := range after {
		s.plan.Order.Connect(id, before)
	}
	return id
}

func (s *story) happens(id plan.NodeID, phase convergence.Phase, more ...func(*convergence.Event)) *story {
	node := s.plan.Nodes[id]
	event := convergence.Event{
		Time: noon().Add(time.Duration(len(s.events)+1) * time.Second),
		Node: id, Step: node.Step, Object: node.Step.Object(), Phase: phase,
	}
	for _, change := range more {
		change(&event)
	}
	s.events = append(s.events, event)
	return s
}

func (s *story) done(ids ...plan.NodeID) *story {
	for _, id := range ids {
		s.happens(id, convergence.Started).happens(id, convergence.Done)
	}
	return s
}

func halfWay() *story {
	s := newStory()
	s.events = append(s.events, convergence.Event{
		Time: noon(), Node: -1, Phase: convergence.Unchanged, Object: s.plan.Unchanged[0].Object,
	})
	s.done(0, 1, 2, 3)
	s.happens(4, convergence.Started)
	s.happens(4, convergence.Progress, func(e *convergence.Event) {
		e.Progress = step.Progress{Text: "health check 2 of 5, last probe: exit 1"}
	})
	s.happens(6, convergence.Started)
	return s.happens(6, convergence.Progress, func(e *convergence.Event) {
		e.Progress = step.Progress{Text: "Downloading", Current: 34_000_000, Total: 120_000_000}
	})
}

func failed() *story {
	s := halfWay()
	s.happens(4, convergence.Failed, func(e *convergence.Event) { e.Err = errors.New("container shop-api-1 is unhealthy\nand more") })
	return s.happens(5, convergence.Skipped)
}

func (s *story) playOn(progress Progress) {
	progress.Begin(Title{Project: "shop", Verb: "up", Done: "shop is up", Nothing: "shop is up to date"}, s.plan)
	for _, event := range s.events {
		progress.Event(event)
	}
}

func TestPlainProgress(t *testing.T) {
	t.Parallel()
	streams, _, errOut := buffers(0, 0)
	progress := NewProgress(Looks{Mode: Plain}, streams)
	failed().playOn(progress)
	progress.End(nil)
	golden(t, "plain", errOut.String())
}

func TestJSONProgress(t *testing.T) {
	t.Parallel()
	streams, _, errOut := buffers(0, 0)
	progress := NewProgress(Looks{Mode: JSON}, streams)
	failed().playOn(progress)
	progress.End(nil)
	// The time of a warning is now; all others are the events' own.
	lines := strings.SplitN(errOut.String(), "\n", 2)
	if !strings.Contains(lines[0], `"status":"Warning"`) {
		t.Errorf("first line %s", lines[0])
	}
	golden(t, "json", lines[1])
}

func TestQuietProgress(t *testing.T) {
	t.Parallel()
	streams, out, errOut := buffers(0, 0)
	progress := NewProgress(Looks{Mode: Quiet}, streams)
	failed().playOn(progress)
	progress.End(nil)
	if out.Len()+errOut.Len() > 0 {
		t.Errorf("said %q %q", out, errOut)
	}
}

func TestLiveView(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		story *story
		style style
		frame frame
	}{
		{"live-80", halfWay(), style{}, frame{80, 24}},
		{"live-40", halfWay(), style{}, frame{40, 24}},
		{"live-low", halfWay(), style{}, frame{80, 5}},
		{"live-colours", halfWay(), style{true}, frame{80, 24}},
		{"live-failed", failed(), style{}, frame{80, 24}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := newView(Title{Project: "shop", Verb: "up"}, test.story.plan, noon())
			for _, event := range test.story.events {
				v.event(event)
			}
			lines := v.lines(noon().Add(14200*time.Millisecond), test.style, test.frame)
			if len(lines) >= test.frame.height {
				t.Errorf("%d lines on a screen of %d", len(lines), test.frame.height)
			}
			golden(t, test.name, strings.Join(lines, "\n")+"\n")
		})
	}
}

// What is drawn is erased again, logs appear above it whole, and in the end only the summary is left.
func TestLiveOwnsTheTerminal(t *testing.T) {
	t.Parallel()
	streams, _, errOut := buffers(80, 24)
	streams.Out = errOut
	progress := NewProgress(Looks{Mode: TTY}, streams)
	newStory().done(0).playOn(progress)
	out, _ := progress.Output()
	if _, err := out.Write([]byte("web-1  | a line\n")); err != nil {
		t.Fatal(err)
	}
	progress.End(nil)
	screen := render(errOut.Bytes())
	want := []string{`warning: found an orphan called \x1b[31mred`, "web-1  | a line", "shop is up: 5 services, 7 containers in 0.0 s"}
	if strings.Join(screen, "\n") != strings.Join(want, "\n") {
		t.Errorf("screen %q, want %q", screen, want)
	}
}

// render is what a terminal shows after these bytes, as far as the live view uses one: lines, cursor up, clear to the end.
func render(data []byte) []string {
	var lines []string
	for len(data) > 0 {
		if rest, ok := bytes.CutPrefix(data, []byte("\x1b[")); ok {
			end := bytes.IndexAny(rest, "AJ")
			up := 0
			for _, digit := range rest[:end] {
				up = up*10 + int(digit-'0')
			}
			if rest[end] == 'A' {
				lines = lines[:len(lines)-up]
			}
			data = rest[end+1:]
			continue
		}
		if data[0] == '\r' {
			data = data[1:]
			continue
		}
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		lines, data = append(lines, string(line)), rest
	}
	return lines
}
