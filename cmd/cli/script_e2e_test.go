//go:build e2e

package cli_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/muster-dev/muster/cmd/dev/fetched"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// TestScriptsOnEngine runs the same scripts on the real engine that DOCKER_HOST names, and those of what the engine in memory does
// not pretend. Without an engine it fails.
func TestScriptsOnEngine(t *testing.T) {
	at := newRealPlace(t)
	dockerCLI, err := fetched.DockerCLI(t.Context(), t.Logf)
	if err != nil {
		t.Fatalf("fetch docker CLI: %v", err)
	}
	for _, folder := range []string{"testdata/script", "testdata/engine"} {
		scripts(t, folder, at.hasAPI, func(env *testscript.Env) (place, error) {
			env.Setenv("DOCKER", dockerCLI)
			return at.place, nil
		})
	}
}

// realPlace is a real engine with what the scripts run.
type realPlace struct {
	place
	client *docker.Client
	hasAPI func(version string) bool
}

func newRealPlace(t *testing.T) realPlace {
	t.Helper()
	client, err := docker.Dial(t.Context(), docker.Options{Env: os.Getenv})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	version, err := client.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	program := buildTestbox(t)
	importBox(t, client, program)
	registries := newRegistries(t, client, program)
	shared, err := registries.start("", "")
	if err != nil {
		t.Fatal(err)
	}
	return realPlace{client: client, hasAPI: version.HasAPI, place: place{
		host: cmp.Or(os.Getenv("DOCKER_HOST"), client.Endpoint().Host), fetch: fetchURL, registry: shared.address(), push: shared.push,
		startRegistry: func(user, password string) (ownRegistry, error) { return registries.start(user, password) },
	}}
}

// fetchURL gets a URL from here: the scripts' engine publishes ports on this host.
func fetchURL(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// buildTestbox compiles the program of the scripts' containers.
func buildTestbox(t *testing.T) []byte {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "testbox")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary,
		"github.com/muster-dev/muster/convergence/engine/docker/testbox/main")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build testbox: %v\n%s", err, output)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// importBox makes the image that scripts run; it goes with the test, unless somebody else uses it.
func importBox(t *testing.T, client *docker.Client, program []byte) {
	t.Helper()
	if _, err := client.ImportImage(t.Context(), docker.ScratchImage{
		Ref: box, Files: map[string]docker.ScratchFile{"/testbox": {Content: program}},
		Folders:    map[string]fs.FileMode{"/tmp": 0o1777},
		Entrypoint: []string{"/testbox"}, Cmd: []string{"-stay"},
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := client.RemoveImage(context.WithoutCancel(t.Context()), box)
		if err != nil && !errors.Is(err, engine.ErrConflict) {
			t.Errorf("remove image: %v", err)
		}
	})
}
