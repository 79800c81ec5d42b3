package dockertest

import (
	"io"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// run is a container's process, from a start to the end.
type run struct {
	signals    chan os.Signal
	killed     bool                    // the signals are closed
	logged     chan struct{}           // closed when all that it wrote is in the log
	ended      chan struct{}           // closed when the container's state says that it ended
	handlers   map[string]http.Handler // what it serves, by port
	memory     int64                   // bytes taken
	execs      []*execution            // that were started beside it
	stops      int                     // calls that wait for its end
	stopHealth chan struct{}           // closed to end the health check; nil where none goes on
}

// waitingSignals are as many as nobody has looked at yet.
const waitingSignals = 64

func newRun() *run {
	return &run{
		signals: make(chan os.Signal, waitingSignals), logged: make(chan struct{}), ended: make(chan struct{}),
		handlers: map[string]http.Handler{},
	}
}

// send brings a signal to the process; SIGKILL by closing the channel, which cannot be missed. Called with the mutex held.
func (r *run) send(signal os.Signal) {
	switch {
	case r.killed:
	case signal == syscall.SIGKILL:
		r.killed = true
		close(r.signals)
	default:
		select {
		case r.signals <- signal:
		default: // as lost as a signal that is pending already
		}
	}
}

// process runs a container's program and, when it has ended, starts it again as the restart policy says.
func (e *Engine) process(c *container, r *run) {
	stdout := &lineWriter{store: c.log, stream: stdoutStream, terminal: c.config.Tty}
	stderr := &lineWriter{store: c.log, stream: stderrStream}
	toStdout := func(l *listener) io.Writer { return l.stdout }
	toStderr := func(l *listener) io.Writer { return l.stderr }
	if c.config.Tty {
		stderr, toStderr = stdout, toStdout
	}
	toAll := io.MultiWriter(stdout, c.audience.stream(toStdout))
	c.terminal.show(toAll)
	code := c.execute(testbox.World{
		Args: c.argv(), Env: c.environment(), Signals: r.signals, Files: c.view(),
		Stdin: c.reader(), Size: c.terminal.size(),
		Stdout: toAll, Stderr: io.MultiWriter(stderr, c.audience.stream(toStderr)),
		Stat: c.view().Stat, Listen: e.serving(c, r), Fetch: e.fetcher(c), Grow: e.grower(c, r),
		User: userOf(c.config.User), Folder: folderOf(c.config.WorkingDir),
	}, stay)
	stdout.end()
	stderr.end()
	close(r.logged)
	c.endConsole()
	if delay, revive, again := e.ended(c, r, code); again {
		select {
		case <-time.After(delay):
			e.restarted(c, revive)
		case <-revive:
		}
	}
}

// execute runs a command of a container: testbox, or what its image has. unknown is what the shell does with a command that
// it does not know.
func (c *container) execute(world testbox.World, unknown Program) int {
	switch {
	case len(world.Args) > 0 && world.Args[0] == testbox.Path:
		world.Args = world.Args[1:]
		return testbox.Run(world)
	case c.image.Program != nil:
		return c.image.Program(world)
	}
	return shell(world, unknown)
}

// grower is how a process takes memory: over the container's limit, the engine kills it.
func (e *Engine) grower(c *container, r *run) func(megabytes int) error {
	return func(megabytes int) error {
		e.mutex.Lock()
		defer e.mutex.Unlock()
		r.memory += int64(megabytes) << 20
		if limit := c.host.Memory; limit > 0 && r.memory > limit && !r.killed {
			c.oom = true
			e.containerEvent(c, "oom")
			r.send(syscall.SIGKILL)
		}
		return nil
	}
}
