package dockertest_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/project"
)

// request is for a container of an image that runs its command.
func request(name, image string, command ...string) engine.CreateContainer {
	service := project.Service{Name: name}
	service.Command = command
	return engine.CreateContainer{Name: name, Image: image, Service: service, NetworkMode: "none"}
}

func create(t *testing.T, client engine.Engine, wanted engine.CreateContainer) string {
	t.Helper()
	created, err := client.CreateContainer(t.Context(), wanted)
	if err != nil {
		t.Fatalf("create container: %v", err)
	}
	return created.ID
}

func run(t *testing.T, client engine.Engine, wanted engine.CreateContainer) string {
	t.Helper()
	id := create(t, client, wanted)
	if err := client.StartContainer(t.Context(), id); err != nil {
		t.Fatalf("start container: %v", err)
	}
	return id
}

// TestIDs depend on the seed and on names, not on the order of calls.
func TestIDs(t *testing.T) {
	t.Parallel()
	ids := func(seed string, names ...string) map[string]string {
		e := start(t, dockertest.Options{Seed: seed})
		client := e.Client(t)
		found := map[string]string{}
		for _, name := range names {
			found[name] = create(t, client, request(name, box))
		}
		return found
	}
	first, second, other := ids("", "a1", "b1"), ids("", "b1", "a1"), ids("x", "a1", "b1")
	if first["a1"] != second["a1"] || first["b1"] != second["b1"] {
		t.Errorf("IDs: %v, then %v in another order", first, second)
	}
	if first["a1"] == other["a1"] || first["a1"] == first["b1"] {
		t.Errorf("IDs: %v, and %v with another seed", first, other)
	}
}

func TestUnknownRoute(t *testing.T) {
	t.Parallel()
	e := dockertest.Start(t, dockertest.Options{})
	client := http.Client{Transport: &http.Transport{DialContext: dialer(e), DisableKeepAlives: true}}
	answer, err := client.Post("http://engine.invalid/v1.51/plugins/pull", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusNotImplemented || !strings.Contains(string(text), "POST /v1.51/plugins/pull") {
		t.Errorf("answer: %s %s", answer.Status, text)
	}
	if unknown := e.Unknown(); !slices.Equal(unknown, []string{"POST /plugins/pull"}) {
		t.Errorf("unknown calls: %v", unknown)
	}
}

func dialer(e *dockertest.Engine) dialFunc {
	return func(ctx context.Context, _, _ string) (conn, error) { return e.Dial(ctx) }
}

func TestCalls(t *testing.T) {
	t.Parallel()
	e := start(t, dockertest.Options{})
	client := e.Client(t)
	e.ResetCalls()
	run(t, client, request("web", box))
	want := []string{"POST /containers/create", "POST /containers/{id}/start"}
	var routes []string
	for _, call := range e.Calls() {
		routes = append(routes, call.Route)
	}
	if !slices.Equal(routes, want) || e.Counts()["POST /containers/create"] != 1 {
		t.Errorf("calls: %v, want %v", routes, want)
	}
	if call := e.Calls()[0]; call.Query.Get("name") != "web" || !strings.Contains(call.Body, `"Image":"muster-test/box:latest"`) {
		t.Errorf("call: %+v", call)
	}
}

// TestVersion negotiates down to an old engine.
func TestVersion(t *testing.T) {
	t.Parallel()
	client := start(t, dockertest.Options{APIVersion: "1.41", EngineVersion: "20.10.24"}).Client(t)
	version, err := client.Version(t.Context())
	if err != nil || version.API != "1.41" || version.Engine != "20.10.24" {
		t.Errorf("version: %+v, %v", version, err)
	}
}

// TestSocket serves on a socket, by itself and as a program.
func TestSocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "engine.sock")
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	var group errgroup.Group
	group.Go(func() error {
		defer writer.Close()
		arguments := []string{"-socket", socket, "-box", box, "-image", "web:1", "-remote", "web:2"}
		if code := dockertest.Main(ctx, arguments, writer, writer); code != 0 {
			t.Errorf("exit code: %d", code)
		}
		return nil
	})
	told := make([]byte, len("listening"))
	if _, err := io.ReadFull(reader, told); err != nil || string(told) != "listening" {
		t.Fatalf("output: %q, %v", told, err)
	}
	group.Go(func() error { _, err := io.Copy(io.Discard, reader); return err })
	environment := map[string]string{"DOCKER_HOST": "unix://" + socket, "DOCKER_CONFIG": t.TempDir()}
	client, err := docker.Dial(ctx, docker.Options{Env: func(name string) string { return environment[name] }})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	run(t, client, request("web", "web:1"))
	images, err := client.ListImages(ctx)
	if err != nil || len(images) != 2 {
		t.Errorf("images: %v, %v", images, err)
	}
	if err := client.PullImage(ctx, engine.PullImage{Ref: "web:2"}, func(engine.PullProgress) {}); err != nil {
		t.Errorf("pull: %v", err)
	}
	_ = client.Close()
	cancel()
	_ = group.Wait()
	if code := dockertest.Main(t.Context(), nil, io.Discard, io.Discard); code != 2 {
		t.Errorf("exit code without a socket: %d", code)
	}
}

// TestCloseEndsAll closes an engine with everything under way; the test's end finds what is left.
func TestCloseEndsAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dockertest.Options{})
		client := e.Client(t)
		ticking := request("ticking", box, "-every", "1s", "-lines", "-1")
		ticking.Service.Restart = "always"
		interval := project.Duration(time.Second)
		ticking.Service.HealthCheck = &project.HealthCheck{Test: []string{"CMD", "/testbox", "probe", "-sleep", "1m"}, Interval: &interval}
		id := run(t, client, ticking)
		crashing := request("crashing", box, "-exit", "1")
		crashing.Service.Restart = "always"
		run(t, client, crashing)
		stubborn := run(t, client, request("stubborn", box, "-ignore-term", "-stay"))
		var group errgroup.Group
		group.Go(func() error {
			return client.Events(t.Context(), engine.EventFilter{}, nil, func(engine.Event) error { return nil })
		})
		group.Go(func() error {
			return client.Logs(t.Context(), id, engine.LogOptions{Follow: true, Tail: -1}, func(engine.Frame) error { return nil })
		})
		group.Go(func() error { return client.StopContainer(t.Context(), stubborn, nil) })
		time.Sleep(5 * time.Second)
		e.Close()
		_ = group.Wait()
		e.Close() // once more does nothing
	})
}
