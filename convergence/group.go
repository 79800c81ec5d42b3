package convergence

import (
	"context"
	"errors"
	"sync"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
)

// groupState is what a step finds when it is its turn.
type groupState uint8

const (
	groupOpen groupState = iota
	groupFailed
	groupUnmet // of the step's condition
)

// group is how far the steps of a group are. Its mutex is held while a condition is asked, so that it is asked once.
type group struct {
	plan *plan.Group

	mutex   sync.Mutex
	asked   map[string]bool // what conditions were found to be, by their words
	state   groupState
	begun   bool // a step has run, so there may be something to undo
	running int
	stopped bool // a stop was begun
	undone  bool
	givenUp []step.StopContainer // stops that may go on in the engine
}

// enter is called before a step. Each enter is followed by a leave, whatever it returned.
func (g *group) enter(ctx context.Context, eng engine.Engine, when step.Condition) (groupState, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.running++
	if g.state == groupFailed {
		return groupFailed, nil
	}
	met, err := g.met(ctx, eng, when)
	switch {
	case err != nil:
		return groupFailed, err
	case !met:
		return groupUnmet, nil
	}
	g.begun = true
	return groupOpen, nil
}

// met asks a condition once. The caller holds the mutex.
func (g *group) met(ctx context.Context, eng engine.Engine, when step.Condition) (bool, error) {
	if when == nil {
		return true, nil
	}
	if met, asked := g.asked[when.String()]; asked {
		return met, nil
	}
	met, err := when.Met(ctx, eng)
	if err != nil {
		return false, err
	}
	if g.asked == nil {
		g.asked = map[string]bool{}
	}
	g.asked[when.String()] = met
	return met, nil
}

// begins notes what a step is about to do.
func (g *group) begins(node plan.Node) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.stopped = g.stopped || node.Step.Action() == "stop"
}

// ends notes how a step has ended that begins was called for.
func (g *group) ends(ctx context.Context, node plan.Node, err error) {
	stop, isStop := node.Step.(step.StopContainer)
	if !isStop || err == nil || ctx.Err() == nil && !errors.Is(err, engine.ErrUnavailable) {
		return
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.givenUp = append(g.givenUp, stop)
}

// leave is called when a step has ended. It says whether the caller has to undo the group now.
func (g *group) leave(failed bool) (undo bool) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.running--
	return g.end(failed)
}

// skip is called instead of enter and leave for a step that the walk leaves out. Like leave it says whether to undo.
func (g *group) skip(failed bool) (undo bool) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.end(failed)
}

// end notes a failure. There is something to undo once the group has failed, a step of it was begun and none runs any more.
func (g *group) end(failed bool) (undo bool) {
	if failed && g.state == groupOpen {
		g.state = groupFailed
	}
	if g.state != groupFailed || !g.begun || g.running > 0 || g.undone || len(g.plan.Undo) == 0 {
		return false
	}
	g.undone = true
	return true
}

// unmet says whether a condition was asked and not met.
func (g *group) unmet(when step.Condition) bool {
	if when == nil {
		return false
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	met, asked := g.asked[when.String()]
	return asked && !met
}
