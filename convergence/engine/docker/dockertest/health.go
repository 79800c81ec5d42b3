package dockertest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
)

// The engine's values for what a health check leaves open, and how much it keeps.
const (
	defaultInterval      = 30 * time.Second
	defaultTimeout       = 30 * time.Second
	defaultStartInterval = 5 * time.Second
	defaultRetries       = 3
	keptProbes           = 5
	keptOutput           = 4096
)

// health is the state of a container's health check.
type health struct {
	status string
	streak int
	log    []*apicontainer.HealthcheckResult
}

// word is how a list's status says it.
func (h *health) word() string {
	if h.status == apicontainer.Starting {
		return "health: starting"
	}
	return h.status
}

// probeCommand is what the check runs; nil where there is no check.
func (c *container) probeCommand() []string {
	check := c.config.Healthcheck
	if check == nil || len(check.Test) < 2 {
		return nil
	}
	switch check.Test[0] {
	case "CMD":
		return check.Test[1:]
	case "CMD-SHELL":
		return append([]string{"/bin/sh", "-c"}, check.Test[1:]...)
	}
	return nil
}

// beginHealth is a start's: the status begins again, the log of earlier probes stays.
func (c *container) beginHealth() {
	if c.probeCommand() == nil {
		return
	}
	if c.health == nil {
		c.health = &health{}
	}
	c.health.status, c.health.streak = apicontainer.Starting, 0
}

// watchHealth begins to probe a running container.
func (e *Engine) watchHealth(c *container) {
	if c.health == nil {
		return
	}
	stop, r := make(chan struct{}), c.run
	r.stopHealth = stop
	e.spawn(func() { e.monitor(c, r, stop) })
}

// endHealth ends the probing.
func (c *container) endHealth() {
	if c.run.stopHealth != nil {
		close(c.run.stopHealth)
		c.run.stopHealth = nil
	}
}

// monitor probes until stop is closed. The pause is between the end of a probe and the next one.
func (e *Engine) monitor(c *container, r *run, stop <-chan struct{}) {
	for {
		select {
		case <-time.After(e.probePause(c)):
		case <-stop:
			return
		}
		begin := e.clock.now()
		code, output, cancelled := e.probe(c, stop)
		if cancelled {
			return
		}
		e.probed(c, r, &apicontainer.HealthcheckResult{Start: begin, End: e.clock.now(), ExitCode: code, Output: output})
	}
}

func (e *Engine) probePause(c *container) time.Duration {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	check := c.config.Healthcheck
	if c.health.status == apicontainer.Starting && c.startsAt(time.Now()) {
		return orDefault(check.StartInterval, defaultStartInterval)
	}
	return orDefault(check.Interval, defaultInterval)
}

// startsAt says whether a moment is in the start period.
func (c *container) startsAt(moment time.Time) bool {
	period := c.config.Healthcheck.StartPeriod
	return period > 0 && moment.Sub(c.started) < period
}

func orDefault(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return d
}

// probe runs the check once. The events are those of an exec; a command that is not there leaves its exec without an end.
func (e *Engine) probe(c *container, stop <-chan struct{}) (code int, output string, cancelled bool) {
	e.mutex.Lock()
	command := c.probeCommand()
	id := e.newID("exec", c.id)
	text := commandText(command)
	e.containerEvent(c, "exec_create: "+text, "execID", id)
	e.containerEvent(c, "exec_start: "+text, "execID", id)
	missing := c.missing(command[0])
	e.mutex.Unlock()
	if missing != nil {
		return -1, "OCI runtime exec failed: exec failed: unable to start container process: " + missing.Error(), false
	}
	code, output, cancelled, late := e.runProbe(c, command, stop)
	e.mutex.Lock()
	defer e.mutex.Unlock()
	shown := code
	if late {
		shown = exitNoCommand // the engine's, for a probe that it had to kill
		timeout := orDefault(c.config.Healthcheck.Timeout, defaultTimeout)
		code, output = -1, strings.TrimSuffix(fmt.Sprintf("Health check exceeded timeout (%v): %s", timeout, output), ": ")
	}
	e.containerEvent(c, "exec_die", "execID", id, "exitCode", strconv.Itoa(shown))
	return code, output, cancelled
}

func (e *Engine) runProbe(c *container, command []string, stop <-chan struct{}) (code int, output string, cancelled, late bool) {
	signals, ended := make(chan os.Signal), make(chan struct{})
	var written bytes.Buffer
	e.tasks.Go(func() error { // from within a task, so that the group cannot be done
		defer close(ended)
		world := e.beside(c, command, signals)
		world.Stdout, world.Stderr = &written, &written
		code = c.execute(world, succeed)
		return nil
	})
	select {
	case <-ended:
	case <-stop:
		cancelled = true
	case <-time.After(orDefault(c.config.Healthcheck.Timeout, defaultTimeout)):
		late = true
	}
	if cancelled || late {
		close(signals)
		<-ended
	}
	return code, string(written.Bytes()[:min(written.Len(), keptOutput)]), cancelled, late
}

// probed counts a result in. Failures within the start period do not count while the container was never healthy.
func (e *Engine) probed(c *container, r *run, result *apicontainer.HealthcheckResult) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if c.run != r || r.stopHealth == nil {
		return
	}
	h, check := c.health, c.config.Healthcheck
	h.log = append(h.log, result)
	h.log = h.log[max(0, len(h.log)-keptProbes):]
	before := h.status
	switch {
	case result.ExitCode == 0:
		h.status, h.streak = apicontainer.Healthy, 0
	case before == apicontainer.Starting && c.startsAt(result.Start):
	default:
		h.streak++
		retries := check.Retries
		if retries == 0 {
			retries = defaultRetries
		}
		if h.streak >= retries {
			h.status = apicontainer.Unhealthy
		}
	}
	if h.status != before {
		c.changed.fire()
		e.containerEvent(c, "health_status: "+h.status)
	}
}
