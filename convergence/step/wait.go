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
	// Steady is how long one that has no health check has to run without an end in between: "running" proves little of what was
	// started a moment ago. One that was restarted too often fails, unless there is a deadline.
	Steady time.Duration
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
	watching := ctx
	if s.Deadline != nil {
		var stop context.CancelFunc
		watching, stop = context.WithDeadline(ctx, s.Deadline.time())
		defer stop()
	}
	watch := &watch{step: s, eng: eng, report: report}
	err := watch.until(watching)
	for err == nil && s.Steady > 0 && watch.last.State == engine.StateRunning && watch.last.HealthCheck == nil {
		var stands bool
		if stands, err = watch.stands(watching); stands {
			return nil
		}
	}
	if ctx.Err() == nil && errors.Is(watching.Err(), context.DeadlineExceeded) && errors.Is(err, context.DeadlineExceeded) {
		return watch.timedOut(ctx) // it may have been in the middle of a look
	}
	return err
}

// until returns when the goal is reached.
func (w *watch) until(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.verdict = nil
	err := w.eng.Events(ctx, engine.EventFilter{Project: w.step.Project}, func() {
		if w.verdict = w.look(ctx); w.verdict != nil {
			cancel()
		}
	}, func(event engine.Event) error {
		if w.verdict == nil && w.concerns(event) {
			w.verdict = w.look(ctx)
		}
		return w.verdict
	})
	if w.verdict != nil {
		err = w.verdict
	}
	if errors.Is(err, errReached) {
		return nil
	}
	return err
}

// mostRestarts is how often a container may be restarted before a wait without a deadline gives it up.
const mostRestarts = 5

// stands lets a running container run for a while and says whether it did. Else it waits until it runs again.
func (w *watch) stands(ctx context.Context) (bool, error) {
	timer := time.NewTimer(w.step.Steady)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	since := w.last.StartedAt
	if err := w.until(ctx); err != nil {
		return false, err
	}
	if w.step.Deadline == nil && w.last.RestartCount >= mostRestarts {
		return false, w.failure(ctx, fmt.Sprintf("keeps ending: exit %d, restarted %d times", w.exit, w.last.RestartCount))
	}
	return w.last.StartedAt.Equal(since), nil
}

// watch is one wait under way.
type watch struct {
	step    Wait
	eng     engine.Engine
	report  func(Progress)
	last    engine.ContainerDetails
	exit    int // of the last end that was seen
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
	if details.State != engine.StateRunning {
		w.exit = details.ExitCode
	}
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
	if s.Steady > 0 {
		text += fmt.Sprintf(" for %s", s.Steady)
	}
	if s.Deadline != nil {
		text += fmt.Sprintf(", all waits %s at most", s.Deadline.after)
	}
	return text
}
