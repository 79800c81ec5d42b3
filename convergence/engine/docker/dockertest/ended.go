package dockertest

import (
	"strconv"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
)

// The engine waits longer and longer before it starts a container again that keeps ending; one that ran for a while is
// trusted again.
const (
	firstBackOff  = 100 * time.Millisecond
	longestWait   = time.Minute
	trustedAfter  = 10 * time.Second
	backOffFactor = 2
)

// ended is the end of a process. again says that the container is to be started once more after a delay, unless revive is
// closed before.
func (e *Engine) ended(c *container, r *run, code int) (delay time.Duration, revive chan struct{}, again bool) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c.endHealth()
	r.endExecs()
	c.run, c.pid = nil, 0
	c.exitCode, c.finished = code, e.clock.now()
	ran := time.Since(c.started)
	e.release(c)
	again = !e.closed && c.shallRestart(ran)
	if again {
		c.restartCount++
		c.revive = make(chan struct{})
		c.set(stateRestarting)
	} else {
		c.set(stateExited)
	}
	close(r.ended)
	for range r.stops {
		e.containerEvent(c, "stop")
	}
	e.containerEvent(c, "die", "exitCode", strconv.Itoa(code), "execDuration", strconv.Itoa(int(ran.Seconds())))
	if !again && c.host.AutoRemove {
		e.drop(c, true)
	}
	return c.backOff, c.revive, again
}

// shallRestart decides by the policy, and how long to wait.
func (c *container) shallRestart(ran time.Duration) bool {
	if c.exitOnNext {
		return false
	}
	if ran >= trustedAfter {
		c.backOff = 0
	}
	c.backOff = min(max(c.backOff*backOffFactor, firstBackOff), longestWait)
	policy := c.host.RestartPolicy
	switch policy.Name {
	case apicontainer.RestartPolicyAlways:
		return true
	case apicontainer.RestartPolicyUnlessStopped:
		return !c.byHand
	case apicontainer.RestartPolicyOnFailure:
		return c.exitCode != 0 && (policy.MaximumRetryCount == 0 || c.restartCount < policy.MaximumRetryCount)
	}
	return false
}

// restarted starts the container again, if that was not given up in the meantime.
func (e *Engine) restarted(c *container, revive chan struct{}) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if c.revive != revive || e.closed {
		return
	}
	c.revive = nil
	if err := e.launch(c); err != nil {
		c.set(stateExited)
	}
}

// cancelRestart gives up the restart that is due, if one is.
func (c *container) cancelRestart() {
	if c.revive != nil {
		close(c.revive)
		c.revive = nil
		c.set(stateExited)
	}
}
