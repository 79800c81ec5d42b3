package convergence

import (
	"context"
	"sync"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

// groupState is what a step finds when it is its turn.
type groupState uint8

const (
	groupOpen groupState = iota
	groupFailed
	groupUnmet
)

// group is how far the steps of a group are. Its mutex is held while the condition is asked, so that it is asked once.
type group struct {
	plan *plan.Group

	mutex   sync.Mutex
	asked   bool
	state   groupState
	begun   bool // a step has run, so there may be something to undo
	running int
	stopped bool // a stop was begun
	undone  bool
}

// enter is called before a step. Each enter is followed by a leave, whatever it returned.
func (g *group) enter(ctx context.Context, eng engine.Engine) (groupState, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.running++
	if !g.asked && g.plan.When != nil && g.state == groupOpen {
		met, err := g.plan.When.Met(ctx, eng)
		if err != nil {
			return groupFailed, err
		}
		if !met {
			g.state = groupUnmet
		}
		g.asked = true
	}
	g.begun = g.begun || g.state == groupOpen
	return g.state, nil
}

// begins notes what a step is about to do.
func (g *group) begins(node plan.Node) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.stopped = g.stopped || node.Step.Action() == "stop"
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

func (g *group) unmet() bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.state == groupUnmet
}
