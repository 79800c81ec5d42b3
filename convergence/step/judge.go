package step

import (
	"fmt"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// Without a deadline a container with a restart policy has only so many chances.
const (
	mostRestarts = 5
	// unhealthyRounds is how many times its retries have to fail in a row.
	unhealthyRounds = 2
)

// sight is a container as a wait sees it.
type sight struct {
	engine.ContainerDetails
	restarts int  // since the wait began, one that is about to come included
	stopped  bool // somebody wanted this run to end
	stuck    bool // it is paused for too long
}

// judge says whether the goal is reached, or why it cannot be any more. Neither means: not yet.
func judge(s Wait, c sight) (reached bool, failed string) {
	if s.Fresh && c.RestartCount > 0 {
		return false, fmt.Sprintf("exited (%d) and had to be restarted", c.ExitCode)
	}
	switch {
	case c.State == engine.StateExited || c.State == engine.StateDead:
		return judgeEnd(s, c)
	case c.State == engine.StateRestarting && c.keepsEnding(s):
		return false, fmt.Sprintf("keeps ending: exit %d, restarted %d times", c.ExitCode, c.restarts-1)
	case c.stuck:
		return false, reasonPaused
	case s.Goal == Completed || c.State != engine.StateRunning:
		return false, ""
	case s.Goal == Running:
		return true, ""
	case c.HealthCheck == nil:
		return withoutCheck(s.Goal)
	case !isFresh(c.ContainerDetails):
		return false, ""
	case c.HealthCheck.Status == engine.HealthHealthy:
		return true, ""
	case c.HealthCheck.Status == engine.HealthUnhealthy && !c.mayRecover(s):
		return false, reasonUnhealthy
	}
	return false, ""
}

// judgeEnd judges a container that the engine does not start again.
func judgeEnd(s Wait, c sight) (reached bool, failed string) {
	switch {
	case c.State == engine.StateDead:
		return false, "is dead: the engine could not remove it"
	case c.ExitCode == 0 && s.Goal == Completed: // whoever asked for its end: the code is all that is promised
		return true, ""
	case c.stopped, alwaysRestarts(c.Restart) && c.Error == "":
		return false, fmt.Sprintf("exited (%d): it was stopped from outside", c.ExitCode)
	case c.ExitCode == 0 && s.Goal != Healthy:
		return true, ""
	case s.Goal == Completed:
		return false, fmt.Sprintf("didn't complete successfully: exit %d", c.ExitCode)
	}
	return false, fmt.Sprintf("exited (%d)", c.ExitCode)
}

// alwaysRestarts says of a policy that only somebody's wish keeps a container from being started again.
func alwaysRestarts(policy engine.RestartPolicy) bool {
	return policy.Name == project.RestartAlways || policy.Name == project.RestartUnlessStopped
}

// keepsEnding says of one that is about to be restarted that it has had its chances.
func (c sight) keepsEnding(s Wait) bool {
	return s.Deadline == nil && c.restarts > mostRestarts && c.Restart.MaxRetries == 0
}

// mayRecover says of an unhealthy container that it may be restarted, or get over it. One that is to take over from another has no time
// for that.
func (c sight) mayRecover(s Wait) bool {
	if s.Fresh || !alwaysRestarts(c.Restart) && c.Restart.Name != project.RestartOnFailure {
		return false
	}
	return s.Deadline != nil || c.HealthCheck.FailingStreak < unhealthyRounds*c.HealthCheck.Retries
}

// withoutCheck judges a running container that has no health check.
func withoutCheck(goal Goal) (reached bool, failed string) {
	if goal == Ready {
		return true, ""
	}
	return false, noHealthCheck
}

// isFresh says whether the last probe belongs to the run that is under way: the result of an earlier run says nothing, good or bad.
func isFresh(details engine.ContainerDetails) bool {
	probes := details.HealthCheck.Probes
	return len(probes) == 0 || !probes[len(probes)-1].Start.Before(details.StartedAt)
}

// progress is what keeps a container from its goal, in words; empty where there is nothing to tell.
func progress(details engine.ContainerDetails) string {
	switch details.State {
	case engine.StateRestarting:
		return fmt.Sprintf("exited (%d), waits for restart %d", details.ExitCode, details.RestartCount)
	case engine.StatePaused:
		return reasonPaused
	}
	check := details.HealthCheck
	if check == nil || len(check.Probes) == 0 || check.FailingStreak == 0 {
		return ""
	}
	last := check.Probes[len(check.Probes)-1]
	if check.FailingStreak > check.Retries {
		return fmt.Sprintf("unhealthy, %d probes failed in a row, last probe: exit %d", check.FailingStreak, last.ExitCode)
	}
	return fmt.Sprintf("health check %d of %d, last probe: exit %d", check.FailingStreak, check.Retries, last.ExitCode)
}
