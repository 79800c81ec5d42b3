package convergence

import (
	"context"
	"errors"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
)

// Attempt is one application of a plan, with what it takes to tell a failure of its own from one that somebody else has caused who
// changes the project at the same time and takes no lock.
type Attempt struct {
	plan *plan.Plan
	made map[step.Object]bool // what it has created
}

// NewAttempt begins one.
func NewAttempt(made *plan.Plan) *Attempt {
	return &Attempt{plan: made, made: map[step.Object]bool{}}
}

// Note is a [Sink] that the application tells.
func (a *Attempt) Note(event Event) {
	if event.Phase == Done && event.Node >= 0 && event.Step.Action() == "create" && a.plan.Nodes[event.Node].Group == 0 {
		a.made[event.Object] = true
	}
}

// Overtaken plans again after a failure that another's change would explain: something that was there is gone, or the other way round.
// It returns the new plan where that says that there was one; nil where the failure stands as it is.
func (a *Attempt) Overtaken(ctx context.Context, failure error, again func(context.Context) (*plan.Plan, error)) *plan.Plan {
	failed := overtakable(failure)
	if len(failed) == 0 || ctx.Err() != nil {
		return nil
	}
	next, err := again(ctx)
	if err != nil || !a.differs(failed, next) {
		return nil
	}
	return next
}

// differs says whether what is to be done now cannot come of the attempt alone.
func (a *Attempt) differs(failed []*StepError, next *plan.Plan) bool {
	known, wanted := map[step.Object]bool{}, map[string]bool{}
	for _, node := range a.plan.Nodes {
		known[node.Step.Object()] = true
	}
	for _, node := range next.Nodes {
		object := node.Step.Object()
		if !known[object] || node.Step.Action() == "create" && a.made[object] {
			return true
		}
		wanted[stepKey(node.Step)] = true
	}
	for _, one := range failed {
		if !wanted[stepKey(one.Step)] {
			return true
		}
	}
	return false
}

func stepKey(s step.Step) string { return s.Action() + " " + s.Object().String() }

// overtakable are the failed steps that another's change would explain.
func overtakable(err error) []*StepError {
	if failed, ok := err.(*StepError); ok { //nolint:errorlint // what it wraps is looked at here
		switch {
		case failed.Step.Object().Kind == step.Image || failed.Step.Action() == "hook":
		case errors.Is(failed.Err, engine.ErrNotFound), errors.Is(failed.Err, engine.ErrConflict), errors.Is(failed.Err, engine.ErrInUse):
			return []*StepError{failed}
		}
		return nil
	}
	switch wrapped := err.(type) { //nolint:errorlint // each kind of wrapping is taken apart
	case interface{ Unwrap() []error }:
		var all []*StepError
		for _, one := range wrapped.Unwrap() {
			all = append(all, overtakable(one)...)
		}
		return all
	case interface{ Unwrap() error }:
		return overtakable(wrapped.Unwrap())
	}
	return nil
}

// OvertakenError is a failure after somebody else's changes were found once already.
type OvertakenError struct{ Err error }

func (e *OvertakenError) Error() string {
	return e.Err.Error() + "\nsomething else changes this project at the same time"
}

func (e *OvertakenError) Unwrap() error { return e.Err }

// Hint says what to try.
func (*OvertakenError) Hint() string {
	return "wait until nothing else changes the project, docker compose for one, and run this again"
}

// Blame says of a failure that another's change would explain that it looks like one.
func (a *Attempt) Blame(failure error) error {
	if failure == nil || len(overtakable(failure)) == 0 {
		return failure
	}
	return &OvertakenError{failure}
}
