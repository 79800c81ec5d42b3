//go:build unix

package sshdial_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/engine/docker/sshdial"
)

// newDialer is a dialer to the host, which the test closes.
func newDialer(t *testing.T, h *host, path string) *sshdial.Dialer {
	t.Helper()
	d, err := sshdial.New(t.Context(), sshdial.Options{
		Address: "ssh://me@far.example:2222" + path, Env: h.env,
		LookPath: func(name string) (string, error) { return filepath.Join(h.folder, name), nil },
	})
	if err != nil {
		t.Fatalf("new dialer: %v", err)
	}
	t.Cleanup(d.Close)
	return d
}

// hold opens a connection, sees that it reaches the engine, and keeps it open.
func hold(t *testing.T, d *sshdial.Dialer) (net.Conn, error) {
	t.Helper()
	c, err := d.Dial(t.Context())
	if err != nil {
		return nil, err
	}
	return c, ping(c)
}

func ping(c net.Conn) error {
	request, err := http.NewRequest(http.MethodHead, "http://engine/_ping", nil)
	if err != nil {
		return err
	}
	if err := request.Write(c); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(c), request)
	if err != nil {
		return err
	}
	if response.Header.Get("Api-Version") == "" {
		return errors.New("no engine answers")
	}
	return response.Body.Close()
}

// holdAll opens many connections at once.
func holdAll(t *testing.T, d *sshdial.Dialer, count int) {
	t.Helper()
	var group errgroup.Group
	for range count {
		group.Go(func() error { _, err := hold(t, d); return err })
	}
	if err := group.Wait(); err != nil {
		t.Fatalf("dial: %v", err)
	}
}

// TestCallsShareOneConnection makes many calls at once, as many as the adapter says that it takes well.
func TestCallsShareOneConnection(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	client, err := docker.Dial(t.Context(), docker.Options{Env: h.env})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	var group errgroup.Group
	limit, withStops := client.CallLimit()
	limited := engine.Limit(client, limit, withStops)
	for range 50 {
		group.Go(func() error {
			_, err := limited.ListContainers(t.Context(), engine.ContainerFilter{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Errorf("list: %v", err)
	}
	if err := client.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	h.do(func() {
		if h.connections > 2 || len(h.calls) > 20 { // a call that ends just as another begins can cost a session
			t.Errorf("50 calls took %d connections and %d sessions", h.connections, len(h.calls))
		}
	})
	checkNoProcess(t, h)
}

// TestManyAtOnce holds more connections than fit on one line: lines are made one after the other, and none has too many.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	d := newDialer(t, h, "")
	holdAll(t, d, 20)
	h.do(func() {
		if h.connections != 3 || len(h.calls) != 20 {
			t.Errorf("20 sessions of 8 a line took %d connections and %d runs of ssh, want 3 and 20", h.connections, len(h.calls))
		}
		for path, line := range h.lines {
			if line.peak > 8 {
				t.Errorf("line %s has %d sessions", path, line.peak)
			}
		}
	})
	d.Close()
	checkNoProcess(t, h)
	if _, err := hold(t, d); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial after close: %v", err)
	}
}

func checkNoProcess(t *testing.T, h *host) {
	t.Helper()
	h.do(func() {
		for _, pid := range h.pids {
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("process %d is there still: %v", pid, err)
			}
		}
	})
}

// TestArguments are those of ssh, for the session that makes a line and for one that joins it.
func TestArguments(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	d := newDialer(t, h, "/run/user/1/docker.sock")
	for range 2 {
		if _, err := hold(t, d); err != nil {
			t.Fatalf("dial: %v", err)
		}
	}
	const usual = "-l me -p 2222 -oConnectTimeout=30 -T"
	const remote = "-- far.example docker '--host=unix:///run/user/1/docker.sock' system dial-stdio"
	want := []string{
		usual + " -oControlMaster=auto -oControlPath=SOCKET -oControlPersist=60 -oServerAliveInterval=15 " + remote,
		usual + " -oControlMaster=no -oControlPath=SOCKET -oProxyCommand=false " + remote,
	}
	h.do(func() {
		for i, one := range h.calls {
			got := strings.ReplaceAll(strings.Join(one.Arguments, " "), one.socket, "SOCKET")
			if got != want[i] {
				t.Errorf("arguments\n got %s\nwant %s", got, want[i])
			}
			folder := filepath.Dir(one.socket)
			if info, err := os.Stat(folder); err != nil || filepath.Dir(folder) != h.shared || info.Mode().Perm() != 0o700 {
				t.Errorf("folder of the control socket %s: %v, %v", folder, info, err)
			}
		}
	})
}

// TestUsersOwnSharing leaves what the user has configured as it is.
func TestUsersOwnSharing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, config string
		masterRuns   bool
		brokenG      bool
		wantRoles    string
	}{
		{name: "shared by the configuration", config: "controlmaster auto\ncontrolpath /home/me/.ssh/s\n", wantRoles: "alone alone"},
		{name: "logged in by hand", config: "controlmaster false\ncontrolpath /home/me/.ssh/s\n", masterRuns: true, wantRoles: "alone alone"},
		{name: "nobody logged in by hand", config: "controlmaster false\ncontrolpath /home/me/.ssh/s\n", wantRoles: "makes joins"},
		{name: "no sharing configured", config: "controlmaster false\ncontrolpath none\n", wantRoles: "makes joins"},
		{name: "an ssh that cannot tell", brokenG: true, wantRoles: "alone alone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, func(h *host) {
				h.config, h.masterRuns, h.brokenG = test.config, test.masterRuns, test.brokenG
			})
			d := newDialer(t, h, "")
			for range 2 {
				if _, err := hold(t, d); err != nil {
					t.Fatalf("dial: %v", err)
				}
			}
			if got := h.roles(); got != test.wantRoles {
				t.Errorf("sessions: %s, want %s", got, test.wantRoles)
			}
			h.do(func() {
				if hasFlags := flag(h.calls[1].Arguments, "-oControl") != ""; hasFlags != (h.calls[1].role == "joins") {
					t.Errorf("arguments: %v", h.calls[1].Arguments)
				}
			})
		})
	}
}

// TestServerTakesFewerSessions finds out how many: no session is lost, and what was learnt holds for further lines.
func TestServerTakesFewerSessions(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(h *host) { h.maxSessions = 3 })
	d := newDialer(t, h, "")
	holdAll(t, d, 12)
	h.do(func() {
		if h.connections != 4 {
			t.Errorf("12 sessions of 3 a line took %d connections, want 4", h.connections)
		}
		if h.refused == 0 || h.refused > 2*8 {
			t.Errorf("%d sessions were refused, want some on the first two lines only", h.refused)
		}
	})
}

// TestLostLine makes a line anew that the server, or its master, has ended.
func TestLostLine(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	d := newDialer(t, h, "")
	if _, err := hold(t, d); err != nil {
		t.Fatalf("dial: %v", err)
	}
	h.do(func() { h.lines = map[string]*sessions{} })
	if _, err := hold(t, d); err != nil {
		t.Fatalf("dial: %v", err)
	}
	if got := h.roles(); got != "makes joins makes" {
		t.Errorf("sessions: %s", got)
	}
}

// TestLineNeverStands goes without one.
func TestLineNeverStands(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(h *host) {
		h.verdict = func(c call) *answer {
			if c.role == "joins" {
				return &answer{Err: "Connection closed by UNKNOWN port 65535", Status: 255}
			}
			return nil
		}
	})
	d := newDialer(t, h, "")
	for range 2 {
		if _, err := hold(t, d); err != nil {
			t.Fatalf("dial: %v", err)
		}
	}
	if got := h.roles(); !strings.HasPrefix(got, "makes joins makes") {
		t.Errorf("sessions: %s", got)
	}
}

// TestDroppedLogin tries again where the server hung up on too many at once.
func TestDroppedLogin(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(h *host) {
		h.verdict = func(call) *answer {
			if len(h.calls) > 1 {
				return nil
			}
			return &answer{Err: "kex_exchange_identification: Connection closed by remote host\r\n", Status: 255}
		}
	})
	if _, err := hold(t, newDialer(t, h, "")); err != nil {
		t.Errorf("dial: %v", err)
	}
	if got := h.roles(); got != "makes makes" {
		t.Errorf("sessions: %s", got)
	}
}

// TestUnusedConnection costs no ssh.
func TestUnusedConnection(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	d := newDialer(t, h, "")
	c, err := d.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	if got := h.roles(); got != "" {
		t.Errorf("sessions: %s", got)
	}
}

// TestHalfClose tells the engine that nothing more comes, and still reads its answer.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	c, err := hold(t, newDialer(t, h, ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Errorf("close write: %v", err)
	}
	if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
		t.Errorf("read the rest: %q, %v", rest, err)
	}
	if c.LocalAddr().String() != "ssh" || c.RemoteAddr().Network() != "ssh" {
		t.Errorf("addresses: %v, %v", c.LocalAddr(), c.RemoteAddr())
	}
}

// TestCancel ends an ssh that hangs.
func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := newHost(t, func(h *host) { h.verdict = func(call) *answer { cancel(); return nil } })
	h.engine.Inject(dockertest.Fault{On: dockertest.On("HEAD /_ping"), Then: dockertest.Hang})
	if _, err := docker.Dial(ctx, docker.Options{Env: h.env}); !errors.Is(err, context.Canceled) {
		t.Errorf("dial: %v, want the cancellation", err)
	}
	checkNoProcess(t, h)
}

// TestNoSSH says so.
func TestNoSSH(t *testing.T) {
	t.Parallel()
	_, err := docker.Dial(t.Context(), docker.Options{Env: func(name string) string {
		return map[string]string{"PATH": "/nowhere", "HOME": "/nowhere", "DOCKER_HOST": "ssh://far.example"}[name]
	}})
	checkWords(t, err, "no engine answers at ssh://far.example (from DOCKER_HOST): there is no ssh on the PATH", "install an OpenSSH client")
}

// checkWords compares an error, and what it says to try, with what is wanted.
func checkWords(t *testing.T, err error, words, hint string) {
	t.Helper()
	if err == nil || err.Error() != words {
		t.Errorf("error\n got %v\nwant %s", err, words)
	}
	var hinted interface{ Hint() string }
	if got := ""; errors.As(err, &hinted) {
		if got = hinted.Hint(); got != hint {
			t.Errorf("hint\n got %s\nwant %s", got, hint)
		}
	} else if hint != "" {
		t.Errorf("no hint, want %s", hint)
	}
}

// TestWords are what users read when ssh fails: what it said, and what to try.
func TestWords(t *testing.T) {
	t.Parallel()
	const byHand = "`ssh -p 2222 me@far.example true`"
	for _, test := range []struct {
		name        string
		said        answer
		words, hint string
	}{
		{
			"key",
			answer{Err: "Welcome to far!\r\nAsk before you enter.\r\nme@far.example: Permission denied (publickey,password).\r\n", Status: 255},
			"me@far.example: Permission denied (publickey,password)",
			"make " + byHand + " work without a question: load the key into the agent (ssh-add), or name it in ~/.ssh/config",
		},
		{
			"unknown host key",
			answer{Err: "No ED25519 host key is known for far.example and you have requested strict checking.\r\nHost key verification failed.\r\n", Status: 255},
			"Host key verification failed",
			"run " + byHand + " by hand once, to see what it says of the host's key",
		},
		{
			"other host key",
			answer{Err: "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key verification failed.\r\n", Status: 255},
			"Host key verification failed",
			"make sure that it is still the host you mean, then forget its old key: run " + byHand + " by hand to see which one",
		},
		{
			"host",
			answer{Err: "ssh: Could not resolve hostname far.example: Name or service not known\r\n", Status: 255},
			"ssh: Could not resolve hostname far.example: Name or service not known",
			"check the host's name in the address, or give it an entry in ~/.ssh/config",
		},
		{
			"port",
			answer{Err: "ssh: connect to host far.example port 2222: Connection refused\r\n", Status: 255},
			"ssh: connect to host far.example port 2222: Connection refused",
			"check the port in the address, and that an ssh server listens there",
		},
		{
			"something else",
			answer{Err: "ssh: connect to host far.example port 2222: No route to host\r\n", Status: 255},
			"ssh: connect to host far.example port 2222: No route to host", "check that " + byHand + " works",
		},
		{
			"no docker",
			answer{Err: "Warning: Permanently added 'far' (ED25519).\r\nbash: line 1: docker: command not found\n", Status: 127},
			"bash: line 1: docker: command not found",
			"install the docker CLI on that host, where commands that come by ssh find it: check `ssh -p 2222 me@far.example command -v docker`",
		},
		{ // words that the client library would drop
			"no engine",
			answer{Err: "failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: connection refused\n", Status: 1},
			"failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: connection refused",
			"check that `ssh -p 2222 me@far.example docker version` works",
		},
		{
			"nothing said", answer{Status: 3}, "ssh ended: exit status 3", "check that `ssh -p 2222 me@far.example docker version` works",
		},
		{
			"greeting",
			answer{Out: "welcome\n"},
			`what comes back through ssh is no engine's answer: malformed HTTP response "welcome"`,
			"check that `ssh -p 2222 me@far.example docker version` works, and that the shell there prints nothing by itself",
		},
		{
			"silence",
			answer{},
			"what comes back through ssh is no engine's answer: unexpected EOF",
			"check that `ssh -p 2222 me@far.example docker version` works, and that the shell there prints nothing by itself",
		},
		{
			"chatter",
			answer{Err: strings.Repeat("blah\n", math.MaxInt16) + "1\n2\n\n3\n4\n", Status: 1},
			"1\n2\n3\n4", "check that `ssh -p 2222 me@far.example docker version` works",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, func(h *host) { h.verdict = func(call) *answer { return &test.said } })
			_, err := docker.Dial(t.Context(), docker.Options{Env: h.env})
			checkWords(t, err, "no engine answers at ssh://me@far.example:2222 (from DOCKER_HOST): "+test.words, test.hint)
			if !errors.Is(err, engine.ErrUnavailable) {
				t.Errorf("error %v does not match ErrUnavailable", err)
			}
			if got := h.roles(); got != "makes" {
				t.Errorf("sessions: %s, want one try", got)
			}
			checkNoProcess(t, h)
		})
	}
}

// TestAddresses that are none.
func TestAddresses(t *testing.T) {
	t.Parallel()
	const hint = "addresses are unix:///path/to.sock, tcp://host:port and ssh://user@host"
	for address, words := range map[string]string{
		"ssh://me:secret@far": `read address "ssh://me:xxxxx@far" (from --host): invalid SSH URL: plain-text password is not supported`,
		"ssh://":              `read address "ssh://" (from --host): invalid SSH URL: hostname is empty`,
		"ssh://far?a=b":       `read address "ssh://far?a=b" (from --host): invalid SSH URL: query parameters are not allowed: "a=b"`,
	} {
		_, err := docker.Dial(t.Context(), docker.Options{Host: address, Env: func(string) string { return "" }})
		checkWords(t, err, words, hint)
	}
}

// TestEndInTheMiddle says of a call what ended it.
func TestEndInTheMiddle(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	client, err := docker.Dial(t.Context(), docker.Options{Env: h.env})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer client.Close()
	err = client.Events(t.Context(), engine.EventFilter{}, func() {
		h.do(func() {
			for _, pid := range slices.Backward(h.pids) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		})
	}, func(engine.Event) error { return nil })
	if !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(err.Error(), "ssh ended: signal: killed") {
		t.Errorf("error: %v", err)
	}
}
