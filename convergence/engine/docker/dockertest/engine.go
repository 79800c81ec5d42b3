// Package dockertest is the Docker Engine API in memory: an [Engine] is an http.Handler with an engine's state behind it, to be
// reached through the real adapter. Unit tests dial it over in-memory pipes, which testing/synctest can see through; scripts
// reach it on a socket.
//
// Containers really run: their process is [testbox.Run] in a goroutine of its own (or what the image names as its program),
// with logs, signals, exit codes, health checks, restart policies, mounts and a network in which they find one another.
// Events come in the order of an engine 28.5.2, error texts are its own, and the conformance suite in enginetest holds this
// package to what that engine does. A route that is not there answers 501 and is remembered in [Engine.Unknown].
//
// It is not an engine in a few respects: a paused process goes on, only its state and its health check rest; binds are the
// host's real files; no event is ever dropped; and no two moments are the same, so that under synctest the engine's clock is
// some nanoseconds ahead.
//
// Tests look at [Engine.Calls] and [Engine.Snapshot], and make things go wrong with [Engine.Inject] and [Engine.Refuse].
// IDs depend on the seed and on names only, so that goldens stay the same whatever runs at once.
package dockertest

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine/docker/buildkit/buildkittest"
)

// Options make an engine. The zero value is an engine 28.5.2 without images.
type Options struct {
	APIVersion    string // the newest that it speaks; 1.51 if empty
	EngineVersion string // 28.5.2 if empty
	Seed          string // changes all IDs
	// ExecLag is how much later the engine hears of the end of a command than of the end of its output.
	ExecLag time.Duration
	// Remote is what registries hold; nil means that there is nothing to be pulled.
	Remote *Registry
}

// Engine is a container engine in memory. All methods may be called from many goroutines at once.
type Engine struct {
	options Options
	calls   callLog
	faults  faults
	events  *eventLog
	clock   clock

	builder  *buildkittest.Server
	listener *pipeListener
	server   *http.Server
	closing  chan struct{}  // closed when the engine goes down
	hangUp   func()         // ends all calls
	tasks    errgroup.Group // servers and processes
	answers  sync.WaitGroup // calls being answered

	mutex      sync.Mutex // guards what follows, and all that it leads to but logs and files
	closed     bool
	containers map[string]*container // by ID
	networks   map[string]*network   // by ID
	volumes    map[string]*volume    // by name
	images     map[string]*image     // by ID
	execs      map[string]*execution // by ID
	counters   map[string]int        // how many of a name there were, for IDs
	hostPorts  map[hostPort]*container
	sessions   map[string]bool // IDs that are held
}

// New starts an engine. [Engine.Close] ends it.
func New(options Options) *Engine {
	options.APIVersion = cmp.Or(options.APIVersion, "1.51")
	options.EngineVersion = cmp.Or(options.EngineVersion, "28.5.2")
	if options.Remote == nil {
		options.Remote = NewRegistry()
	}
	e := &Engine{
		options: options, closing: make(chan struct{}), listener: newPipeListener(),
		containers: map[string]*container{}, networks: map[string]*network{}, volumes: map[string]*volume{},
		images: map[string]*image{}, execs: map[string]*execution{}, counters: map[string]int{}, hostPorts: map[hostPort]*container{},
		sessions: map[string]bool{},
	}
	e.events = newEventLog(&e.clock)
	e.builder = buildkittest.New(buildSide{e})
	e.addBuiltinNetworks()
	ctx, cancel := context.WithCancel(context.Background())
	e.hangUp = cancel
	e.server = &http.Server{
		Handler: e, ReadHeaderTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	e.tasks.Go(func() error { return e.server.Serve(e.listener) })
	return e
}

// Start is [New] for a test, which ends the engine with it.
func Start(t testing.TB, options Options) *Engine {
	t.Helper()
	e := New(options)
	t.Cleanup(e.Close)
	return e
}

// Close kills what runs, cuts all connections and returns when no goroutine of the engine is left.
func (e *Engine) Close() {
	e.mutex.Lock()
	if e.closed {
		e.mutex.Unlock()
		return
	}
	e.closed = true
	close(e.closing)
	for _, c := range e.containers {
		c.cancelRestart()
		if c.run != nil {
			c.run.send(os.Signal(syscall.SIGKILL))
		}
	}
	e.mutex.Unlock()
	e.hangUp()
	_ = e.server.Close() // also closes the listeners
	e.answers.Wait()
	e.builder.Close()
	_ = e.tasks.Wait() // servers always say that they were closed
}

// spawn runs a task that Close waits for. Called with the mutex held; it does nothing once the engine goes down.
func (e *Engine) spawn(task func()) {
	if e.closed {
		return
	}
	e.tasks.Go(func() error { task(); return nil })
}
