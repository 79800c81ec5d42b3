//go:build e2e

// The suite on a real engine: DOCKER_HOST says which. Without one that answers, these tests fail.
package enginetest_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	box       = "muster-test/conformance:latest" // not box: other packages test at the same time
	declaring = "muster-test/conformance:declaring"
	absent    = "127.0.0.1:1/muster-test/absent:1" // nobody listens on port 1
)

// TestConformance holds the adapter and the real engine to the contract.
func TestConformance(t *testing.T) {
	client := dial(t)
	program := buildBox(t)
	importImage(t, client, docker.ScratchImage{Ref: box, Files: program})
	importImage(t, client, docker.ScratchImage{
		Ref: declaring, Files: program, Volumes: []string{"/declared"},
		Env: map[string]string{"DECLARED": "yes"}, Labels: map[string]string{"dev.muster.test": "declared"},
		HealthCheck: &docker.ScratchHealth{Test: []string{"/testbox", "probe"}, Interval: 50 * time.Millisecond},
	})
	enginetest.Run(t, enginetest.Harness{
		Connect: func(t *testing.T) engine.Engine { t.Helper(); return dial(t) },
		Within:  func(t *testing.T, body func(*testing.T)) { t.Helper(); body(t) },
		Program: program["/testbox"].Content,
		Box:     box, Declaring: declaring, Absent: absent, Registry: startRegistry(t, client),
	})
}

func dial(t *testing.T) *docker.Client {
	t.Helper()
	if os.Getenv("DOCKER_HOST") == "" {
		t.Fatal("DOCKER_HOST does not name an engine")
	}
	client, err := docker.Dial(t.Context(), docker.Options{Env: os.Getenv})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// buildBox compiles testbox for the images that hold it.
func buildBox(t *testing.T) map[string]docker.ScratchFile {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "testbox")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary,
		"github.com/muster-dev/muster/convergence/engine/docker/testbox/main")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build testbox: %v\n%s", err, output)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatalf("build testbox: %v", err)
	}
	return map[string]docker.ScratchFile{"/testbox": {Content: content}}
}

// importImage makes an image that goes with the test.
func importImage(t *testing.T, client *docker.Client, image docker.ScratchImage) {
	t.Helper()
	image.Entrypoint, image.Cmd = []string{"/testbox"}, []string{"-stay"}
	image.Folders = map[string]fs.FileMode{"/tmp": 0o1777}
	if _, err := client.ImportImage(t.Context(), image); err != nil {
		t.Fatalf("import image: %v", err)
	}
	t.Cleanup(func() {
		if err := client.RemoveImage(context.WithoutCancel(t.Context()), image.Ref); err != nil {
			t.Errorf("remove image: %v", err)
		}
	})
}
