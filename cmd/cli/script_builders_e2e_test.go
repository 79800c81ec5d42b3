//go:build e2e && builders

package cli_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/dev/fetched"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// TestRealBuilders runs the scripts about builders with BuildKit itself beside a real engine, and those of what the one in memory does
// not pretend. It needs root, as BuildKit does.
func TestRealBuilders(t *testing.T) {
	at := newRealPlace(t)
	kit, err := fetched.BuildKit(t.Context(), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	importKit(t, at.client, kit)
	for _, folder := range []string{"testdata/builders", "testdata/builders/real"} {
		scripts(t, folder, at.hasAPI, func(env *testscript.Env) (place, error) {
			place := at.place
			place.startBuilder = func(driver string) (string, error) {
				if driver == "docker-container" {
					env.Defer(func() { removeKits(t, at.client, env.Getenv("P")) })
					return "default", nil
				}
				return startKit(t, env, kit)
			}
			return place, nil
		})
	}
}

// startKit starts a BuildKit that ends with the script, and returns its address once it answers.
func startKit(t *testing.T, env *testscript.Env, kit string) (address string, err error) {
	t.Helper()
	folder, err := os.MkdirTemp("", "kit")
	if err != nil {
		return "", err
	}
	address = "unix://" + filepath.Join(folder, "socket")
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	daemon := exec.CommandContext(ctx, filepath.Join(kit, "buildkitd"), "--root", filepath.Join(folder, "root"), "--addr", address,
		"--oci-worker-net", "host")
	daemon.Cancel = func() error { return daemon.Process.Signal(syscall.SIGTERM) }
	said, err := daemon.StderrPipe()
	if err != nil {
		end()
		return "", err
	}
	if err := daemon.Start(); err != nil {
		end()
		return "", err
	}
	ready := make(chan error, 1)
	var watching errgroup.Group
	watching.Go(func() error {
		var lines []string
		for text := bufio.NewScanner(said); text.Scan(); {
			if lines = append(lines, text.Text()); strings.Contains(text.Text(), "running server on") {
				ready <- nil
			}
		}
		ready <- fmt.Errorf("buildkitd has ended: %s", strings.Join(lines, "\n"))
		_, err := io.Copy(io.Discard, said)
		return err
	})
	env.Defer(func() {
		end()
		_ = daemon.Wait() // it was told to end
		_ = watching.Wait()
		_ = os.RemoveAll(folder) // in the folder for temporary files
	})
	return address, <-ready
}

// importKit makes an image of BuildKit, runc and what that is linked with.
func importKit(t *testing.T, client *docker.Client, kit string) {
	t.Helper()
	runc, err := exec.LookPath("runc")
	if err != nil {
		t.Fatalf("find runc, which BuildKit runs steps with: %v", err)
	}
	libraries, err := exec.CommandContext(t.Context(), "ldd", runc).Output()
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{
		"/usr/bin/buildkitd": filepath.Join(kit, "buildkitd"), "/usr/bin/buildctl": filepath.Join(kit, "buildctl"), "/usr/bin/runc": runc,
	}
	for word := range strings.FieldsSeq(string(libraries)) {
		if filepath.IsAbs(word) {
			sources[word] = word
		}
	}
	image := docker.ScratchImage{
		Ref: builderImage, Files: map[string]docker.ScratchFile{}, Folders: map[string]fs.FileMode{"/tmp": 0o1777, "/etc": 0o755},
		Entrypoint: []string{"buildkitd"}, Env: map[string]string{"PATH": "/usr/bin"},
	}
	for target, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		image.Files[target] = docker.ScratchFile{Content: content}
	}
	if _, err := client.ImportImage(t.Context(), image); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.RemoveImage(context.WithoutCancel(t.Context()), builderImage); err != nil {
			t.Errorf("remove image: %v", err)
		}
	})
}

// removeKits removes the containers of a script's builders, and their volumes.
func removeKits(t *testing.T, client *docker.Client, name string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	container := "buildx_buildkit_" + name + "box0"
	err := client.RemoveContainer(ctx, container, engine.RemoveContainer{Force: true, Volumes: true})
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("remove builder: %v", err)
	}
	if err := client.RemoveVolume(ctx, container+"_state"); err != nil && !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("remove builder's volume: %v", err)
	}
}
