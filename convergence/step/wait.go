package step

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// Goal is what a wait waits for.
type Goal uint8

// Goals of waits.
const (
	// Running: the container runs, or it has ended well and is not to be restarted.
	Running Goal = iota
	// Healthy: its health check says so. A container without one is an error.
	Healthy
	// Ready: healthy where it has a health check, else running.
	Ready
	// Completed: it has ended with exit code 0.
	Completed
)

func (g Goal) String() string {
	return [...]string{"running", "healthy", "ready", "completed"}[g]
}

// Wait waits until a container has reached a goal. It is woken by the engine's events and then looks: the state is the truth,
// an event only says that it may be another one.
//
// Where the container has a restart policy, its end is not the last word while the engine starts it again, nor is a health check
// that fails: that goes on until the policy's retries or the deadline are used up, or, without either, until it was restarted
// five times or has failed twice as many probes in a row as make it unhealthy.
type Wait struct {
	Target
	Goal    Goal
	Project string
	// Dependency says that others wait for it; the words of a failure differ.
	Dependency bool
	// Fresh says that the container is a new one which must not have died since it was started, nor become unhealthy: it is about
	// to take over from the one that it replaces.
	Fresh bool
	// Steady is how long one that has no health check has to run without an end in between: "running" proves little of what was
	// started a moment ago.
	Steady time.Duration
	// Monitor is how long to look on once the goal is reached; what loses it again in that time fails.
	Monitor time.Duration
	// Deadline is when to stop waiting; nil means never.
	Deadline *Deadline
}

// Deadline is the time that all waits of a plan have together. It begins with the first of them: what comes before, a pull say,
// does not count. It is safe for use from several goroutines.
type Deadline struct {
	after time.Duration
	once  sync.Once
	at    time.Time
}

// NewDeadline returns a deadline that has not begun.
func NewDeadline(after time.Duration) *Deadline { return &Deadline{after: after} }

// time is when the deadline is over; asking for it begins it.
func (d *Deadline) time() time.Time {
	d.once.Do(func() { d.at = time.Now().Add(d.after) })
	return d.at
}

// Run implements [Step]. A failure is a [*WaitError], with what the container had to say.
func (s Wait) Run(ctx context.Context, eng engine.Engine, report func(Progress)) error {
	watching := ctx
	if s.Deadline != nil {
		var stop context.CancelFunc
		watching, stop = context.WithDeadline(ctx, s.Deadline.time())
		defer stop()
	}
	watch := &watch{step: s, eng: eng, report: report}
	err := watch.until(watching)
	if err == nil {
		err = watch.steady(watching)
	}
	if err == nil && s.Monitor > 0 {
		err = watch.monitor(watching)
	}
	if ctx.Err() == nil && errors.Is(watching.Err(), context.DeadlineExceeded) && errors.Is(err, context.DeadlineExceeded) {
		return watch.timedOut(ctx) // it may have been in the middle of a look
	}
	return err
}

// Action implements [Step].
func (s Wait) Action() string { return "wait" }

// Words implements [Step].
func (s Wait) Words() (doing, done string) {
	switch s.Goal {
	case Running:
		return "", ""
	case Completed:
		return "Waiting", "Exited"
	}
	return "Waiting", "Healthy"
}

func (s Wait) String() string {
	text := fmt.Sprintf("wait for container %s to be %s", s.Object().Name, s.Goal)
	if s.Steady > 0 {
		text += fmt.Sprintf(" for %s", s.Steady)
	}
	if s.Monitor > 0 {
		text += fmt.Sprintf(", and watch it for %s", s.Monitor)
	}
	if s.Deadline != nil {
		text += fmt.Sprintf(", all waits %s at most", s.Deadline.after)
	}
	return text
}
