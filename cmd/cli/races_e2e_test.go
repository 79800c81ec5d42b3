//go:build e2e

package cli_test

import (
	"os"
	"testing"

	"github.com/muster-dev/muster/convergence/engine/docker"
)

// TestRacesOnEngine lets the same commands race on the real engine that DOCKER_HOST names; `make races` runs more rounds.
func TestRacesOnEngine(t *testing.T) {
	client, err := docker.Dial(t.Context(), docker.Options{Env: os.Getenv})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	importBox(t, client, buildTestbox(t))
	t.Run("races", func(t *testing.T) { race(t, client.Endpoint().Host) })
}
