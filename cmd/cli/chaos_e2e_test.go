//go:build e2e

package cli_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/muster-dev/muster/cmd/dev/chaos"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// TestKilledOnEngine kills muster at some moments of what it does on the real engine that DOCKER_HOST names, and expects that the next up
// puts everything right. `make chaos` does so more often, and restarts the engine, too.
func TestKilledOnEngine(t *testing.T) {
	const rounds = 4
	client, err := docker.Dial(t.Context(), docker.Options{Env: os.Getenv})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	importBox(t, client, buildTestbox(t))
	muster, err := exec.LookPath("muster") // this test binary
	if err != nil {
		t.Fatal(err)
	}
	host, folder, seed := client.Endpoint().Host, t.TempDir(), uint64(time.Now().UnixNano())
	t.Cleanup(func() { tearDown(t, host, chaos.Project) })
	result, err := chaos.Run(t.Context(), chaos.Options{
		Muster: muster, Env: []string{"DOCKER_HOST=" + host, "HOME=" + folder, "GORACE=atexit_sleep_ms=0"}, Engine: client,
		Runs:   chaos.Programs{Image: box, Stay: `["-stay"]`, End: `["-exit", "0"]`, Probe: `["CMD", "/testbox", "probe"]`},
		Folder: folder, Rounds: rounds, Seed: seed, Out: t.Output(),
	})
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	t.Logf("killed in %d of %d rounds, seed %d", result.Hits, result.Rounds, seed)
}
