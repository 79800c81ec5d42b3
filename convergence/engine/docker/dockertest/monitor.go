package dockertest

import (
	"encoding/json"
	"net/http"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
)

// listProcesses is GET /containers/{id}/top: the container's process, and the commands beside it.
func (e *Engine) listProcesses(x *exchange) error {
	e.mutex.Lock()
	c, err := e.findContainer(x.params["id"])
	switch {
	case err != nil:
	case c.state == stateRestarting:
		err = fail(http.StatusConflict, "Container %s is restarting, wait until the container is running", c.id)
	case !c.isRunning():
		err = fail(http.StatusConflict, "container %s is not running", c.id)
	}
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	answer := apicontainer.TopResponse{Titles: []string{"UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"}}
	commands := []string{c.command()}
	for _, beside := range c.run.execs {
		if beside.running {
			commands = append(commands, commandText(beside.options.Cmd))
		}
	}
	for _, command := range commands {
		answer.Processes = append(answer.Processes, []string{"root", "4711", "1", "0", "12:00", "?", "00:00:00", command})
	}
	e.mutex.Unlock()
	return x.answer(http.StatusOK, answer)
}

// What every process of this engine uses.
const (
	hostMemory   = 8 << 30
	cachedMemory = 1 << 20
	ownMemory    = 5 << 20
)

// streamStats is GET /containers/{id}/stats. Of a container that does not run it is told that it uses nothing.
func (e *Engine) streamStats(x *exchange) error {
	x.w.Header().Set("Content-Type", "application/json")
	for seconds := uint64(1); ; seconds++ {
		e.mutex.Lock()
		c, err := e.findContainer(x.params["id"])
		if err != nil {
			e.mutex.Unlock()
			if seconds > 1 {
				return nil
			}
			return err
		}
		sample, changed := c.stats(seconds), c.changed.wait()
		e.mutex.Unlock()
		if json.NewEncoder(x.w).Encode(sample) != nil || !x.flag("stream") {
			return nil
		}
		x.flush()
		timer := time.NewTimer(time.Second)
		select {
		case <-timer.C:
		case <-changed: // it may be gone
		case <-x.Context().Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// stats is half a processor of two, after so many seconds.
func (c *container) stats(seconds uint64) apicontainer.StatsResponse {
	const processors, half = 2, uint64(time.Second) / 2
	sample := apicontainer.StatsResponse{Name: "/" + c.name, ID: c.id}
	if c.state != stateRunning && c.state != statePaused {
		return sample
	}
	use := func(seconds uint64) apicontainer.CPUStats {
		return apicontainer.CPUStats{
			CPUUsage:    apicontainer.CPUUsage{TotalUsage: seconds * half},
			SystemUsage: processors * seconds * uint64(time.Second), OnlineCPUs: processors,
		}
	}
	sample.Read, sample.PreCPUStats, sample.CPUStats = time.Now(), use(seconds), use(seconds+1)
	limit := uint64(hostMemory)
	if c.host.Memory > 0 {
		limit = uint64(c.host.Memory)
	}
	sample.MemoryStats = apicontainer.MemoryStats{
		Usage: ownMemory + cachedMemory + uint64(c.run.memory), Limit: limit, Stats: map[string]uint64{"inactive_file": cachedMemory},
	}
	sample.PidsStats.Current = 1
	if len(c.endpoints) > 0 {
		sample.Networks = map[string]apicontainer.NetworkStats{"eth0": {RxBytes: 1000, TxBytes: 2000}}
	}
	sample.BlkioStats.IoServiceBytesRecursive = []apicontainer.BlkioStatEntry{{Op: "read", Value: 4096}, {Op: "write", Value: 8192}}
	return sample
}
