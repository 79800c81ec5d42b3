package dockertest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"syscall"

	apicontainer "github.com/docker/docker/api/types/container"
)

// removeContainer is DELETE /containers/{id}.
func (e *Engine) removeContainer(x *exchange) error {
	id := x.params["id"]
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(id)
	switch {
	case err != nil:
		return err
	case c.state == stateRemoving:
		return fail(http.StatusConflict, "removal of container %s is already in progress", id)
	case c.state == statePaused && !x.flag("force"):
		return fail(http.StatusConflict, "cannot remove container %q: container is paused and must be unpaused first", id)
	case c.isRunning() && !x.flag("force"):
		return fail(http.StatusConflict, "cannot remove container %q: container is %s: stop the container before removing or force remove", id, c.state)
	}
	c.cancelRestart()
	if c.run != nil {
		e.kill(c, c.run)
	}
	if _, there := e.containers[c.id]; there { // not removed by another call meanwhile
		e.drop(c, x.flag("v"))
	}
	return x.done(http.StatusNoContent)
}

// drop forgets a container that does not run, with its anonymous volumes if asked.
func (e *Engine) drop(c *container, withVolumes bool) {
	delete(e.containers, c.id)
	c.removed = true
	c.set(stateRemoving)
	for _, m := range c.mounts {
		v := e.volumes[m.point.Name]
		if withVolumes && m.auto && v != nil && len(e.mounting(v.name)) == 0 {
			e.deleteVolume(v)
		}
	}
	e.containerEvent(c, "destroy")
}

// renameContainer is POST /containers/{id}/rename.
func (e *Engine) renameContainer(x *exchange) error {
	name := x.query("name")
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(x.params["id"])
	if err != nil {
		return err
	}
	switch strings.TrimPrefix(name, "/") {
	case "":
		return fail(http.StatusBadRequest, "Neither old nor new names may be empty")
	case c.name:
		return fail(http.StatusBadRequest, "Renaming a container with the same name as its current name")
	}
	reserved, err := e.reserveName("/" + strings.TrimPrefix(name, "/"))
	if err != nil {
		return inside(err, "Error when allocating new name")
	}
	old := c.name
	c.name = reserved
	for _, p := range c.endpoints {
		if i := slices.Index(p.dnsNames, old); i >= 0 {
			p.dnsNames = slices.Clone(p.dnsNames) // an answer may still be read from the old one
			p.dnsNames[i] = reserved
		}
	}
	c.changed.fire()
	e.containerEvent(c, "rename", "oldName", "/"+old)
	return x.done(http.StatusNoContent)
}

// updateContainer is POST /containers/{id}/update, of which the restart policy and the limits of memory, processors and processes are known.
func (e *Engine) updateContainer(x *exchange) error {
	var request apicontainer.UpdateConfig
	if err := x.read(&request); err != nil {
		return err
	}
	e.mutex.Lock()
	c, err := e.findContainer(x.params["id"])
	if err == nil {
		err = c.update(request)
	}
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	e.containerEvent(c, "update")
	e.mutex.Unlock()
	return x.answer(http.StatusOK, apicontainer.UpdateResponse{})
}

func (c *container) update(request apicontainer.UpdateConfig) error {
	policy := request.RestartPolicy
	if err := apicontainer.ValidateRestartPolicy(policy); err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	c.updateLimits(request.Resources)
	if policy.Name == "" {
		return nil
	}
	if c.host.AutoRemove && !policy.IsNone() {
		return fail(http.StatusBadRequest, "Restart policy cannot be updated because AutoRemove is enabled for the container")
	}
	c.host.RestartPolicy = policy
	return nil
}

// updateLimits takes the limits that a request names. More memory than the swap allows for is not looked at.
func (c *container) updateLimits(asked apicontainer.Resources) {
	limits := &c.host.Resources
	limits.Memory = cmp.Or(asked.Memory, limits.Memory)
	limits.MemorySwap = cmp.Or(asked.MemorySwap, limits.MemorySwap)
	limits.MemoryReservation = cmp.Or(asked.MemoryReservation, limits.MemoryReservation)
	limits.NanoCPUs = cmp.Or(asked.NanoCPUs, limits.NanoCPUs)
	limits.CPUShares = cmp.Or(asked.CPUShares, limits.CPUShares)
	limits.CpusetCpus = cmp.Or(asked.CpusetCpus, limits.CpusetCpus)
	if asked.PidsLimit != nil {
		limits.PidsLimit = asked.PidsLimit
	}
}

// pauseContainer is POST /containers/{id}/pause. The process is not held, but its state and its health check are.
func (e *Engine) pauseContainer(x *exchange) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(x.params["id"])
	switch {
	case err != nil:
		return err
	case c.state == statePaused:
		return fail(http.StatusConflict, "Container %s is already paused", c.id)
	case c.state != stateRunning:
		return fail(http.StatusConflict, "Container %s is not running", c.id)
	}
	c.endHealth()
	c.set(statePaused)
	e.containerEvent(c, "pause")
	return x.done(http.StatusNoContent)
}

func (e *Engine) unpauseContainer(x *exchange) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(x.params["id"])
	switch {
	case err != nil:
		return err
	case c.state != statePaused:
		return fail(http.StatusInternalServerError, "Container %s is not paused", c.id)
	}
	e.unpause(c)
	return x.done(http.StatusNoContent)
}

func (e *Engine) unpause(c *container) {
	c.set(stateRunning)
	e.watchHealth(c)
	e.containerEvent(c, "unpause")
}

// restartContainer is POST /containers/{id}/restart.
func (e *Engine) restartContainer(x *exchange) error {
	signal, timeout, err := stopParameters(x)
	if err != nil {
		return err
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(x.params["id"])
	if err != nil {
		return err
	}
	if c.isRunning() {
		e.stop(c, syscall.Signal(signal), timeout)
	}
	if err := e.startByHand(c); err != nil {
		return err
	}
	e.containerEvent(c, "restart")
	return x.done(http.StatusNoContent)
}
