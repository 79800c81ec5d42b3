package dockertest

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/go-units"
)

// The states of a container, in the engine's words.
const (
	stateCreated    = apicontainer.StateCreated
	stateRunning    = apicontainer.StateRunning
	statePaused     = apicontainer.StatePaused
	stateRestarting = apicontainer.StateRestarting
	stateRemoving   = apicontainer.StateRemoving
	stateExited     = apicontainer.StateExited
)

// container is a container of the engine. All of it is guarded by the engine's mutex, but for its logs, files and console.
type container struct {
	id        string
	name      string
	created   time.Time
	config    *apicontainer.Config // with what the image adds
	host      *apicontainer.HostConfig
	image     *image
	endpoints []*endpoint
	mounts    []*mount
	tmpfs     []*mount // of the short form, which the engine does not list
	files     *files   // what was written outside of mounts
	log       *logStore
	*console

	state    string
	exitCode int
	oom      bool
	err      string // of the last start, when it failed
	started  time.Time
	finished time.Time
	pid      int
	health   *health // nil where there is no check
	ports    map[hostPort]binding

	run          *run          // the process, while there is one
	revive       chan struct{} // closed to give up the restart that is due; nil when none is
	byHand       bool          // stopped or killed by a call since the last start by a call
	exitOnNext   bool          // in a way that ends its restarts
	restartCount int
	backOff      time.Duration
	removed      bool
	changed      broadcast
}

// isRunning is the engine's view: one that waits for its restart counts.
func (c *container) isRunning() bool {
	return c.state == stateRunning || c.state == statePaused || c.state == stateRestarting
}

// set changes the state and wakes who waits for it.
func (c *container) set(state string) {
	c.state = state
	c.changed.fire()
}

// findContainer resolves an ID, a name or the beginning of an ID.
func (e *Engine) findContainer(ref string) (*container, error) {
	if found, ok := e.containers[ref]; ok {
		return found, nil
	}
	var byID []*container
	for _, candidate := range e.containers {
		if candidate.name == strings.TrimPrefix(ref, "/") {
			return candidate, nil
		}
		if ref != "" && strings.HasPrefix(candidate.id, ref) {
			byID = append(byID, candidate)
		}
	}
	if len(byID) == 1 {
		return byID[0], nil
	}
	return nil, fail(http.StatusNotFound, "No such container: %s", ref)
}

// sortedContainers are the newest first, as a list has them.
func (e *Engine) sortedContainers() []*container {
	return slices.SortedFunc(maps.Values(e.containers), func(a, b *container) int {
		return cmp.Or(b.created.Compare(a.created), cmp.Compare(a.name, b.name))
	})
}

// status is the state in the engine's words, with how long it has been so.
func (c *container) status() string {
	ago := func(t time.Time) string { return units.HumanDuration(time.Since(t)) }
	switch c.state {
	case stateCreated:
		return "Created"
	case statePaused:
		return fmt.Sprintf("Up %s (Paused)", ago(c.started))
	case stateRestarting:
		return fmt.Sprintf("Restarting (%d) %s ago", c.exitCode, ago(c.finished))
	case stateRemoving:
		return "Removal In Progress"
	case stateExited:
		return fmt.Sprintf("Exited (%d) %s ago", c.exitCode, ago(c.finished))
	}
	if c.health != nil {
		return fmt.Sprintf("Up %s (%s)", ago(c.started), c.health.word())
	}
	return "Up " + ago(c.started)
}

// command is the process with its arguments, on one line.
func (c *container) command() string {
	return strings.Join(c.argv(), " ")
}

func (c *container) argv() []string {
	return append(slices.Clone([]string(c.config.Entrypoint)), c.config.Cmd...)
}

// environment is what the process finds, by name.
func (c *container) environment() map[string]string {
	variables := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME": c.config.Hostname,
	}
	if c.config.Tty {
		variables["TERM"] = "xterm"
	}
	for _, entry := range c.config.Env {
		name, value, hasValue := strings.Cut(entry, "=")
		if hasValue {
			variables[name] = value
		} else {
			delete(variables, name)
		}
	}
	return variables
}

// view is the container's file system.
func (c *container) view() view {
	return view{mounts: append(slices.Clone(c.mounts), c.tmpfs...), own: c.files, image: c.image.Files, readOnly: c.host.ReadonlyRootfs}
}
