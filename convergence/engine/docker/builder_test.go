package docker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/buildx"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

const (
	own     = "registry.example/own:1"
	kitName = "moby/buildkit:buildx-stable-1"
)

// workshop is an engine with a registry, and the configuration of a docker buildx.
type workshop struct {
	t      *testing.T
	engine *dockertest.Engine
	remote *dockertest.Registry
	env    map[string]string
	folder string // of buildx's configuration
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	remote := dockertest.NewRegistry()
	remote.Push(dockertest.Box("registry.example/box:1"))
	folder := t.TempDir()
	w := &workshop{
		t: t, remote: remote, engine: dockertest.Start(t, dockertest.Options{Remote: remote}), folder: folder,
		env: map[string]string{"DOCKER_CONFIG": t.TempDir(), "BUILDX_CONFIG": folder},
	}
	return w
}

// knows puts a builder into the configuration of buildx.
func (w *workshop) knows(name, driver string, nodes ...buildx.Node) {
	w.t.Helper()
	content, err := json.Marshal(buildx.Builder{Name: name, Driver: driver, Nodes: nodes})
	if err == nil {
		err = os.MkdirAll(filepath.Join(w.folder, "instances"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(w.folder, "instances", name), content, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// newSocket is where nothing answers yet: a test's own folder has too long a name for that.
func (w *workshop) newSocket() string {
	w.t.Helper()
	folder, err := os.MkdirTemp("", "kit")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return filepath.Join(folder, "s")
}

// kit is a BuildKit that answers at a socket.
func (w *workshop) kit(architecture string) (socket string) {
	w.t.Helper()
	socket = w.newSocket()
	listener, err := net.Listen("unix", socket)
	if err != nil {
		w.t.Fatal(err)
	}
	builder := dockertest.NewBuilder(w.remote, architecture)
	w.t.Cleanup(builder.Close)
	builder.Serve(listener)
	return socket
}

func (w *workshop) client(builder string) *docker.Client {
	w.t.Helper()
	options := docker.Options{Builder: builder, Env: func(name string) string { return w.env[name] }}
	client, err := docker.DialFunc(w.t.Context(), options, w.engine.Dial)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = client.Close() })
	return client
}

// request builds on an image that only the registry has, so that no engine's own BuildKit takes it from itself.
func (w *workshop) request() engine.BuildImage {
	w.t.Helper()
	folder := w.t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "text"), []byte("from the context"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return engine.BuildImage{
		Service: "web", Context: folder, Tags: []string{own},
		DockerfileInline: "FROM registry.example/box:1\nCOPY text /text\nRUN [\"/testbox\", \"-out\", \"ran\"]\n",
	}
}

// built builds, and returns the steps that were told of.
func (w *workshop) built(client *docker.Client, request engine.BuildImage) (told []string, err error) {
	w.t.Helper()
	made, err := client.BuildImage(w.t.Context(), request, func(progress engine.BuildProgress) {
		if progress.Kind == engine.BuildStepDone || progress.Kind == engine.BuildLog || progress.Kind == engine.BuildWarning {
			told = append(told, progress.Name+progress.Text)
		}
	})
	if err != nil || request.Push {
		return told, err
	}
	found, err := client.InspectImage(w.t.Context(), own)
	if err != nil || found.ID != made.ID {
		w.t.Errorf("the engine has %v, %v, not %v", found, err, made)
	}
	return told, nil
}

func contains(told []string, wanted string) bool {
	return strings.Contains(strings.Join(told, "\n")+"\n", wanted+"\n")
}

// TestRemoteBuilder builds with a BuildKit that is in no engine, which the engine is brought the image of.
func TestRemoteBuilder(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.knows("far", "remote", buildx.Node{Name: "far0", Endpoint: "unix://" + w.kit("amd64")})
	for name, choose := range map[string]func(){
		"by its name":   func() {},
		"by a variable": func() { w.env["BUILDX_BUILDER"] = "far" },
		"by buildx's use": func() {
			delete(w.env, "BUILDX_BUILDER")
			chosen := []byte(`{"Key":"unix:///var/run/docker.sock","Name":"far","Global":true}`)
			if err := os.WriteFile(filepath.Join(w.folder, "current"), chosen, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		choose()
		builder := ""
		if name == "by its name" {
			builder = "far"
		}
		told, err := w.built(w.client(builder), w.request())
		if err != nil || !contains(told, "exporting to docker image format") {
			t.Errorf("%s: got %v and %q", name, err, told)
		}
		if err := w.client("").RemoveImage(t.Context(), own); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		delete(w.env, "BUILDX_BUILDER")
		_ = os.Remove(filepath.Join(w.folder, "current"))
	}
}

// TestBuilderOverTLS reaches a BuildKit that only speaks to whom it knows, and says what is wrong where the files do not fit.
func TestBuilderOverTLS(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	address := w.kitOverTLS(ours)
	folder := t.TempDir()
	writeFiles(t, folder, map[string][]byte{"ca": ours.pem, "other": theirs.pem, "none": []byte("x")})
	mine := ours.issue(t, "client")
	writeFiles(t, folder, map[string][]byte{"cert": mine.cert, "key": mine.key})
	at := func(name string) string { return filepath.Join(folder, name) }
	for name, c := range map[string]struct {
		options map[string]string
		words   string // of the error; empty for none
	}{
		"good":     {map[string]string{"cacert": at("ca"), "cert": at("cert"), "key": at("key"), "servername": "127.0.0.1"}, ""},
		"stranger": {map[string]string{"cacert": at("other"), "cert": at("cert"), "key": at("key")}, "certificate signed by unknown authority"},
		"misnamed": {map[string]string{"cacert": at("ca"), "cert": at("cert"), "key": at("key"), "servername": "other.example"}, "other.example"},
		"missing":  {map[string]string{"cacert": at("nowhere")}, "read driver option cacert: open " + at("nowhere")},
		"empty":    {map[string]string{"cacert": at("none")}, at("none") + " holds no certificate"},
		"keyless":  {map[string]string{"cacert": at("ca"), "cert": at("cert"), "key": at("ca")}, "driver options cert and key: "},
	} {
		w.knows(name, "remote", buildx.Node{Name: name + "0", Endpoint: "tcp://" + address, DriverOpts: c.options})
		_, err := w.built(w.client(name), w.request())
		if c.words == "" && err != nil || c.words != "" && (err == nil || !strings.Contains(err.Error(), c.words)) {
			t.Errorf("%s: got %v, want %q", name, err, c.words)
		}
	}
}

// kitOverTLS is a BuildKit that only speaks to clients whose certificate the authority signed.
func (w *workshop) kitOverTLS(a authority) (address string) {
	w.t.Helper()
	server := a.issue(w.t, "127.0.0.1")
	certificate, err := tls.X509KeyPair(server.cert, server.key)
	if err != nil {
		w.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	builder := dockertest.NewBuilder(w.remote, "amd64")
	w.t.Cleanup(builder.Close)
	builder.Serve(listener)
	return listener.Addr().String()
}

// TestContainerBuilder builds in a container, which is made, started, and used where it runs.
func TestContainerBuilder(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	kit := dockertest.NewBuilder(w.remote, "amd64")
	t.Cleanup(kit.Close)
	w.knows("box", "docker-container", buildx.Node{
		Name: "box0", Endpoint: "default", DriverOpts: map[string]string{"env.A": "b", "memory": "1g"},
		Flags: []string{"--debug"}, Files: map[string][]byte{"buildkitd.toml": []byte("debug = true")},
	})
	client := w.client("box")
	_, err := w.built(client, w.request())
	if !errors.Is(err, engine.ErrNotFound) || !strings.Contains(err.Error(), "does not have its image "+kitName) {
		t.Errorf("without its image: got %v", err)
	}
	w.engine.AddImage(kit.Image(kitName))
	for range 2 {
		if told, err := w.built(client, w.request()); err != nil || !contains(told, "exporting to docker image format") {
			t.Fatalf("got %v and %q", err, told)
		}
	}
	if got := kit.Starts(); got != 1 {
		t.Errorf("it was started %d times", got)
	}
	const container = "buildx_buildkit_box0"
	if err := client.KillContainer(t.Context(), container, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.built(w.client("box"), w.request()); err != nil || kit.Starts() != 2 {
		t.Errorf("when it stood still: got %v, started %d times", err, kit.Starts())
	}
	if err := client.PauseContainer(t.Context(), container); err != nil {
		t.Fatal(err)
	}
	if _, err := w.built(w.client("box"), w.request()); err == nil || !strings.Contains(err.Error(), "is paused") {
		t.Errorf("when it was paused: got %v", err)
	}
}

// TestOtherEngine builds in another engine, and brings the image into this one.
func TestOtherEngine(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	other := dockertest.Start(t, dockertest.Options{Remote: w.remote})
	socket := w.newSocket()
	if err := other.Serve(socket); err != nil {
		t.Fatal(err)
	}
	w.knows("other", "docker", buildx.Node{Name: "other0", Endpoint: "unix://" + socket})
	if told, err := w.built(w.client("other"), w.request()); err != nil || !contains(told, "exporting to image") {
		t.Errorf("got %v and %q", err, told)
	}
	if _, err := other.Client(t).InspectImage(t.Context(), own); err != nil {
		t.Errorf("the other engine: %v", err)
	}
	request := w.request()
	request.Push = true
	if _, err := w.built(w.client("other"), request); err != nil {
		t.Errorf("push: %v", err)
	}
}

// TestBuilderNodes builds on the node that can.
func TestBuilderNodes(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	arm := dockertest.Box("registry.example/box:1")
	arm.Platform = "linux/arm64"
	w.remote.Push(arm)
	first := buildx.Node{Name: "first", Endpoint: "unix://" + w.kit("amd64")}
	second := buildx.Node{Name: "second", Endpoint: "unix://" + w.kit("arm64")}
	w.knows("two", "remote", first, second)
	request := w.request()
	request.Platforms = []string{"linux/arm64"}
	if _, err := w.built(w.client("two"), request); err != nil {
		t.Errorf("by what they can: got %v", err)
	}
	request.Platforms = []string{"linux/s390x"}
	_, err := w.built(w.client("two"), request)
	if !errors.Is(err, engine.ErrUnsupported) || !strings.Contains(err.Error(), "first linux/amd64; second linux/arm64") {
		t.Errorf("for a platform of none: got %v", err)
	}
	second.Platforms = []buildx.Platform{{OS: "linux", Architecture: "arm64"}}
	first.Endpoint = "unix:///nowhere"
	w.knows("two", "remote", first, second)
	request.Platforms = []string{"linux/arm64"}
	if _, err := w.built(w.client("two"), request); err != nil { // the other is not even asked
		t.Errorf("by what it was made for: got %v", err)
	}
}

// TestBuilderPushes brings what is built to its registry, without the engine.
func TestBuilderPushes(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.knows("far", "remote", buildx.Node{Name: "far0", Endpoint: "unix://" + w.kit("amd64")})
	request := w.request()
	request.Push = true
	client := w.client("far")
	if _, err := w.built(client, request); err != nil {
		t.Fatal(err)
	}
	if _, err := client.InspectImage(t.Context(), own); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the engine has it: %v", err)
	}
	if err := client.PullImage(t.Context(), engine.PullImage{Ref: own}, func(engine.PullProgress) {}); err != nil {
		t.Errorf("the registry does not: %v", err)
	}
	for want, change := range map[string]func(*engine.BuildImage){
		"platforms: what a builder brings":  func(r *engine.BuildImage) { r.Platforms = []string{"linux/amd64", "linux/arm64"} },
		"provenance: what a builder brings": func(r *engine.BuildImage) { r.Provenance = "true" },
	} {
		request := w.request()
		change(&request)
		var failed *engine.BuildError
		_, err := w.built(client, request)
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), want) || !strings.Contains(failed.Hint(), "--push") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestLocalCache writes a cache into a folder here and reads it again. The BuildKit of an engine that cannot says so.
func TestLocalCache(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.knows("far", "remote", buildx.Node{Name: "far0", Endpoint: "unix://" + w.kit("amd64")})
	folder := filepath.Join(t.TempDir(), "cache")
	request := w.request()
	request.CacheFrom, request.CacheTo = []string{"type=local,src=" + folder}, []string{"type=local,tag=v1,dest=" + folder}
	told, err := w.built(w.client("far"), request)
	if err != nil || !contains(told, "cache_from "+folder+" is left out: there is no index.json in it") {
		t.Fatalf("got %v and %q", err, told)
	}
	request.CacheFrom = []string{"type=local,tag=v1,src=" + folder}
	told, err = w.built(w.client("far"), request)
	if err != nil || !contains(told, "importing cache manifest from local") {
		t.Errorf("again: got %v and %q", err, told)
	}
	request.CacheFrom = []string{"type=local,tag=v2,src=" + folder}
	if told, err = w.built(w.client("far"), request); err != nil || !contains(told, `cache_from `+folder+` is left out: nothing in it is tagged "v2"`) {
		t.Errorf("of another tag: got %v and %q", err, told)
	}
	var failed *engine.BuildError
	if _, err = w.built(w.client(""), request); !errors.As(err, &failed) || !strings.Contains(failed.Hint(), "--builder") {
		t.Errorf("by the engine: got %v", err)
	}
}

// TestBuilderRefused has builders that cannot be used, and what is said of them.
func TestBuilderRefused(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.knows("cluster", "kubernetes", buildx.Node{Name: "cluster0"})
	w.knows("gone", "remote", buildx.Node{Name: "gone0", Endpoint: "unix:///nowhere/s"})
	w.knows("ssh", "remote", buildx.Node{Name: "ssh0", Endpoint: "ssh://host"})
	w.knows("half", "remote", buildx.Node{Name: "half0", Endpoint: "tcp://host:1", DriverOpts: map[string]string{"cert": "/c"}})
	w.knows("path", "remote", buildx.Node{Name: "path0", Endpoint: "tcp://host:1", DriverOpts: map[string]string{"cacert": "ca"}})
	w.knows("odd", "docker-container", buildx.Node{Name: "odd0", Endpoint: "default", DriverOpts: map[string]string{"gpus": "all"}})
	for builder, want := range map[string]struct{ words, hint string }{
		"clutser": {`builder "clutser" (from --builder): there is none of that name`, `did you mean "cluster"?`},
		"../x":    {`there is none of that name`, "builders are default, cluster, gone, half, odd, path, ssh;"},
		"cluster": {`its driver is "kubernetes"`, "docker buildx bake --file - --builder cluster"},
		"gone":    {`node "gone0": no BuildKit answers at unix:///nowhere/s`, "docker buildx inspect gone"},
		"ssh":     {`its address is "ssh://host"`, "name another"},
		"half":    {"cert and key go together", "name another"},
		"path":    {`cacert: "ca" is no absolute path`, "name another"},
		"odd":     {"driver option gpus=all: it is not known here", "docker buildx inspect --bootstrap odd"},
	} {
		_, err := w.built(w.client(builder), w.request())
		var hinted interface{ Hint() string }
		if err == nil || !strings.Contains(err.Error(), want.words) || !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), want.hint) {
			t.Errorf("%s: got %v, want %q and %q", builder, err, want.words, want.hint)
		}
	}
	if _, err := w.client("gone").CheckBuild(t.Context(), w.request()); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("check: got %v", err)
	}
}

// TestBuilderCancelled ends with the context, whatever the builder does.
func TestBuilderCancelled(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.knows("far", "remote", buildx.Node{Name: "far0", Endpoint: "unix://" + w.kit("amd64")})
	ctx, cancel := context.WithCancel(t.Context())
	request := w.request()
	request.DockerfileInline = "FROM registry.example/box:1\nRUN [\"/testbox\", \"-out\", \"begun\", \"-stay\"]\n"
	_, err := w.client("far").BuildImage(ctx, request, func(progress engine.BuildProgress) {
		if progress.Text == "begun" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
