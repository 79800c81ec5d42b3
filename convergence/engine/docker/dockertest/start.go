package dockertest

import (
	"errors"
	"net/http"
	"path"
)

// Exit codes that the engine puts down for a start that failed.
const (
	exitStartFailed = 128
	exitNoCommand   = 127
)

// startContainer is POST /containers/{id}/start.
func (e *Engine) startContainer(x *exchange) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(x.params["id"])
	if err != nil {
		return err
	}
	if err := e.startByHand(c); err != nil {
		return err
	}
	return x.done(http.StatusNoContent)
}

// startByHand is a start that a call asked for: it forgets earlier restarts. Called with the mutex held.
func (e *Engine) startByHand(c *container) error {
	switch {
	case c.state == statePaused:
		return fail(http.StatusConflict, "cannot start a paused container, try unpause instead")
	case c.isRunning():
		return errNotModified
	case c.state == stateRemoving:
		return fail(http.StatusConflict, "container is marked for removal and cannot be started")
	}
	c.restartCount, c.byHand, c.exitOnNext, c.backOff = 0, false, false, 0
	return e.launch(c)
}

// launch starts the process. When that fails the container stays what it was, with the reason in it.
func (e *Engine) launch(c *container) error {
	if err := e.prepare(c); err != nil {
		c.err = err.Error()
		if c.exitCode == 0 {
			c.exitCode = exitStartFailed
		}
		return err
	}
	r := newRun()
	c.run, c.started, c.err, c.exitCode, c.oom = r, e.clock.now(), "", 0, false
	e.counters["pid"]++
	c.pid = 1000 + e.counters["pid"]
	c.set(stateRunning)
	c.beginHealth()
	e.containerEvent(c, "start")
	e.watchHealth(c)
	e.spawn(func() { e.process(c, r) })
	return nil
}

// prepare gets everything that the process needs; what was got is given back when something is missing.
func (e *Engine) prepare(c *container) error {
	if err := e.checkNamespace(c); err != nil {
		return err
	}
	if broken := c.brokenSubpath(); broken != "" {
		return fail(http.StatusNotFound, "%s", broken)
	}
	e.mountAll(c)
	if err := e.joinAll(c); err != nil {
		e.unmountAll(c)
		return err
	}
	err := e.publish(c)
	if err == nil {
		err = c.checkCommand()
	}
	if err != nil {
		e.release(c)
	}
	return err
}

// release gives back what prepare got.
func (e *Engine) release(c *container) {
	for port := range c.ports {
		delete(e.hostPorts, port)
	}
	c.ports = nil
	for _, p := range c.endpoints {
		if p.id != "" {
			e.leave(c, p)
		}
	}
	e.unmountAll(c)
}

// checkNamespace says whether the container whose network this one shares is there to share it.
func (e *Engine) checkNamespace(c *container) error {
	if hasNetwork(c.host.NetworkMode) {
		return nil
	}
	other, err := e.findContainer(c.host.NetworkMode.ConnectedContainer())
	switch {
	case err != nil:
		return fail(http.StatusInternalServerError, "joining network namespace of container: %v", err)
	case other.state == stateRestarting:
		return fail(http.StatusConflict, "cannot join network namespace of container: container %s is restarting, wait until the container is running", other.name)
	case !other.isRunning():
		return fail(http.StatusConflict, "cannot join network namespace of a non running container: container %s is %s", other.name, other.state)
	}
	return nil
}

// checkCommand says whether the image has the program to be run.
func (c *container) checkCommand() error {
	if missing := c.missing(c.argv()[0]); missing != nil {
		c.exitCode = exitNoCommand
		return fail(http.StatusBadRequest, "failed to create task for container: failed to create shim task: OCI runtime create failed: "+
			"runc create failed: unable to start container process: %v", missing)
	}
	return nil
}

// missing is the runtime's complaint about a program that is not there; nil where it is, or nobody knows.
func (c *container) missing(program string) error {
	if !c.image.OnlyItsFiles {
		return nil
	}
	if _, ok := c.image.Files[program]; ok {
		return nil
	}
	if path.IsAbs(program) {
		return errors.New("exec: \"" + program + "\": stat " + program + ": no such file or directory")
	}
	return errors.New("exec: \"" + program + "\": executable file not found in $PATH")
}
