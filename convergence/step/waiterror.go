package step

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// WaitError says that a container did not reach what was waited for, and brings the evidence.
type WaitError struct {
	Wait   Wait
	Reason string // "is unhealthy", "exited (1)"
	// TimedOut says that the time was up while the container was still on its way.
	TimedOut bool
	// Details is the container as it was then; zero when it is gone.
	Details engine.ContainerDetails
	// Log is the end of what the container wrote, whole lines, at most a few KB. It is the container's text: not to be trusted.
	Log []byte
}

// Error is docker compose's line.
func (e *WaitError) Error() string {
	switch {
	case e.TimedOut:
		return fmt.Sprintf("application not healthy after %s", e.Wait.Deadline.after)
	case e.Wait.Goal == Completed:
		return fmt.Sprintf("service %q %s", e.Wait.Service, e.Reason)
	case e.Wait.Dependency:
		return fmt.Sprintf("dependency failed to start: container %s %s", e.Wait.Object().Name, e.Reason)
	}
	return fmt.Sprintf("container %s %s", e.Wait.Object().Name, e.Reason)
}

// Hint is what to try next.
func (e *WaitError) Hint() string {
	if e.Reason == noHealthCheck {
		return fmt.Sprintf("give service %q a healthcheck, or depend on it with condition: service_started", e.Wait.Service)
	}
	return fmt.Sprintf("muster logs %s --tail 100", e.Wait.Service)
}

const noHealthCheck = "has no healthcheck configured"

// Evidence that is read from a container that failed.
const (
	evidenceLines = 10
	evidenceBytes = 8 << 10
	evidenceTime  = 2 * time.Second
)

func (w *watch) timedOut(ctx context.Context) error {
	failed := w.failure(ctx, "is not "+w.step.Goal.String()+" yet")
	failed.TimedOut = true
	return failed
}

// failure makes the error and reads the end of the container's log. A log that cannot be read makes no second error.
func (w *watch) failure(ctx context.Context, reason string) *WaitError {
	failed := &WaitError{Wait: w.step, Reason: reason, Details: w.last}
	if w.last.ID == "" || reason == noHealthCheck {
		return failed
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), evidenceTime)
	defer cancel()
	var log bytes.Buffer
	_ = w.eng.Logs(ctx, w.last.ID, engine.LogOptions{Tail: evidenceLines}, func(frame engine.Frame) error {
		log.Write(frame.Data)
		return nil
	})
	failed.Log = tail(log.Bytes(), evidenceBytes)
	return failed
}

// tail is the last whole lines of a text that fit.
func tail(text []byte, most int) []byte {
	if len(text) <= most {
		return text
	}
	text = text[len(text)-most:]
	if _, rest, cut := bytes.Cut(text, []byte("\n")); cut {
		return rest
	}
	return text
}
