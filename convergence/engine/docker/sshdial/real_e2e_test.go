//go:build e2e && unix

package sshdial_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/sshdial"
)

// realServer is OpenSSH's server and client, with keys of the test's own. The docker on the other side is the docker CLI, and
// it speaks to the engine that DOCKER_HOST names.
type realServer struct {
	folder      string
	address     string
	connections atomic.Int32
	hangUp      func() // ends all connections, from the server's side
}

// findPrograms skips the test where OpenSSH or the docker CLI is missing: no engine needs them.
func findPrograms(t *testing.T) (ssh, sshd, dockerCLI string) {
	t.Helper()
	if os.Getenv("DOCKER_HOST") == "" {
		t.Fatal("DOCKER_HOST does not name an engine")
	}
	path := os.Getenv("PATH") + ":/usr/sbin:/usr/local/sbin"
	find := func(name string) string {
		for _, folder := range filepath.SplitList(path) {
			if found, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
				return found
			}
		}
		t.Skipf("there is no %s: apt-get install openssh-server openssh-client docker-cli", name)
		return ""
	}
	return find("ssh"), find("sshd"), find("docker")
}

// startServer starts a server with more of a configuration. The test ends it.
func startServer(t *testing.T, more string) *realServer {
	t.Helper()
	ssh, sshd, dockerCLI := findPrograms(t)
	folder, err := os.MkdirTemp("", "sshd") //nolint:usetesting // the test's own folder can be too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	s := &realServer{folder: folder, address: fmt.Sprintf("ssh://%s@127.0.0.1:%s", me.Username, port)}
	for _, key := range []string{"host", "mine", "other"} {
		out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.path(key)).CombinedOutput()
		if err != nil {
			t.Fatalf("make key: %v\n%s", err, out)
		}
	}
	s.write(t, "known", "[127.0.0.1]:"+port+" "+s.read(t, "host.pub"), 0o600)
	s.write(t, "authorized", s.read(t, "mine.pub"), 0o600)
	s.write(t, "sshd_config", fmt.Sprintf("HostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"+
		"KbdInteractiveAuthentication no\nSetEnv PATH=%s DOCKER_HOST=%s\n%s\n",
		s.path("host"), s.path("authorized"), s.path("far"), os.Getenv("DOCKER_HOST"), more), 0o600)
	s.useKey(t, "mine")
	s.write(t, "ssh", fmt.Sprintf("#!/bin/sh\nexec %s -F %s \"$@\"\n", ssh, s.path("config")), 0o700)
	s.link(t, "docker", dockerCLI)
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // without which sshd does not start as root
			t.Fatal(err)
		}
	}
	s.serve(t, listener, sshd)
	return s
}

// serve starts an sshd for each connection, as inetd does.
func (s *realServer) serve(t *testing.T, listener *net.TCPListener, sshd string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var group errgroup.Group
	connections := make(chan context.CancelFunc, 1000)
	group.Go(func() error {
		for {
			c, err := listener.AcceptTCP()
			if err != nil {
				return nil //nolint:nilerr // the listener is closed
			}
			s.connections.Add(1)
			socket, err := c.File()
			if err != nil {
				return err
			}
			one, end := context.WithCancel(ctx)
			connections <- end
			process := exec.CommandContext(one, sshd, "-i", "-e", "-f", s.path("sshd_config"))
			process.Stdin, process.Stdout = socket, socket
			group.Go(func() error {
				_ = process.Run()
				return errors.Join(socket.Close(), c.Close())
			})
		}
	})
	s.hangUp = func() {
		for len(connections) > 0 {
			(<-connections)()
		}
	}
	t.Cleanup(func() {
		_ = listener.Close()
		cancel()
		if err := group.Wait(); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

func (s *realServer) path(name string) string { return filepath.Join(s.folder, name) }

func (s *realServer) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(s.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (s *realServer) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// link puts a program on the other side's PATH, and ends that it is the only one there.
func (s *realServer) link(t *testing.T, name, program string) {
	t.Helper()
	if err := os.MkdirAll(s.path("far"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(s.path("far"), name)); err != nil {
		t.Fatal(err)
	}
}

// useKey writes the client's configuration.
func (s *realServer) useKey(t *testing.T, name string) {
	t.Helper()
	s.write(t, "config", fmt.Sprintf("IdentityFile %s\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile %s\nStrictHostKeyChecking yes\n",
		s.path(name), s.path("known")), 0o600)
}

func (s *realServer) env(name string) string {
	return map[string]string{"PATH": s.folder, "HOME": s.folder, "XDG_RUNTIME_DIR": s.folder, "DOCKER_HOST": s.address}[name]
}

func (s *realServer) dialer(t *testing.T) *sshdial.Dialer {
	t.Helper()
	d, err := sshdial.New(t.Context(), sshdial.Options{
		Address: s.address, Env: s.env, LookPath: func(name string) (string, error) { return s.path(name), nil },
	})
	if err != nil {
		t.Fatalf("new dialer: %v", err)
	}
	t.Cleanup(d.Close)
	return d
}

func (s *realServer) checkConnections(t *testing.T, want int32, why string) {
	t.Helper()
	if got := s.connections.Load(); got != want {
		t.Errorf("%d connections, want %d: %s", got, want, why)
	}
}

// TestRealCalls make one connection, which the next command takes too; when it is lost, another one.
func TestRealCalls(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	for range 2 {
		client, err := docker.Dial(t.Context(), docker.Options{Env: s.env})
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		limit, withStops := client.CallLimit()
		limited := engine.Limit(client, limit, withStops)
		var group errgroup.Group
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
	}
	s.checkConnections(t, 1, "100 calls of two commands share one")
	d := s.dialer(t)
	if _, err := hold(t, d); err != nil {
		t.Fatalf("dial: %v", err)
	}
	s.hangUp()
	if _, err := hold(t, d); err != nil {
		t.Fatalf("dial after the connection was lost: %v", err)
	}
	s.checkConnections(t, 2, "the first one is lost")
}

// TestRealSessions holds more than a connection of this server takes, and fewer than are tried.
func TestRealSessions(t *testing.T) {
	t.Parallel()
	s := startServer(t, "MaxSessions 3")
	d := s.dialer(t)
	holdAll(t, d, 7)
	s.checkConnections(t, 3, "7 sessions of 3 a connection")
}

// TestRealWords are OpenSSH's own, with what to try.
func TestRealWords(t *testing.T) {
	t.Parallel()
	s := startServer(t, "Banner none")
	where := "no engine answers at " + s.address + " (from DOCKER_HOST): "
	who, port, _ := strings.Cut(strings.TrimPrefix(s.address, "ssh://"), ":")
	byHand := "`ssh -p " + port + " " + who
	dial := func() error {
		client, err := docker.Dial(t.Context(), docker.Options{Env: s.env})
		if err == nil {
			_ = client.Close()
		}
		return err
	}
	s.useKey(t, "other")
	checkWords(t, dial(), where+who+": Permission denied (publickey)",
		"make "+byHand+" true` work without a question: load the key into the agent (ssh-add), or name it in ~/.ssh/config")
	s.useKey(t, "mine")
	known := s.read(t, "known")
	s.write(t, "known", "", 0o600)
	checkWords(t, dial(), where+"Host key verification failed", "run "+byHand+" true` by hand once, to see what it says of the host's key")
	s.write(t, "known", "[127.0.0.1]:"+port+" "+s.read(t, "other.pub"), 0o600)
	checkWords(t, dial(), where+"Host key verification failed",
		"make sure that it is still the host you mean, then forget its old key: run "+byHand+" true` by hand to see which one")
	s.write(t, "known", known, 0o600)
	if err := dial(); err != nil {
		t.Errorf("dial: %v", err)
	}
	if err := os.Remove(filepath.Join(s.path("far"), "docker")); err != nil {
		t.Fatal(err)
	}
	err := dial()
	var hinted interface{ Hint() string }
	if err == nil || !strings.Contains(err.Error(), "docker") || !strings.Contains(err.Error(), "not found") || !errors.As(err, &hinted) ||
		!strings.HasPrefix(hinted.Hint(), "install the docker CLI on that host") {
		t.Errorf("error without docker there: %v", err)
	}
}
