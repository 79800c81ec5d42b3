package dockertest

import (
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// exitCannotRun is the exit code of a command that is there but cannot be run.
const exitCannotRun = 126

// execution is a command beside a container's own process. It is guarded by the engine's mutex.
type execution struct {
	id       string
	c        *container
	options  apicontainer.ExecOptions
	signals  chan os.Signal // closed to kill it
	killed   bool           // that is so
	terminal *terminal      // nil where it has none
	input    *inputBuffer   // nil where nothing is read
	started  bool
	running  bool
	exitCode *int // nil until it has ended
}

// createExec is POST /containers/{id}/exec.
func (e *Engine) createExec(x *exchange) error {
	var options apicontainer.ExecOptions
	if err := x.read(&options); err != nil {
		return err
	}
	if len(options.Cmd) == 0 {
		return fail(http.StatusBadRequest, "No exec command specified")
	}
	e.mutex.Lock()
	c, err := e.findContainer(x.params["id"])
	if err == nil {
		err = c.takesCommands()
	}
	if user := options.User; err == nil && user != "" && userOf(user) == "" {
		err = fail(http.StatusInternalServerError, "unable to find user %s: no matching entries in passwd file", user)
	}
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	made := &execution{id: e.newID("exec", c.id), c: c, options: options, signals: make(chan os.Signal, waitingSignals)}
	if options.AttachStdin {
		made.input = &inputBuffer{}
	}
	e.execs[made.id] = made
	e.containerEvent(c, "exec_create: "+commandText(options.Cmd), "execID", made.id)
	e.mutex.Unlock()
	return x.answer(http.StatusCreated, map[string]string{"Id": made.id})
}

// takesCommands says whether commands can be run in a container now.
func (c *container) takesCommands() error {
	switch c.state {
	case stateRunning:
		return nil
	case statePaused:
		return fail(http.StatusConflict, "container %s is paused, unpause the container before exec", c.id)
	case stateRestarting:
		return fail(http.StatusConflict, "container %s is restarting, wait until the container is running", c.id)
	}
	return fail(http.StatusConflict, "container %s is not running", c.id)
}

// commandText is a command as events have it: a space follows the program even where nothing else does.
func commandText(command []string) string {
	return command[0] + " " + strings.Join(command[1:], " ")
}

// startExec is POST /exec/{id}/start: the connection carries what the command reads and writes. The command does not mind when it
// goes away.
func (e *Engine) startExec(x *exchange) error {
	var options apicontainer.ExecStartOptions
	if err := x.read(&options); err != nil {
		return err
	}
	e.mutex.Lock()
	made, err := e.launchExec(x.params["id"])
	if err == nil && options.Detach {
		err = e.detachExec(made)
	}
	e.mutex.Unlock()
	if err != nil {
		return err
	}
	if options.Detach {
		return x.done(http.StatusOK)
	}
	kind := "application/vnd.docker.multiplexed-stream"
	if made.options.Tty {
		kind = "application/vnd.docker.raw-stream"
	}
	var connection io.ReadWriteCloser
	connection, err = x.hijack("tcp", kind)
	if err != nil { // nobody gets the answer
		connection = nowhere{}
	}
	defer connection.Close() //nolint:errcheck // whoever asked may have closed it
	stdout, stderr := outputs(connection, made.options.Tty)
	e.connect(made, stdout, options.ConsoleSize)
	var reading sync.WaitGroup
	if made.input != nil {
		reading.Go(func() { made.feed(connection) })
	}
	code, ran := e.runExec(made, stdout, stderr)
	_ = connection.Close()
	reading.Wait()
	if e.options.ExecLag > 0 {
		time.Sleep(e.options.ExecLag)
	}
	if ran {
		e.endExec(made, code)
	}
	return nil
}

// detachExec runs a command that nobody listens to. Called with the mutex held.
func (e *Engine) detachExec(made *execution) error {
	if code, err := made.c.cannotRun(made.options.Cmd[0]); err != nil {
		made.running, made.exitCode = false, &code
		return fail(http.StatusBadRequest, "OCI runtime exec failed: exec failed: unable to start container process: %v", err)
	}
	e.spawn(func() {
		stdout, stderr := outputs(io.Discard, made.options.Tty)
		e.connect(made, stdout, nil)
		if code, ran := e.runExec(made, stdout, stderr); ran {
			e.endExec(made, code)
		}
	})
	return nil
}

// connect gives a command its terminal, where it is to have one.
func (e *Engine) connect(made *execution, output io.Writer, size *[2]uint) {
	if !made.options.Tty {
		return
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	made.terminal = &terminal{input: made.input, output: output, signal: func(signal os.Signal) {
		e.mutex.Lock()
		defer e.mutex.Unlock()
		made.send(signal)
	}}
	if made.input == nil {
		made.terminal.input = &inputBuffer{}
	}
	made.terminal.start(sizeOf(size, made.options))
}

// feed gives a command what comes from the caller.
func (made *execution) feed(from io.Reader) {
	if made.terminal != nil {
		_, _ = io.Copy(made.terminal, from)
		return
	}
	_, _ = io.Copy(made.input, from)
	made.input.end()
}

// send brings a signal to a command that runs. Called with the mutex held.
func (made *execution) send(signal os.Signal) {
	if made.killed {
		return
	}
	select {
	case made.signals <- signal:
	default: // as lost as a signal that is pending already
	}
}

// endExec notes that a command has ended.
func (e *Engine) endExec(made *execution, code int) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	made.running, made.exitCode = false, &code
	e.containerEvent(made.c, "exec_die", "execID", made.id, "exitCode", strconv.Itoa(code))
}

// launchExec notes that a command is started. Called with the mutex held.
func (e *Engine) launchExec(id string) (*execution, error) {
	made, err := e.findExec(id)
	if err != nil {
		return nil, err
	}
	if err := made.c.takesCommands(); err != nil {
		return nil, err
	}
	if made.started {
		return nil, fail(http.StatusConflict, "exec command %s has already run", id)
	}
	made.started, made.running = true, true
	run := made.c.run
	run.execs = append(run.execs, made)
	e.containerEvent(made.c, "exec_start: "+commandText(made.options.Cmd), "execID", id)
	return made, nil
}

func (e *Engine) findExec(id string) (*execution, error) {
	made, known := e.execs[id]
	if !known || made.c.removed {
		return nil, fail(http.StatusNotFound, "No such exec instance: %s", id)
	}
	return made, nil
}

// runExec runs a command to its end; ran is false where it could not be started, which it then says. Of that no event tells, so it is
// known to have ended before the last of what it says is read.
func (e *Engine) runExec(made *execution, stdout, stderr io.Writer) (code int, ran bool) {
	e.mutex.Lock()
	c, options := made.c, made.options
	world := e.beside(c, options.Cmd, made.signals)
	world.Stdout, world.Stderr, world.Size = stdout, stderr, made.terminal.size()
	if made.input != nil {
		world.Stdin = made.input
		defer made.input.end()
	}
	code, err := c.cannotRun(options.Cmd[0])
	if err != nil {
		made.running, made.exitCode = false, &code
	}
	e.mutex.Unlock()
	if err != nil {
		_, _ = io.WriteString(stdout, "OCI runtime exec failed: exec failed: unable to start container process: "+err.Error()+"\r\n")
		return code, false
	}
	for _, entry := range options.Env {
		name, value, _ := strings.Cut(entry, "=")
		world.Env[name] = value
	}
	world.User, world.Folder = userOf(options.User, c.config.User), folderOf(options.WorkingDir, c.config.WorkingDir)
	return c.execute(world, unknownCommand), true
}

// beside is what a process in a container finds that is not its own. Called with the mutex held.
func (e *Engine) beside(c *container, command []string, signals <-chan os.Signal) testbox.World {
	return testbox.World{
		Args: command, Env: c.environment(), Signals: signals, Files: c.view(), Stat: c.view().Stat,
		Fetch: e.fetcher(c),
		User:  userOf(c.config.User), Folder: folderOf(c.config.WorkingDir),
	}
}

// cannotRun is why a command cannot be started, and the exit code that it has then.
func (c *container) cannotRun(program string) (code int, err error) {
	if err = c.missing(program); err == nil {
		return 0, nil
	}
	if _, written := c.view().ReadFile(program); written == nil && path.IsAbs(program) {
		return exitCannotRun, errors.New("exec: \"" + program + "\": permission denied")
	}
	return exitNoCommand, err
}

// userOf is the first of some users that is named, as uid:gid; empty where nobody knows that name.
func userOf(users ...string) string {
	for _, user := range users {
		if user == "" {
			continue
		}
		uid, gid, both := strings.Cut(user, ":")
		if !both {
			gid = "0"
		}
		for _, id := range []*string{&uid, &gid} {
			if *id == "root" {
				*id = "0"
			}
			if _, err := strconv.Atoi(*id); err != nil {
				return ""
			}
		}
		return uid + ":" + gid
	}
	return "0:0"
}

func folderOf(folders ...string) string {
	for _, folder := range folders {
		if folder != "" {
			return folder
		}
	}
	return "/"
}

// endExecs kills the commands beside a process that has ended. Called with the mutex held.
func (r *run) endExecs() {
	for _, made := range r.execs {
		if made.running {
			made.killed = true
			close(made.signals)
		}
	}
	r.execs = nil
}

// inspectExec is GET /exec/{id}/json.
func (e *Engine) inspectExec(x *exchange) error {
	e.mutex.Lock()
	made, err := e.findExec(x.params["id"])
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	answer := map[string]any{"ID": made.id, "ContainerID": made.c.id, "Running": made.running, "ExitCode": made.exitCode}
	e.mutex.Unlock()
	return x.answer(http.StatusOK, answer)
}

// frameWriter writes frames of one stream.
type frameWriter struct {
	mutex  *sync.Mutex
	to     io.Writer
	stream byte
}

// Write implements io.Writer. Nobody tells a process that the one who listened has gone.
func (w *frameWriter) Write(content []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for rest := content; len(rest) > 0; {
		part := rest[:min(len(rest), partSize)]
		rest = rest[len(part):]
		header := [8]byte{w.stream}
		binary.BigEndian.PutUint32(header[4:], uint32(len(part)))
		if _, err := w.to.Write(append(header[:], part...)); err != nil {
			w.to = io.Discard
		}
	}
	return len(content), nil
}

// nowhere is the connection of a call whose answer nobody gets.
type nowhere struct{}

func (nowhere) Read([]byte) (int, error)          { return 0, io.EOF }
func (nowhere) Write(content []byte) (int, error) { return len(content), nil }
func (nowhere) Close() error                      { return nil }
