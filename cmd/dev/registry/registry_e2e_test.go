//go:build e2e

package registry

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/dev/fetched"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// on is a registry, and the engine that DOCKER_HOST names, which knows the password.
type on struct {
	*testing.T
	*Registry
	client *docker.Client
}

// start starts a registry for the engine; what was pulled from it goes with the test.
func start(t *testing.T, options Options) on {
	t.Helper()
	r := Start(t, options)
	client := dial(t, "DOCKER_AUTH_CONFIG="+r.AuthConfig())
	t.Cleanup(func() {
		if err := r.RemovePulled(context.WithoutCancel(t.Context()), client); err != nil {
			t.Error(err)
		}
	})
	return on{t, r, client}
}

// dial connects to the engine with something more in the environment.
func dial(t *testing.T, more string) *docker.Client {
	t.Helper()
	name, value, _ := strings.Cut(more, "=")
	client, err := docker.Dial(t.Context(), docker.Options{Env: func(asked string) string {
		if asked == name {
			return value
		}
		return os.Getenv(asked)
	}})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// push pushes an image of one layer of a size that nobody else has.
func (o on) push(name string, size int) (digest string) {
	o.Helper()
	content := make([]byte, size)
	_, _ = rand.Read(content) // never fails
	digest, err := o.Push(o.Context(), name, Image{Layers: [][]byte{Layer(map[string][]byte{"/content": content})}, Cmd: []string{"/content"}})
	if err != nil {
		o.Fatal(err)
	}
	return digest
}

func (o on) pull(ctx context.Context, name string) error {
	return o.client.PullImage(ctx, engine.PullImage{Ref: o.Ref(name)}, func(engine.PullProgress) {})
}

func TestPullWithPassword(t *testing.T) {
	o := start(t, Options{User: "ann", Password: "pa:ss word"})
	digest := o.push("shop/web:1", 1000)
	if remote, err := o.client.RemoteDigest(t.Context(), o.Ref("shop/web:1")); err != nil || remote != digest {
		t.Errorf("the registry has %s, %v; pushed was %s", remote, err, digest)
	}
	if err := o.pull(t.Context(), "shop/web:1"); err != nil {
		t.Errorf("pull: %v", err)
	}
	stranger := on{t, o.Registry, dial(t, "DOCKER_AUTH_CONFIG={}")}
	if err := stranger.pull(t.Context(), "shop/web:1"); err == nil || !strings.Contains(err.Error(), "no basic auth credentials") {
		t.Errorf("pull without a password: %v", err)
	}
	if err := o.pull(t.Context(), "shop/web:2"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("pull what there is not: %v", err)
	}
}

func TestPullFromRegistryWithFaults(t *testing.T) {
	const size = 100_000
	o := start(t, Options{})
	o.push("shop/held:1", size)
	o.SetFaults(Faults{HoldAfter: size / 2})
	limited, giveUp := context.WithCancel(t.Context())
	pulling, failed := errgroup.WithContext(t.Context())
	pulling.Go(func() error { return o.pull(limited, "shop/held:1") })
	_, heldErr := o.AwaitHeld(failed)
	giveUp()
	if err := pulling.Wait(); heldErr != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("a pull that was given up: %v", err)
	}
	o.SetFaults(Faults{Status: http.StatusForbidden})
	if err := o.pull(t.Context(), "shop/held:1"); err == nil {
		t.Error("a pull that is refused")
	}
	if err := o.Down(); err != nil {
		t.Fatal(err)
	}
	if err := o.pull(t.Context(), "shop/held:1"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a pull while the registry is down: %v", err)
	}
	if err := o.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.SetFaults(Faults{BytesPerSecond: 10 * size})
	if err := o.pull(t.Context(), "shop/held:1"); err != nil {
		t.Errorf("a slow pull: %v", err)
	}
}

// An engine goes on with a layer that broke off, some seconds later.
func TestPullThatBreaksOff(t *testing.T) {
	const size = 100_000
	o := start(t, Options{})
	o.push("shop/broken:1", size)
	o.SetFaults(Faults{BreakAfter: size / 2, Breaks: 1})
	if err := o.pull(t.Context(), "shop/broken:1"); err != nil {
		t.Errorf("pull: %v", err)
	}
	blobs := slices.DeleteFunc(o.Requests(), func(request string) bool { return !strings.HasPrefix(request, "GET /v2/shop/broken/blobs/") })
	if len(blobs) != 3 {
		t.Errorf("requests for a configuration, and twice for a layer: %q", blobs)
	}
}

func TestPushFromEngine(t *testing.T) {
	o := start(t, Options{User: "ann", Password: "secret"})
	const image = "muster-test/pushed:1"
	_, err := o.client.ImportImage(t.Context(), docker.ScratchImage{
		Ref: image, Files: map[string]docker.ScratchFile{"/content": {Content: bytes.Repeat([]byte("x"), 1000)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.client.RemoveImage(context.WithoutCancel(t.Context()), image) })
	if err := o.PushFrom(t.Context(), o.client.Endpoint().Host, image, "shop/pushed:1"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.client.InspectImage(t.Context(), o.Ref("shop/pushed:1")); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the engine has kept the tag: %v", err)
	}
	if err := o.pull(t.Context(), "shop/pushed:1"); err != nil {
		t.Error(err)
	}
	if err := o.PushFrom(t.Context(), o.client.Endpoint().Host, "muster-test/none:1", "shop/none:1"); err == nil {
		t.Error("a push of no image")
	}
}

func TestRegistryEnds(t *testing.T) {
	program, err := fetched.Registry(t.Context(), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(t.Context(), Options{Program: program})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(r.PID(), 0); err != nil {
		t.Error(err)
	}
	folder := r.folder
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(r.PID(), 0); err == nil {
		t.Errorf("process %d still runs", r.PID())
	}
	if _, err := os.Stat(folder); err == nil {
		t.Errorf("%s is left", folder)
	}
}
