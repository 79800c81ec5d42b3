//go:build e2e

package docker_test

import (
	"os"
	"testing"

	"github.com/muster-dev/muster/convergence/engine/docker"
)

// TestImportImageReal is [TestImportImage] on the engine that DOCKER_HOST names.
func TestImportImageReal(t *testing.T) {
	if os.Getenv("DOCKER_HOST") == "" {
		t.Fatal("DOCKER_HOST does not name an engine")
	}
	client, err := docker.Dial(t.Context(), docker.Options{Env: os.Getenv})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	importImage(t, client)
	importArchive(t, client)
}
