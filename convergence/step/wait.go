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
type Wait struct {
	Target
	Goal    Goal
	Project string
	// Dependency says that others wait for it; the words of a failure differ.
	Dependency bool
	// Fresh says that the container is a new one which must not have died since it was started: it is about to take over from
	// the one that it replaces.
	Fresh bool
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

// errReached ends the event loop when the goal is reached.
var errReached = errors.New("reached")

// Run implements [Step]. A failure is a [*WaitError], with what the container had to say.
func (s Wait) Run(ctx context.Context, eng engine.Engine, report func(Progress)) error {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.Deadline != nil {
		var stop context.CancelFunc
		watching, stop = context.WithDeadline(watching, s.Deadline.time())
		defer stop()
	}
	watch := &watch{step: s, eng: eng, report: report}
	err := eng.Events(watching, engine.EventFilter{Project: s.Project}, func() {
		if watch.verdict = watch.look(watching); watch.verdict != nil {
			cancel()
		}
	}, func(event engine.Event) error {
		if watch.verdict == nil && watch.concerns(event) {
			watch.verdict = watch.look(watching)
		}
		return watch.verdict
	})
	if watch.verdict != nil {
		err = watch.verdict
	}
	switch {
	case errors.Is(err, errReached):
		return nil
	case ctx.Err() == nil && errors.Is(watching.Err(), context.DeadlineExceeded) && errors.Is(err, context.DeadlineExceeded):
		return watch.timedOut(ctx) // it may have been in the middle of a look
	}
	return err
}

// watch is one wait under way.
type watch struct {
	step    Wait
	eng     engine.Engine
	report  func(Progress)
	last    engine.ContainerDetails
	verdict error
}

func (w *watch) concerns(event engine.Event) bool {
	if event.Kind == engine.EventResync {
		return true
	}
	if event.Kind != engine.EventContainer || event.ID != w.last.ID {
		return false
	}
	switch event.Action {
	case "health_status", "die", "start", "destroy", "unpause", "pause":
		return true
	case "exec_die": // a probe: only a failed one changes what is told
		return event.ExitCode != 0
	}
	return false
}

// look asks for the container's state: nil means to go on waiting.
func (w *watch) look(ctx context.Context) error {
	details, err := w.eng.InspectContainer(ctx, w.step.ref())
	if errors.Is(err, engine.ErrNotFound) {
		return &WaitError{Wait: w.step, Reason: "was removed"}
	}
	if err != nil {
		return err
	}
	w.last = details
	reached, reason := judge(w.step, details)
	switch {
	case reached:
		return errReached
	case reason != "":
		return w.failure(ctx, reason)
	}
	if text := progress(details); text != "" {
		w.report(Progress{Text: text})
	}
	return nil
}

// judge says whether the goal is reached, or why it cannot be any more. Neither means: not yet. An end is the end: one after which the
// engine starts the container again shows as restarting.
func judge(s Wait, details engine.ContainerDetails) (reached bool, failed string) {
	ended := details.State == engine.StateExited || details.State == engine.StateDead
	if s.Fresh && details.RestartCount > 0 {
		return false, fmt.Sprintf("exited (%d) and had to be restarted", details.ExitCode)
	}
	switch {
	case ended && details.ExitCode == 0 && (s.Goal == Completed || s.Goal == Running || s.Goal == Ready):
		return true, ""
	case ended && s.Goal == Completed:
		return false, fmt.Sprintf("didn't complete successfully: exit %d", details.ExitCode)
	case ended:
		return false, fmt.Sprintf("exited (%d)", details.ExitCode)
	case s.Goal == Completed || details.State != engine.StateRunning:
		return false, ""
	case s.Goal == Running:
		return true, ""
	case details.HealthCheck == nil:
		return withoutCheck(s.Goal)
	case details.HealthCheck.Status == engine.HealthHealthy:
		return true, ""
	case details.HealthCheck.Status == engine.HealthUnhealthy && isFresh(details):
		return false, "is unhealthy"
	}
	return false, ""
}

// withoutCheck judges a running container that has no health check.
func withoutCheck(goal Goal) (reached bool, failed string) {
	if goal == Ready {
		return true, ""
	}
	return false, noHealthCheck
}

// isFresh says whether the last probe belongs to the run that is under way: the result of an earlier run says nothing.
func isFresh(details engine.ContainerDetails) bool {
	probes := details.HealthCheck.Probes
	return len(probes) == 0 || !probes[len(probes)-1].Start.Before(details.StartedAt)
}

// progress is how far the health check is, in words.
func progress(details engine.ContainerDetails) string {
	check := details.HealthCheck
	if check == nil || len(check.Probes) == 0 || check.FailingStreak == 0 {
		return ""
	}
	last := check.Probes[len(check.Probes)-1]
	return fmt.Sprintf("health check %d of %d, last probe: exit %d", check.FailingStreak, check.Retries, last.ExitCode)
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
	if s.Deadline != nil {
		text += fmt.Sprintf(", all waits %s at most", s.Deadline.after)
	}
	return text
}
