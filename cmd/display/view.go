package display

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/graph"
)

// view is what the live progress knows: one item for each service, network, volume and image that something happens to.
type view struct {
	title   Title
	plan    *plan.Plan
	start   time.Time
	items   []*item
	byRef   map[graph.Ref]*item
	pending map[plan.NodeID]bool // steps that have not ended
	changed bool
}

// item is one thing's progress.
type item struct {
	ref     graph.Ref
	nodes   int // steps that have not ended
	active  int
	text    string // what happens now
	began   time.Time
	ended   time.Time
	failure string
	skipped bool
}

// frame is the room on the screen.
type frame struct{ width, height int }

func newView(title Title, p *plan.Plan, now time.Time) *view {
	v := &view{
		title: title, plan: p, start: now, byRef: map[graph.Ref]*item{}, pending: map[plan.NodeID]bool{},
		changed: p.HasChanges(),
	}
	for _, node := range p.Nodes {
		ref := node.Step.Ref()
		if node.Step.Object().Name == "" {
			continue
		}
		v.pending[node.ID] = true
		if v.byRef[ref] == nil {
			v.byRef[ref] = &item{ref: ref}
			v.items = append(v.items, v.byRef[ref])
		}
		v.byRef[ref].nodes++
	}
	return v
}

func (v *view) event(event convergence.Event) {
	if event.Step == nil || event.Object.Name == "" {
		return
	}
	it := v.byRef[event.Step.Ref()]
	if it == nil {
		return
	}
	if event.Undo {
		it.text = "putting back what ran before"
		return
	}
	switch event.Phase {
	case convergence.Started:
		if it.began.IsZero() {
			it.began = event.Time
		}
		it.active++
		if doing, _ := event.Step.Words(); doing != "" {
			it.text = lower(doing)
		}
	case convergence.Progress:
		if text := progressText(event); text != "" {
			it.text = text
		}
	case convergence.Done, convergence.Failed:
		it.active--
		v.settle(it, event)
	case convergence.Skipped, convergence.Unmet:
		v.settle(it, event)
		it.skipped = event.Phase == convergence.Skipped
	}
}

func (v *view) settle(it *item, event convergence.Event) {
	delete(v.pending, event.Node)
	it.nodes--
	if event.Phase == convergence.Failed && !event.Optional {
		it.failure = firstLine(event.Err.Error())
	}
	if it.nodes == 0 {
		it.ended = event.Time
	}
}

func progressText(event convergence.Event) string {
	const megabyte = 1_000_000
	if event.Progress.Total > 0 {
		return fmt.Sprintf("%s %d of %d MB", lower(event.Progress.Text), event.Progress.Current/megabyte, event.Progress.Total/megabyte)
	}
	return event.Progress.Text
}

// lines are the view now: a header, what is done in one line, then what happens, then what waits; never more than fit.
func (v *view) lines(now time.Time, s style, f frame) []string {
	done, failed, active, waiting := v.sort()
	header := fmt.Sprintf("%s  %s  %d/%d", v.title.Project, v.title.Verb, len(done), len(v.items))
	lines := []string{s.bold(row(header, seconds(now.Sub(v.start)), f.width-1))}
	if len(done) > 0 {
		left := fmt.Sprintf("✔ %d done: %s", len(done), names(done))
		lines = append(lines, s.good(row(left, "", f.width-1)))
	}
	width := 0
	for _, it := range slices.Concat(failed, active, waiting) {
		width = max(width, len(refWords(it.ref)))
	}
	for _, it := range failed {
		lines = append(lines, s.bad(row("✘ "+pad(harmless(refWords(it.ref)), width)+"  "+harmless(it.failure), "", f.width-1)))
	}
	room := roomFor(f, len(lines))
	shown := 0
	for _, it := range slices.Concat(active, waiting) {
		if shown == room-1 && len(active)+len(waiting) > room {
			lines = append(lines, s.dim(fmt.Sprintf("  and %d more", len(active)+len(waiting)-shown)))
			break
		}
		shown++
		lines = append(lines, v.line(now, s, it, lineFrame{names: width, width: f.width}))
	}
	return lines
}

type lineFrame struct{ names, width int }

func (v *view) line(now time.Time, s style, it *item, f lineFrame) string {
	name := pad(harmless(refWords(it.ref)), f.names)
	if it.active > 0 {
		left := spinner(now) + " " + name + "  " + harmless(it.text)
		return s.busy(row(left, seconds(now.Sub(it.began)), f.width-1))
	}
	return s.dim(row("· "+name+"  "+v.waitsFor(it), "", f.width-1))
}

// roomFor is how many lines are left for what is under way: the screen's, but no more than calm eyes take.
func roomFor(f frame, used int) int {
	const calm = 16
	if f.height == 0 {
		return calm
	}
	return max(min(calm, f.height-used-1), 1)
}

func spinner(now time.Time) string {
	const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
	runes := []rune(frames)
	return string(runes[int(now.UnixMilli()/frameTime.Milliseconds())%len(runes)])
}

func (v *view) sort() (done, failed, active, waiting []*item) {
	for _, it := range v.items {
		switch {
		case it.failure != "":
			failed = append(failed, it)
		case it.nodes == 0 && it.skipped:
			waiting = append(waiting, it)
		case it.nodes == 0:
			done = append(done, it)
		case it.active > 0:
			active = append(active, it)
		default:
			waiting = append(waiting, it)
		}
	}
	return done, failed, active, waiting
}

func names(items []*item) string {
	texts := make([]string, len(items))
	for i, it := range items {
		texts[i] = harmless(refWords(it.ref))
	}
	return strings.Join(texts, ", ")
}

// waitsFor says what keeps a thing from going on: the other things whose steps have to end before its next one.
func (v *view) waitsFor(it *item) string {
	if it.skipped {
		return "not started"
	}
	var others []string
	for _, node := range v.plan.Nodes {
		if !v.pending[node.ID] || node.Step.Ref() != it.ref {
			continue
		}
		for _, before := range v.plan.Order.Deps(node.ID) {
			ref := v.plan.Nodes[before].Step.Ref()
			if name := harmless(refWords(ref)); v.pending[before] && ref != it.ref && !slices.Contains(others, name) {
				others = append(others, name)
			}
		}
	}
	if len(others) == 0 {
		return "waits"
	}
	return "waits for " + strings.Join(others, ", ")
}

// summary is the one line that stays when all went well.
func (v *view) summary(now time.Time) string {
	if !v.changed {
		return v.title.Nothing
	}
	if v.title.Done == "" {
		return ""
	}
	if v.plan.Services == 0 {
		return fmt.Sprintf("%s in %s", v.title.Done, seconds(now.Sub(v.start)))
	}
	return fmt.Sprintf("%s: %s, %s in %s", v.title.Done,
		count(v.plan.Services, "service"), count(v.plan.Containers, "container"), seconds(now.Sub(v.start)))
}
