package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

// change is a plan that is carried out by the only writer of its project.
type change struct {
	*globals
	eng   engine.Engine
	made  *plan.Plan
	again replan
	lock  *convergence.Lock // nil where the plan changes nothing, and once it was given back
}

// replan makes a plan anew, from what is there now.
type replan func(context.Context) (*plan.Plan, error)

// begin locks the project where the plan has anything to do, and plans again as who has the lock. [change.end] must be called.
func (c *change) begin(ctx context.Context) error {
	if !changesAnything(c.made) && !c.globals.lock.force {
		return nil
	}
	lock, err := c.takeLock(ctx, c.eng, c.made.Project)
	if err != nil {
		return err
	}
	c.lock = lock
	made, err := c.again(ctx)
	if err != nil {
		c.end(ctx)
		return err
	}
	c.made = made
	return nil
}

// changesAnything says whether a plan does more than look.
func changesAnything(made *plan.Plan) bool {
	return slices.ContainsFunc(made.Nodes, func(node plan.Node) bool {
		return node.Step.Action() != "wait" && node.Step.Action() != "settle"
	})
}

// end gives the lock back, if it is held still.
func (c *change) end(ctx context.Context) {
	lock := c.lock
	c.lock = nil
	c.releaseLock(ctx, lock)
}

// apply carries the plan out and shows it, as the function of that name does. When somebody who takes no lock has changed the
// project meanwhile, it is planned and applied again, once. The lock is given back.
func (c *change) apply(ctx context.Context, progress display.Progress, title display.Title, others ...convergence.Sink) error {
	defer c.end(ctx)
	attempt := convergence.NewAttempt(c.made)
	err := apply(ctx, c.eng, c.made, progress, title, append(others, attempt.Note)...)
	if err == nil {
		return nil
	}
	next := attempt.Overtaken(ctx, err, c.again)
	if next == nil {
		return err
	}
	progress.Say("Something else has changed " + c.made.Project + " meanwhile: looking again")
	c.made = next
	attempt = convergence.NewAttempt(next)
	err = apply(ctx, c.eng, next, progress, title, append(others, attempt.Note)...)
	if failed, ok := errors.AsType[*applyError](err); ok {
		failed.error = attempt.Blame(failed.error)
	}
	return err
}
