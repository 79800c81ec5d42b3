package dockertest

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	apinetwork "github.com/docker/docker/api/types/network"
)

// inspectContainer is GET /containers/{id}/json.
func (e *Engine) inspectContainer(x *exchange) error {
	e.mutex.Lock()
	c, err := e.findContainer(x.params["id"])
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	answer := c.inspect()
	e.mutex.Unlock()
	return x.answer(http.StatusOK, answer)
}

func (c *container) inspect() apicontainer.InspectResponse {
	argv := c.argv()
	config, host := *c.config, *c.host
	answer := apicontainer.InspectResponse{
		ContainerJSONBase: &apicontainer.ContainerJSONBase{
			ID: c.id, Created: timeText(c.created), Path: argv[0], Args: argv[1:], State: c.inspectState(), Image: c.image.id,
			Name: "/" + c.name, RestartCount: c.restartCount, Driver: "overlay2", Platform: operatingSystem, HostConfig: &host,
			LogPath: "/var/lib/docker/containers/" + c.id + "/" + c.id + "-json.log",
		},
		Mounts: c.points(), Config: &config,
		NetworkSettings: &apicontainer.NetworkSettings{
			Networks: map[string]*apinetwork.EndpointSettings{},
		},
	}
	answer.NetworkSettings.Ports = c.portMap()
	for _, p := range c.endpoints {
		answer.NetworkSettings.Networks[p.key] = p.settings()
	}
	return answer
}

func (c *container) inspectState() *apicontainer.State {
	state := &apicontainer.State{
		Status: c.state, Running: c.isRunning(), Paused: c.state == statePaused, Restarting: c.state == stateRestarting,
		OOMKilled: c.oom, Pid: c.pid, ExitCode: c.exitCode, Error: c.err,
		StartedAt: timeText(c.started), FinishedAt: timeText(c.finished),
	}
	if c.health != nil {
		state.Health = &apicontainer.Health{Status: c.health.status, FailingStreak: c.health.streak, Log: slices.Clone(c.health.log)}
	}
	return state
}

// timeText is how the engine writes times; never is the year 1.
func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// waitContainer is POST /containers/{id}/wait.
func (e *Engine) waitContainer(x *exchange) error {
	condition := apicontainer.WaitCondition(x.query("condition"))
	switch condition {
	case "":
		condition = apicontainer.WaitConditionNotRunning
	case apicontainer.WaitConditionNotRunning, apicontainer.WaitConditionNextExit, apicontainer.WaitConditionRemoved:
	default:
		return fail(http.StatusBadRequest, "invalid condition: %q", condition)
	}
	e.mutex.Lock()
	c, err := e.findContainer(x.params["id"])
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	begin := c.finished
	e.mutex.Unlock()
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(http.StatusOK)
	x.flush() // the client has to know that the wait stands
	for {
		e.mutex.Lock()
		over, code, changed := c.waitedFor(condition, begin), c.exitCode, c.changed.wait()
		e.mutex.Unlock()
		if over {
			_ = json.NewEncoder(x.w).Encode(apicontainer.WaitResponse{StatusCode: int64(code)}) // whoever asked may have gone
			return nil
		}
		select {
		case <-changed:
		case <-x.Context().Done():
			return nil
		}
	}
}

// waitedFor says whether a wait is over that began when the last end was at a certain time.
func (c *container) waitedFor(condition apicontainer.WaitCondition, begin time.Time) bool {
	switch condition {
	case apicontainer.WaitConditionRemoved:
		return c.removed
	case apicontainer.WaitConditionNextExit:
		return c.removed || c.finished.After(begin)
	}
	return !c.isRunning()
}
