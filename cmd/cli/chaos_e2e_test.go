//go:build e2e

package cli_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/muster-dev/muster/cmd/dev/chaos"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// TestKilledOnEngine kills muster at some moments of what it does on the real engine that DOCKER_HOST names, and expects that the next up
// puts everything right; `make chaos` does so more often, and restarts the engine, too.
func TestKilledOnEngine(t *testing.T) {
	const rounds = 4
	client, err := docker.Dial(t.Context(), docker.Options{Env: os.Getenv})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	importBox(t, client, buildTestbox(t))
	host, folder, seed := client.Endpoint().Host, t.TempDir(), uint64(time.Now().UnixNano())
	const project = "mt-killed"
	t.Cleanup(func() { tearDown(t, host, project) })
	result, err := chaos.Run(t.Context(), chaos.Options{
		Muster: program(t, "muster"), Env: []string{"DOCKER_HOST=" + host, "HOME=" + folder}, Engine: client,
		Project: project, Stack: chaos.Stack{Image: box, Stay: []string{"-stay"}, End: []string{"-exit", "0"}, Healthy: []string{"/testbox", "probe"}},
		Folder: folder, Rounds: rounds, Seed: seed, Out: t.Output(),
	})
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	t.Logf("killed in %d of %d rounds, seed %d", result.Hits, result.Rounds, seed)
	_ = filepath.Join
}
