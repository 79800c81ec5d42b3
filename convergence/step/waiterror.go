package step

import (
	"fmt"

	"github.com/muster-dev/muster/convergence/engine"
)

// WaitError says that a container did not reach what was waited for, and brings the evidence.
type WaitError struct {
	Wait   Wait
	Reason string // "is unhealthy", "exited (1)"
	// TimedOut says that the time was up while the container was still on its way; Reason says how far it had come.
	TimedOut bool
	// Details is the container as it was then; zero when it is gone.
	Details engine.ContainerDetails
	// Log is the end of what the container wrote, at most 20 lines and 8 KB. It is the container's text: not to be trusted.
	Log []LogLine
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
	switch {
	case e.Reason == noHealthCheck:
		return fmt.Sprintf("give service %q a healthcheck, or depend on it with condition: service_started", e.Wait.Service)
	case e.Reason == reasonPaused:
		return "muster unpause " + e.Wait.Service
	case e.Wait.Goal == Completed && alwaysRestarts(e.Details.Restart):
		return fmt.Sprintf("give service %q restart: on-failure: with %q it can never be done", e.Wait.Service, e.Details.Restart.Name)
	}
	return fmt.Sprintf("muster logs %s --tail 100", e.Wait.Service)
}

// Code is what kind of failure it is, for machines; see the table of codes in the documentation.
func (e *WaitError) Code() string {
	switch {
	case e.TimedOut:
		return "timeout"
	case e.Details.OOMKilled:
		return "out-of-memory"
	case e.Reason == reasonUnhealthy:
		return "unhealthy"
	case e.Reason == reasonRemoved:
		return "removed"
	case e.Reason == reasonPaused:
		return "paused"
	case e.Reason == noHealthCheck:
		return "no-healthcheck"
	}
	return "exited"
}

// Reasons that are more than words.
const (
	noHealthCheck   = "has no healthcheck configured"
	reasonUnhealthy = "is unhealthy"
	reasonPaused    = "is paused"
	reasonRemoved   = "was removed"
)
