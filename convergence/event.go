package convergence

import (
	"time"

	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
)

// Phase is how far a step is.
type Phase string

// Phases of a step. Each that begins ends with exactly one of Done, Failed and Skipped.
const (
	Started  Phase = "started"
	Progress Phase = "progress"
	Done     Phase = "done"
	Failed   Phase = "failed"
	// Skipped: the step was not begun, because one that it depends on failed, its group failed, or the run was interrupted.
	Skipped Phase = "skipped"
	// Unmet: the step was not needed, because its group's condition was not met.
	Unmet Phase = "unmet"
	// Unchanged is told, before any step, of each thing that stays as it is.
	Unchanged Phase = "unchanged"
)

// Event is something that happens while a plan is applied.
type Event struct {
	Time time.Time
	// Node is the step; -1 where the event is about none: unchanged things and undoing.
	Node  plan.NodeID
	Step  step.Step // nil for unchanged things
	Phase Phase
	// Object is what it is about.
	Object step.Object
	// Progress is set with the phase Progress.
	Progress step.Progress
	// Skipped and Reason are set with the phase Unchanged, where something was asked for that is not done; Reason may be empty.
	Skipped bool
	Reason  string
	// Err is why it failed.
	Err error
	// Undo says that the step puts back what was, after a failure.
	Undo bool
	// Optional says that a failure is only a warning.
	Optional bool
}

// Sink takes events. It is called from one goroutine at a time and should return soon: the run waits for it.
type Sink func(Event)
