package dockertest_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
	"github.com/muster-dev/muster/project"
)

type (
	conn     = net.Conn
	dialFunc = func(ctx context.Context, network, address string) (conn, error)
)

// raw is the client library itself, for what the adapter does not use.
func raw(t *testing.T, e *dockertest.Engine) *client.Client {
	t.Helper()
	api, err := client.NewClientWithOpts(client.WithHost("http://engine.invalid"), client.WithDialContext(dialer(e)), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	return api
}

// TestShell runs the commands that tests write without an image that has them.
func TestShell(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"true":                              "exited(0)",
		"false":                             "exited(1)",
		"sleep 5":                           "exited(0)",
		"sleep infinity":                    "running",
		"nginx -g daemon_off":               "running",
		`sh -c "echo one; exit 4"`:          "exited(4) one",
		`sh -c "echo one && false && echo"`: "exited(1) one",
		`sh -c "false; echo two"`:           "exited(0) two",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := start(t, dockertest.Options{})
				e.AddImage(dockertest.Image{Ref: "web"})
				words := strings.Fields(command)
				if before, script, ok := strings.Cut(command, ` -c "`); ok {
					words = []string{before, "-c", strings.TrimSuffix(script, `"`)}
				}
				run(t, e.Client(t), request("web", "web", words...))
				time.Sleep(time.Minute)
				c, _ := e.Snapshot().Container("web")
				got := strings.Fields(e.Snapshot().String())[3]
				if got = strings.TrimSpace(got + " " + strings.TrimSpace(c.Log)); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

// TestProgram runs a program of the test's own, as process and as health check.
func TestProgram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dockertest.Options{})
		e.AddImage(dockertest.Image{
			Ref: "own", Cmd: []string{"serve"}, HealthCheck: &apicontainer.HealthConfig{Test: []string{"CMD-SHELL", "check"}},
			Program: func(world testbox.World) int {
				if world.Args[0] == "/bin/sh" {
					return 1
				}
				<-world.Signals
				return 9
			},
		})
		adapter := e.Client(t)
		id := run(t, adapter, request("own", "own"))
		time.Sleep(2 * time.Minute)
		if details, err := adapter.InspectContainer(t.Context(), id); err != nil || details.Health != engine.HealthUnhealthy {
			t.Errorf("health: %s, %v", details.Health, err)
		}
		if err := adapter.StopContainer(t.Context(), id, nil); err != nil {
			t.Errorf("stop: %v", err)
		}
		if c, _ := e.Snapshot().Container("own"); c.ExitCode != 9 {
			t.Errorf("exit code: %d", c.ExitCode)
		}
	})
}

// TestPorts reaches a published port from outside, and finds one that a process of the host has.
func TestPorts(t *testing.T) {
	t.Parallel()
	e := start(t, dockertest.Options{})
	adapter := e.Client(t)
	if _, err := adapter.CreateNetwork(t.Context(), engine.CreateNetwork{Name: "net"}); err != nil {
		t.Fatal(err)
	}
	release := e.TakePort(8080)
	web := request("web", box, "-serve", ":80")
	web.NetworkMode, web.Networks = "", []engine.Endpoint{{Network: "net"}}
	web.Service.Ports = []project.Port{{Target: 80, Published: "8080"}}
	web.Service.Environment = map[string]*string{"APP_MESSAGE": new("hello")}
	id := create(t, adapter, web)
	if err := adapter.StartContainer(t.Context(), id); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("start: %v, want the address in use", err)
	}
	release()
	mustStart(t, adapter, id)
	body, err := e.Fetch("http://localhost:8080/")
	for err != nil && t.Context().Err() == nil { // until the process serves
		body, err = e.Fetch("http://localhost:8080/")
	}
	if body != "hello\n" {
		t.Errorf("body: %q", body)
	}
	if _, err := e.Fetch("http://localhost:9999/"); err == nil {
		t.Error("fetch from a port that nobody publishes: no error")
	}
}

func mustStart(t *testing.T, adapter engine.Engine, id string) {
	t.Helper()
	if err := adapter.StartContainer(t.Context(), id); err != nil {
		t.Fatalf("start: %v", err)
	}
}

// TestRawCalls goes through what the adapter does not use yet.
func TestRawCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dockertest.Options{})
		api, ctx := raw(t, e), t.Context()
		created, err := api.ContainerCreate(ctx, &apicontainer.Config{Image: box, Cmd: []string{"-sleep", "1s", "-exit", "3"}},
			&apicontainer.HostConfig{AutoRemove: true}, nil, nil, "job")
		if err != nil {
			t.Fatal(err)
		}
		ends, failures := api.ContainerWait(ctx, created.ID, apicontainer.WaitConditionRemoved)
		steps := []func() error{
			func() error { return api.ContainerStart(ctx, created.ID, apicontainer.StartOptions{}) },
			func() error { return api.ContainerPause(ctx, created.ID) },
			func() error { return api.ContainerUnpause(ctx, created.ID) },
			func() error { _, err := api.Info(ctx); return err },
		}
		for i, step := range steps {
			if err := step(); err != nil {
				t.Errorf("step %d: %v", i, err)
			}
		}
		select {
		case end := <-ends:
			if end.StatusCode != 3 {
				t.Errorf("exit code: %d", end.StatusCode)
			}
		case err := <-failures:
			t.Errorf("wait: %v", err)
		}
		if len(e.Snapshot().Containers) > 0 {
			t.Error("the container is left")
		}
		if unknown := e.Unknown(); len(unknown) > 0 {
			t.Errorf("unknown calls: %v", unknown)
		}
	})
}

// TestOutOfMemory kills a container over its limit, and always tells why.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dockertest.Options{})
		adapter := e.Client(t)
		hungry := request("hungry", box, "-grow", "10", "-grow", "100", "-stay")
		hungry.Service.MemLimit = 20 << 20
		id := run(t, adapter, hungry)
		synctest.Wait()
		if details, err := adapter.InspectContainer(t.Context(), id); err != nil || !details.OOMKilled || details.ExitCode != 137 {
			t.Errorf("container: %+v, %v", details, err)
		}
	})
}

// TestRestartCall stops, starts, and tells of it.
func TestRestartCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dockertest.Options{})
		id := run(t, e.Client(t), request("web", box, "-out", "up", "-stay"))
		synctest.Wait()
		if err := raw(t, e).ContainerRestart(t.Context(), id, apicontainer.StopOptions{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if c, _ := e.Snapshot().Container("web"); c.State != "running" || c.Log != "up\nup\n" {
			t.Errorf("container: %s %q", c.State, c.Log)
		}
	})
}

// TestArchive puts files into a container that was never started, and takes them out again.
func TestArchive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dockertest.Options{})
		api, adapter := raw(t, e), e.Client(t)
		id := create(t, adapter, request("web", box, "-cat", "/run/secrets/key"))
		if err := api.CopyToContainer(t.Context(), id, "/run", tarOf(t, "secrets/key", "s3cret"), apicontainer.CopyToContainerOptions{}); err != nil {
			t.Fatal(err)
		}
		content, stat, err := api.CopyFromContainer(t.Context(), id, "/run/secrets/key")
		if err != nil || stat.Size != 6 {
			t.Fatalf("copy from container: %+v, %v", stat, err)
		}
		_ = content.Close()
		if err := adapter.StartContainer(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if c, _ := e.Snapshot().Container("web"); c.Log != "s3cret" {
			t.Errorf("log: %q", c.Log)
		}
	})
}
