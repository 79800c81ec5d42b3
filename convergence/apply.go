package convergence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph/dag"
)

// StepError says which step of a plan failed. What followed from it is no error of its own.
type StepError struct {
	Node plan.NodeID
	Step step.Step
	Err  error
	// Undone says what became of what the step's group had changed: nil when there was nothing to undo.
	Undone *Undone
}

// Undone is the outcome of undoing a group.
type Undone struct {
	Group string // the service
	Err   error  // nil when everything is as it was
	// Restored are the containers that run as before.
	Restored []string
	// Untouched says that they never stopped.
	Untouched bool
}

func (e *StepError) Error() string {
	var waited *step.WaitError
	if errors.As(e.Err, &waited) {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %s", e.What(), e.Err)
}

// What is the step by the names that things have in the end.
func (e *StepError) What() string {
	if create, ok := e.Step.(step.CreateContainer); ok {
		return "create container " + create.Object().Name // not the name that it has meanwhile
	}
	return e.Step.String()
}

func (e *StepError) Unwrap() error { return e.Err }

// undoTime bounds how long putting things back may take, whatever happened to the caller's context.
const undoTime = time.Minute

// Apply carries out a plan: every step as soon as those that it comes after are done, as many at once as can be. Nothing is
// decided here. It returns when all steps have ended or were skipped, and never leaves a step half done: when a step of a group
// fails, or the context ends, what the group had changed is put back.
//
// A plan that has problems is refused with them, and nothing is touched. Else the error joins a [*StepError] for each root cause. When the context ended first, it is the context's cause.
func Apply(ctx context.Context, eng engine.Engine, p *plan.Plan, sink Sink) error {
	if err := p.Refusal(); err != nil {
		return err
	}
	run := &run{eng: eng, plan: p, sink: sink, groups: make([]group, len(p.Groups))}
	for _, kept := range p.Unchanged {
		run.tell(Event{Node: -1, Phase: Unchanged, Object: kept.Object, Skipped: kept.Skipped, Reason: kept.Reason})
	}
	for i := range run.groups {
		run.groups[i].plan = &p.Groups[i]
	}
	walk := dag.Walk[plan.NodeID]{Skipped: func(id plan.NodeID) { run.skipped(ctx, id) }}
	err := walk.Run(ctx, p.Order, run.visit)
	_ = run.undos.Wait()
	return err
}

// run is one application of a plan.
type run struct {
	eng    engine.Engine
	plan   *plan.Plan
	groups []group
	undos  errgroup.Group // of groups that failed because one of their steps was skipped

	mutex sync.Mutex // of the sink
	sink  Sink
}

func (r *run) tell(event Event) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	event.Time = time.Now()
	r.sink(event)
}

func (r *run) event(node plan.Node, phase Phase) Event {
	return Event{Node: node.ID, Step: node.Step, Phase: phase, Object: node.Step.Object(), Optional: node.Optional}
}

// skipped is told of steps that the walk leaves out. A group whose step is left out has failed.
func (r *run) skipped(ctx context.Context, id plan.NodeID) {
	node := r.plan.Nodes[id]
	g := r.groupOf(node)
	if g == nil {
		r.tell(r.event(node, Skipped))
		return
	}
	if g.skip(!node.Commit) {
		r.undos.Go(func() error { r.undo(ctx, g); return nil })
	}
	if g.unmet(node.When) {
		r.tell(r.event(node, Unmet))
		return
	}
	r.tell(r.event(node, Skipped))
}

func (r *run) groupOf(node plan.Node) *group {
	if node.Group == 0 {
		return nil
	}
	return &r.groups[node.Group-1]
}

func (r *run) visit(ctx context.Context, id plan.NodeID) error {
	node := r.plan.Nodes[id]
	g := r.groupOf(node)
	if g == nil {
		return r.settle(node, r.doAlone(ctx, node), nil)
	}
	state, err := g.enter(ctx, r.eng, node.When)
	switch {
	case err != nil:
	case state == groupUnmet:
		r.tell(r.event(node, Unmet))
		g.leave(false)
		return nil
	case state == groupFailed:
		r.tell(r.event(node, Skipped))
		err = dag.ErrSkip
	default:
		g.begins(node)
		err = r.do(ctx, node)
		g.ends(ctx, node, err)
	}
	var undone *Undone
	if g.leave(err != nil && !node.Commit) {
		undone = r.undo(ctx, g)
	}
	return r.settle(node, err, undone)
}

// doAlone runs a step that belongs to no group, if its condition is met.
func (r *run) doAlone(ctx context.Context, node plan.Node) error {
	if node.When != nil {
		met, err := node.When.Met(ctx, r.eng)
		if err != nil {
			return err
		}
		if !met {
			r.tell(r.event(node, Unmet))
			return nil
		}
	}
	return r.do(ctx, node)
}

// do runs a step and tells of it.
func (r *run) do(ctx context.Context, node plan.Node) error {
	r.tell(r.event(node, Started))
	ctx, done := linger(ctx, node)
	defer done()
	err := node.Step.Run(ctx, r.eng, func(progress step.Progress) {
		event := r.event(node, Progress)
		event.Progress = progress
		r.tell(event)
	})
	if err != nil {
		event := r.event(node, Failed)
		event.Err = err
		r.tell(event)
		return err
	}
	r.tell(r.event(node, Done))
	return nil
}

// lingerTime is how long a call that is under way may take to end when the caller's context has.
const lingerTime = 2 * time.Second

// linger is the context of a step. One that is undone when it fails is not cut off in the middle: the engine could do what it was asked
// for only after it was undone.
func linger(ctx context.Context, node plan.Node) (context.Context, func()) {
	switch node.Step.Action() {
	case "create", "rename", "update", "start", "stop", "connect", "disconnect", "remove":
	default:
		return ctx, func() {}
	}
	if node.Group == 0 {
		return ctx, func() {}
	}
	lingering, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(lingerTime, func() { cancel(context.Cause(ctx)) })
	})
	return lingering, func() {
		stop()
		cancel(nil) // what comes later than that changes nothing
	}
}

// settle makes the walk's error of a step's.
func (r *run) settle(node plan.Node, err error, undone *Undone) error {
	switch {
	case err == nil, node.Optional:
		return nil
	case errors.Is(err, dag.ErrSkip):
		return err
	}
	return &StepError{Node: node.ID, Step: node.Step, Err: err, Undone: undone}
}

// undo puts back what a group had changed. It has a time of its own: the caller's context may be over.
func (r *run) undo(ctx context.Context, g *group) *Undone {
	ctx = context.WithoutCancel(ctx)
	r.awaitStops(ctx, g)
	ctx, cancel := context.WithTimeout(ctx, undoTime)
	defer cancel()
	undone := &Undone{Group: g.plan.Name, Untouched: !g.stopped}
	var failures []error
	for _, s := range g.plan.Undo {
		r.tell(Event{Node: -1, Step: s, Phase: Started, Object: s.Object(), Undo: true})
		if err := s.Run(ctx, r.eng, func(step.Progress) {}); err != nil {
			r.tell(Event{Node: -1, Step: s, Phase: Failed, Object: s.Object(), Undo: true, Err: err})
			failures = append(failures, fmt.Errorf("%s: %w", s, err))
			continue
		}
		r.tell(Event{Node: -1, Step: s, Phase: Done, Object: s.Object(), Undo: true})
		if restored, ok := s.(step.RestoreContainer); ok && restored.WasRunning {
			undone.Restored = append(undone.Restored, s.Object().Name)
		}
	}
	slices.Sort(undone.Restored)
	undone.Err = errors.Join(failures...)
	return undone
}

// stopTime bounds how long the end of a container is waited for whose stop the caller has given up.
const stopTime = 10 * time.Minute

// awaitStops returns when the containers have ended whose stops were given up, or of which nobody knows whether the engine heard of
// them: it goes on with a stop that it was asked for, and a start that comes in the middle of it does nothing.
func (r *run) awaitStops(ctx context.Context, g *group) {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	for _, stop := range g.givenUp {
		_ = stop.Run(ctx, r.eng, func(step.Progress) {}) // what comes next tells
	}
}
