package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/muster-dev/muster/convergence/engine"
)

// Exec implements [engine.Execs].
func (c *Client) Exec(
	ctx context.Context, ref string, request engine.Exec, output func(engine.Frame) error,
) (exitCode int, err error) {
	d := &dialogue{console: request.Console, output: output}
	defer d.close()
	created, err := c.api.ContainerExecCreate(ctx, ref, container.ExecOptions{
		Cmd: request.Command, User: request.User, WorkingDir: request.WorkingDir, Env: assignments(request.Environment),
		Privileged: request.Privileged, Tty: request.Tty, DetachKeys: request.DetachKeys, ConsoleSize: consoleSize(request.Size),
		AttachStdin: request.Input != nil, AttachStdout: !request.Detach, AttachStderr: !request.Detach,
	})
	if err != nil {
		return 0, wrapWords(c.wrap(err), engine.ErrInvalid, "unable to find user", "unable to find group")
	}
	if request.Detach {
		return 0, c.wrap(c.api.ContainerExecStart(ctx, created.ID, container.ExecStartOptions{Detach: true, Tty: request.Tty}))
	}
	d.resize = func(ctx context.Context, size engine.Size) error {
		return c.api.ContainerExecResize(ctx, created.ID, resizeOptions(size))
	}
	if err := c.runExec(ctx, created.ID, d); err != nil {
		return 0, err
	}
	return c.execEnd(ctx, created.ID)
}

// assignments are NAME=value, by name.
func assignments(variables map[string]string) []string {
	list := make([]string, 0, len(variables))
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		list = append(list, name+"="+variables[name])
	}
	return list
}

// runExec starts a command and stays with it to the end of what it writes.
func (c *Client) runExec(ctx context.Context, id string, d *dialogue) error {
	options := container.ExecStartOptions{Tty: d.console.Tty, ConsoleSize: consoleSize(d.console.Size)}
	if c.olderThan(sizedConsoles) {
		options.ConsoleSize, d.unsized = nil, options.ConsoleSize != nil
	}
	body, err := json.Marshal(options)
	if err != nil {
		return err
	}
	connection, err := c.handOver(ctx, handover{
		path: fmt.Sprintf("/v%s/exec/%s/start", c.api.ClientVersion(), id), protocol: "tcp",
		header: http.Header{"Content-Type": {"application/json"}}, body: body, refused: refusedExec,
	})
	if err != nil {
		return err
	}
	return c.wrap(d.run(ctx, connection))
}

// sizedConsoles is the API from which a process can be started with a size for its terminal; the library leaves it out of other
// calls below that.
const sizedConsoles = "1.42"

// refusedExec is an answer to a start that the engine refuses before it hands the connection over.
func refusedExec(response *http.Response) error {
	cause := errors.New(saidBy(response))
	switch response.StatusCode {
	case http.StatusNotFound:
		return &apiError{engine.ErrNotFound, cause}
	case http.StatusConflict:
		return &apiError{engine.ErrConflict, cause}
	case http.StatusBadRequest:
		return &apiError{engine.ErrInvalid, cause}
	}
	return cause
}

// execEnd is the exit code of a command whose output has ended. The engine may hear of the end a little later than of the last
// output, and a command may close its outputs and go on: then exec_die tells.
func (c *Client) execEnd(ctx context.Context, id string) (exitCode int, err error) {
	seen, err := c.api.ContainerExecInspect(ctx, id)
	if err != nil || !seen.Running {
		return seen.ExitCode, c.wrap(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	filter := filters.NewArgs(filters.Arg("container", seen.ContainerID), filters.Arg("type", string(events.ContainerEventType)),
		filters.Arg("event", string(events.ActionExecDie)), filters.Arg("event", string(events.ActionDestroy)))
	status := make(chan int, 1)
	messages, failures := c.api.Events(context.WithValue(ctx, statusTeller{}, status), events.ListOptions{Filters: filter})
	if err := refused(status, failures); err != nil {
		return 0, c.wrap(err)
	}
	if seen, err = c.api.ContainerExecInspect(ctx, id); err != nil || !seen.Running {
		return seen.ExitCode, c.wrap(err)
	}
	for {
		select {
		case message := <-messages:
			switch {
			case message.Action == events.ActionDestroy:
				return 0, &apiError{engine.ErrNotFound, fmt.Errorf("container %.12s was removed while a command ran in it", seen.ContainerID)}
			case message.Actor.Attributes["execID"] == id:
				return strconv.Atoi(cmp.Or(message.Actor.Attributes["exitCode"], "0"))
			}
		case err := <-failures:
			return 0, c.eventsEnd(ctx, err)
		}
	}
}
