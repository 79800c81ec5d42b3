package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/graph/dag"
	"github.com/muster-dev/muster/project"
)

// NodeID names a step within its plan. They count from 0 in the order in which the steps were planned.
type NodeID int

// Node is a step with its place in the plan.
type Node struct {
	ID   NodeID
	Step step.Step
	// Group is the number of the group that the step belongs to, counted from 1; 0 means none.
	Group int
	// When decides, when the step's turn comes, whether it is done; nil means yes. One that is not done counts as done for those that
	// come after it. A group decides once for all its steps with the same condition.
	When step.Condition
	// Commit marks a step that comes when its group has succeeded: its failure undoes nothing.
	Commit bool
	// Optional marks a step whose failure is a warning: what comes after it goes on.
	Optional bool
}

// Group is steps that go forward or back together.
type Group struct {
	Name string // of the service
	// Undo are steps that put back what was, in order, whatever the group had done. They run when a step of it fails.
	Undo []step.Step
}

// Plan is what will be done, and why.
type Plan struct {
	Project string
	Nodes   []Node
	Groups  []Group
	// Order says which step comes after which.
	Order *dag.Graph[NodeID]
	// Changes are what a person reads: one entry for each service, network or volume that something happens to.
	Changes []Change
	// Unchanged are the containers, networks and volumes that stay as they are.
	Unchanged []Kept
	// Services and Containers count what the project has when the plan is done.
	Services, Containers int
	Warnings             []Warning
	Questions            []Question
	// Problems are why it must not be carried out: what would stop it in the middle.
	Problems []*Problem
	// Comparisons are open: a plan with [State.Differences] for them may replace less.
	Comparisons []Comparison
	// Outages are the services that run and do not for a while, by name.
	Outages []Outage

	made *Input // nil for plans that are not of what a project wants
}

// Comparison asks whether a container was made as docker compose would make it now. Only its hash says that it was not, and
// versions of docker compose compute that differently.
type Comparison struct {
	ID      string // of the container
	Request engine.CreateContainer
}

// Kept is an object that stays as it is.
type Kept struct {
	Ref    graph.Ref
	Object step.Object
	// Skipped says that something was asked for that is not needed or not possible, for the Reason, which may be empty.
	Skipped bool
	Reason  string
}

// Warning is something that the user should know; it stops nothing.
type Warning struct {
	Ref     graph.Ref
	Message string
	// InChanges says that the plan's changes tell it, too: where they are shown the warning says nothing new.
	InChanges bool
}

// Question is something that must not be done without asking. Without an answer it is not done.
type Question struct {
	// Volume is the key of the volume whose data would be lost.
	Volume string
	Text   string
}

// Kind is what happens to a thing.
type Kind string

// Kinds of changes.
const (
	Create   Kind = "create"
	Replace  Kind = "replace"
	Remove   Kind = "remove"
	End      Kind = "stop"
	Start    Kind = "start"
	Restart  Kind = "restart"
	Pause    Kind = "pause"
	Unpause  Kind = "unpause"
	RunAgain Kind = "run again" // a one-shot that has completed: no change
	Pull     Kind = "pull"
	Push     Kind = "push"
	Copy     Kind = "copy"
	Commit   Kind = "commit"
	Export   Kind = "export"
	Build    Kind = "build"
	Provide  Kind = "provide" // a provider's program is asked: no change
	Finish   Kind = "finish"  // what an interrupted replacement left behind
	Orphan   Kind = "orphan"  // left alone: no change
	Maybe    Kind = "maybe"   // replaced if a pull or build brings another image
)

// Change is what happens to one service, network or volume.
type Change struct {
	Kind Kind
	Ref  graph.Ref
	// Objects are the engine's objects that it happens to, sorted.
	Objects []step.Object
	Reasons []Reason
	// Note is a remark for people, "one at a time".
	Note string
	// Asked says that it is just what the user asked for: a pull by the command of that name. It counts then.
	Asked bool
}

// Counts says whether the change is one: running a completed one-shot again, waiting and leaving orphans alone are none.
func (c Change) Counts() bool {
	return c.Asked || c.Kind != RunAgain && c.Kind != Provide && c.Kind != Orphan && c.Kind != Maybe && c.Kind != Pull && c.Kind != Build
}

// Reason is why a thing is changed: a field that differs, or words.
type Reason struct {
	project.Change
	// Text is the reason when it is no field.
	Text string
	// Shown says that the user asked to see secret values: nothing of it is to be masked.
	Shown bool
}

// String is the reason in a line, "environment.LOG_LEVEL info -> debug". Sensitive values that are not to be shown must have
// been taken out before.
func (r Reason) String() string {
	if r.Text != "" {
		return r.Text
	}
	switch {
	case r.Hidden:
		return r.hidden()
	case r.Sensitive && r.Old == "" && r.New == "" && !r.Added && !r.Removed:
		return r.Path + " changed"
	case r.Added:
		return r.Path + " added " + quoted(r.New)
	case r.Removed:
		return strings.TrimSpace(r.Path + " removed " + quoted(r.Old))
	case r.Sensitive && r.Old == "":
		return r.Path + " changed to " + quoted(r.New)
	}
	return r.Path + " " + quoted(r.Old) + " -> " + quoted(r.New)
}

// hidden tells of what secrets, configs, env files and label files hold by name only: "environment.LOG_LEVEL added".
func (r Reason) hidden() string {
	switch {
	case r.Added:
		return r.Path + " added"
	case r.Removed:
		return r.Path + " removed"
	}
	return r.Path + " changed"
}

func quoted(value string) string {
	if value == "" {
		return `""`
	}
	return value
}

// Empty says that there is nothing to do at all.
func (p *Plan) Empty() bool { return len(p.Nodes) == 0 }

// Refusal joins the problems that keep the plan from being carried out; nil where there are none.
func (p *Plan) Refusal() error {
	var all []error
	for _, problem := range p.Problems {
		all = append(all, problem)
	}
	return errors.Join(all...)
}

// HasChanges says whether anything changes; running a completed one-shot again does not.
func (p *Plan) HasChanges() bool {
	for _, change := range p.Changes {
		if change.Counts() {
			return true
		}
	}
	return false
}

// String lists the steps in an order in which they can run, each with those that it comes after: the plan as tests compare it.
func (p *Plan) String() string {
	var text strings.Builder
	order, err := p.Order.Order()
	if err != nil {
		return err.Error()
	}
	number := map[NodeID]int{}
	for i, id := range order {
		number[id] = i + 1
		node := p.Nodes[id]
		fmt.Fprintf(&text, "%d %s", i+1, node.Step)
		p.writeMarks(&text, node)
		for _, after := range p.Order.Deps(id) {
			fmt.Fprintf(&text, " %s%d", p.edgeMark(id, after), number[after])
		}
		text.WriteByte('\n')
	}
	for i, group := range p.Groups {
		for _, undo := range group.Undo {
			fmt.Fprintf(&text, "undo %d: %s\n", i+1, undo)
		}
	}
	return text.String()
}

func (p *Plan) writeMarks(text *strings.Builder, node Node) {
	var marks []string
	if node.Group > 0 {
		marks = append(marks, strconv.Itoa(node.Group))
	}
	if node.Commit {
		marks = append(marks, "commit")
	}
	if node.When != nil {
		marks = append(marks, "if "+node.When.String())
	}
	if len(marks) > 0 {
		text.WriteString(" [" + strings.Join(marks, " ") + "]")
	}
	if node.Optional {
		text.WriteString(" [optional]")
	}
}

func (p *Plan) edgeMark(id, after NodeID) string {
	if p.Order.IsLoose(id, after) {
		return "~"
	}
	return "<"
}

// builder collects a plan.
type builder struct {
	plan  *Plan
	group int         // the group that added steps belong to
	only  conditional // on what condition added steps are done
}

// conditional is on what condition something is done, and the steps after which that can be told. The zero value is always.
type conditional struct {
	when  step.Condition
	after []NodeID
}

func (c conditional) always() bool { return c.when == nil }

// or is when either is; the zero value always is.
func (c conditional) or(other conditional) conditional {
	if c.always() || other.always() {
		return conditional{}
	}
	return conditional{step.Any(c.when, other.when), slices.Concat(c.after, other.after)}
}

// and is when both are.
func (c conditional) and(other conditional) conditional {
	return conditional{step.All(c.when, other.when), slices.Concat(c.after, other.after)}
}

// otherwise is when a condition is not met; that of "always" there is none.
func (c conditional) otherwise() conditional { return conditional{step.Not(c.when), c.after} }

func newBuilder(projectName string) *builder {
	return &builder{plan: &Plan{Project: projectName, Order: dag.New(cmp.Compare[NodeID])}}
}

// add puts a step into the plan, after the given ones.
func (b *builder) add(s step.Step, after ...NodeID) NodeID {
	id := NodeID(len(b.plan.Nodes))
	b.plan.Nodes = append(b.plan.Nodes, Node{ID: id, Step: s, Group: b.group, When: b.only.when})
	b.plan.Order.Add(id)
	if b.after(id, after...); len(after) == 0 {
		b.after(id, b.only.after...)
	}
	return id
}

// beginGroup makes the steps that follow one group, until endGroup.
func (b *builder) beginGroup(name string) {
	b.plan.Groups = append(b.plan.Groups, Group{Name: name})
	b.group = len(b.plan.Groups)
}

// undo adds to what puts back what the open group changes.
func (b *builder) undo(s step.Step) {
	group := &b.plan.Groups[b.group-1]
	group.Undo = append(group.Undo, s)
}

func (b *builder) endGroup() { b.group = 0 }

func (b *builder) after(id NodeID, after ...NodeID) {
	for _, before := range after {
		b.plan.Order.Connect(id, before)
	}
}

// follow says that a step comes after others whatever becomes of them.
func (b *builder) follow(id NodeID, after ...NodeID) {
	for _, before := range after {
		b.plan.Order.Follow(id, before)
	}
}

// note tells what happens to a container, with others of its service that it happens to.
func (b *builder) note(kind Kind, container engine.Container) {
	ref, object := graph.Service(container.Service), step.Object{Kind: step.Container, Name: container.Name}
	for i := range b.plan.Changes {
		if change := &b.plan.Changes[i]; change.Kind == kind && change.Ref == ref {
			change.Objects = append(change.Objects, object)
			return
		}
	}
	b.plan.Changes = append(b.plan.Changes, Change{Kind: kind, Ref: ref, Objects: []step.Object{object}})
}

func (b *builder) keep(ref graph.Ref, kind step.ObjectKind, name string) {
	b.plan.Unchanged = append(b.plan.Unchanged, Kept{Ref: ref, Object: step.Object{Kind: kind, Name: name}})
}

func (b *builder) warn(ref graph.Ref, format string, arguments ...any) {
	b.plan.Warnings = append(b.plan.Warnings, Warning{Ref: ref, Message: fmt.Sprintf(format, arguments...)})
}
