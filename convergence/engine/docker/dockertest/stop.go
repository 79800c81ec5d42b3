package dockertest

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// defaultStopTimeout is the engine's for containers that name none.
const defaultStopTimeout = 10

// stopContainer is POST /containers/{id}/stop. Like the engine's, it goes on when the caller goes away.
func (e *Engine) stopContainer(x *exchange) error {
	signal, timeout, err := stopParameters(x)
	if err != nil {
		return err
	}
	e.mutex.Lock()
	c, err := e.findContainer(x.params["id"])
	if err == nil && !c.isRunning() {
		err = errNotModified
	}
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	e.stop(c, signal, timeout)
	e.mutex.Unlock()
	return x.done(http.StatusNoContent)
}

// stopParameters are a signal, zero for the container's own, and seconds, nil for the container's own.
func stopParameters(x *exchange) (signal syscall.Signal, timeout *int, err error) {
	if text := x.query("signal"); text != "" {
		if signal, err = parseSignal(text); err != nil {
			return 0, nil, err
		}
	}
	if text := x.query("t"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil {
			return 0, nil, fail(http.StatusBadRequest, "%v", err)
		}
		timeout = &seconds
	}
	return signal, timeout, nil
}

// stop asks the process to end and kills it when the time is over. It is called with the mutex held, lets go of it while it
// waits, and returns when the process has ended.
func (e *Engine) stop(c *container, signal syscall.Signal, timeout *int) {
	if c.state == stateRestarting {
		c.byHand, c.exitOnNext = true, true
		c.cancelRestart()
		e.containerEvent(c, "stop")
		return
	}
	seconds := defaultStopTimeout
	if c.config.StopTimeout != nil {
		seconds = *c.config.StopTimeout
	}
	if timeout != nil {
		seconds = *timeout
	}
	r := c.run
	r.stops++
	e.signal(c, cmp.Or(signal, c.stopSignal()))
	var over <-chan time.Time
	if seconds >= 0 {
		over = time.After(time.Duration(seconds) * time.Second)
	}
	e.mutex.Unlock()
	select {
	case <-r.ended:
		e.mutex.Lock()
	case <-over:
		e.mutex.Lock()
		e.kill(c, r)
	}
}

// kill ends a process at once, if it runs still. As in stop, the mutex is let go of while it waits.
func (e *Engine) kill(c *container, r *run) {
	if c.run == r {
		e.signal(c, syscall.SIGKILL)
	}
	e.mutex.Unlock()
	<-r.ended
	e.mutex.Lock()
}

// signal sends a signal that a call asked for. One that is meant to end the container ends its restarts too.
func (e *Engine) signal(c *container, signal syscall.Signal) {
	c.byHand = true
	if c.config.StopSignal == "" || signal == syscall.SIGKILL || signal == c.stopSignal() {
		c.exitOnNext = true
		if c.state == statePaused {
			e.unpause(c)
		}
	}
	c.run.send(signal)
	e.containerEvent(c, "kill", "signal", strconv.Itoa(int(signal)))
}

func (c *container) stopSignal() syscall.Signal {
	if signal, err := parseSignal(c.config.StopSignal); err == nil {
		return signal
	}
	return syscall.SIGTERM
}

// killContainer is POST /containers/{id}/kill.
func (e *Engine) killContainer(x *exchange) error {
	id := x.params["id"]
	signal, err := parseSignal(cmp.Or(x.query("signal"), "KILL"))
	if err != nil {
		return inside(err, "cannot kill container: %s", id)
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(id)
	switch {
	case err != nil:
		return inside(err, "cannot kill container: %s", id)
	case !c.isRunning():
		return fail(http.StatusConflict, "cannot kill container: %s: container %s is not running", id, c.id)
	case c.state == stateRestarting:
		c.byHand, c.exitOnNext = true, true
		c.cancelRestart()
	case signal == syscall.SIGKILL:
		e.kill(c, c.run)
	default:
		e.signal(c, signal)
	}
	return x.done(http.StatusNoContent)
}

// parseSignal reads a number or a name, with or without SIG.
func parseSignal(text string) (syscall.Signal, error) {
	if number, err := strconv.Atoi(text); err == nil && number > 0 {
		return syscall.Signal(number), nil
	}
	signal, ok := map[string]syscall.Signal{ // as Linux numbers them, wherever the tests run
		"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15, "CONT": 18, "STOP": 19, "WINCH": 28,
	}[strings.TrimPrefix(strings.ToUpper(text), "SIG")]
	if !ok {
		return 0, fail(http.StatusBadRequest, "invalid signal: %s", text)
	}
	return signal, nil
}
