//go:build unix

package sshdial_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// host is a host with an ssh server and an engine, and the ssh that reaches it: the test binary under that name, which passes
// everything on to here. It knows of OpenSSH's shared connections what the dialer makes use of.
type host struct {
	engine *dockertest.Engine
	folder string // with the program
	shared string // for control sockets

	mutex sync.Mutex
	// What the host does; newHost sets it.
	config      string             // more of what `ssh -G` says
	brokenG     bool               // `ssh -G` fails
	masterRuns  bool               // `ssh -O check` says that the user's own master runs
	maxSessions int                // on a connection; 0 for no limit
	verdict     func(call) *answer // on a session, before anything else; nil lets it pass

	calls       []call
	connections int // TCP connections that a server would have seen
	refused     int
	lines       map[string]*sessions // by control path
	pids        []int
}

type sessions struct{ now, peak int }

// call is a run of ssh for a session.
type call struct {
	Arguments []string
	Pid       int

	role   string // alone, makes, joins
	socket string
}

// answer is how ssh ends, or that it goes on.
type answer struct {
	Out, Err string
	Status   int
	Proceed  bool
}

// newHost starts a host that is as the function makes it; nil leaves it usual. The test ends it.
func newHost(t *testing.T, set func(*host)) *host {
	t.Helper()
	folder, err := os.MkdirTemp("", "ssh") //nolint:usetesting // the test's own folder can be too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	h := &host{
		engine: dockertest.New(dockertest.Options{}), folder: folder, shared: filepath.Join(folder, "run"),
		lines: map[string]*sessions{},
	}
	if set != nil {
		set(h)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(folder, "host"))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{os.Symlink(self, filepath.Join(folder, "ssh")), os.Mkdir(h.shared, 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group errgroup.Group
	group.Go(func() error {
		for {
			c, err := listener.Accept()
			if err != nil {
				return nil //nolint:nilerr // the listener is closed
			}
			group.Go(func() error { h.serve(ctx, c); return nil })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		h.engine.Close()
		_ = group.Wait()
		_ = os.RemoveAll(folder)
	})
	return h
}

// env is the environment in which ssh is this host's.
func (h *host) env(name string) string {
	return map[string]string{
		"PATH": h.folder, "HOME": h.folder, "XDG_RUNTIME_DIR": h.shared, "DOCKER_HOST": "ssh://me@far.example:2222",
	}[name]
}

// do changes or looks at what the host does.
func (h *host) do(what func()) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	what()
}

// serve is one run of ssh.
func (h *host) serve(ctx context.Context, c net.Conn) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	reader := bufio.NewReader(c)
	text, err := reader.ReadBytes('\n')
	var asked call
	if err != nil || json.Unmarshal(text, &asked) != nil {
		return
	}
	said, leave := h.admit(&asked)
	defer leave()
	text, _ = json.Marshal(said)
	if _, err := c.Write(append(text, '\n')); err != nil || !said.Proceed {
		return
	}
	engine, err := h.engine.Dial(ctx)
	if err != nil {
		return
	}
	defer engine.Close()
	var group errgroup.Group
	group.Go(func() error { // what is asked; at its end the session is over
		_, err := io.Copy(engine, reader)
		_ = engine.Close()
		return err
	})
	_, _ = io.Copy(c, engine)
	_ = c.Close()
	_ = group.Wait()
}

// admit decides about a run of ssh as ssh and sshd do.
func (h *host) admit(asked *call) (said answer, leave func()) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	leave = func() {}
	h.pids = append(h.pids, asked.Pid)
	switch {
	case slices.Contains(asked.Arguments, "-G") && h.brokenG:
		return answer{Err: "bad configuration option", Status: 255}, leave
	case slices.Contains(asked.Arguments, "-G"):
		return answer{Out: "host far.example\nserveraliveinterval 0\n" + h.config}, leave
	case slices.Contains(asked.Arguments, "-O") && !h.masterRuns:
		return answer{Err: "Control socket connect(x): No such file or directory", Status: 255}, leave
	case slices.Contains(asked.Arguments, "-O"):
		return answer{Err: "Master running (pid=1)"}, leave
	}
	asked.socket = flag(asked.Arguments, "-oControlPath=")
	asked.role = map[string]string{"": "alone", "no": "joins", "auto": "makes"}[flag(asked.Arguments, "-oControlMaster=")]
	if asked.socket == "none" {
		asked.role, asked.socket = "alone", ""
	}
	h.calls = append(h.calls, *asked)
	if h.verdict != nil {
		if said := h.verdict(*asked); said != nil {
			return *said, leave
		}
	}
	return h.enter(asked)
}

// enter gives a session its connection. Called with the mutex held.
func (h *host) enter(asked *call) (said answer, leave func()) {
	const gone = "Connection closed by UNKNOWN port 65535\r\n"
	line := h.lines[asked.socket]
	full := line != nil && h.maxSessions > 0 && line.now >= h.maxSessions
	switch {
	case asked.role == "joins" && line == nil:
		return answer{Err: gone, Status: 255}, func() {}
	case asked.role == "joins" && full:
		h.refused++
		return answer{
			Err: "mux_client_request_session: session request failed: Session open refused by peer\r\n" + gone, Status: 255,
		}, func() {}
	case asked.role == "alone", full:
		h.connections++
		return answer{Proceed: true}, func() {}
	case line == nil:
		h.connections++
		line = &sessions{}
		h.lines[asked.socket] = line
	}
	line.now++
	line.peak = max(line.peak, line.now)
	return answer{Proceed: true}, func() { h.do(func() { line.now-- }) }
}

// roles are those of the sessions so far.
func (h *host) roles() string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	var roles []string
	for _, one := range h.calls {
		roles = append(roles, one.role)
	}
	return strings.Join(roles, " ")
}

func flag(arguments []string, prefix string) string {
	for _, argument := range arguments {
		if value, ok := strings.CutPrefix(argument, prefix); ok {
			return value
		}
	}
	return ""
}

// fakeSSH is the program: its end of [host.serve].
func fakeSSH(folder string, arguments []string) (status int) {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, "fake ssh:", err)
		return 1
	}
	c, err := net.Dial("unix", filepath.Join(folder, "host"))
	if err != nil {
		return fail(err)
	}
	text, err := json.Marshal(call{Arguments: arguments, Pid: os.Getpid()})
	if err != nil {
		return fail(err)
	}
	if _, err := c.Write(append(text, '\n')); err != nil {
		return fail(err)
	}
	reader := bufio.NewReader(c)
	text, err = reader.ReadBytes('\n')
	var said answer
	if err != nil || json.Unmarshal(text, &said) != nil {
		return fail(fmt.Errorf("answer %q: %w", text, err))
	}
	if !said.Proceed {
		fmt.Fprint(os.Stdout, said.Out)
		fmt.Fprint(os.Stderr, said.Err)
		return said.Status
	}
	var group errgroup.Group
	group.Go(func() error {
		_, _ = io.Copy(c, os.Stdin)
		return c.(*net.UnixConn).CloseWrite()
	})
	_, err = io.Copy(os.Stdout, reader)
	if err != nil {
		return fail(err)
	}
	return 0
}
