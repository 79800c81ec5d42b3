package cli_test

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// TestScripts runs the command line's promises on the engine in memory, a fresh one for each script.
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts(t, "testdata/script", nil, func(env *testscript.Env) (string, error) {
		eng := dockertest.New(dockertest.Options{})
		env.Defer(eng.Close)
		image := dockertest.Box(box)
		eng.AddImage(image)
		socket := filepath.Join(t.TempDir(), "engine.sock")
		if err := eng.Serve(socket); err != nil {
			return "", err
		}
		return "unix://" + socket, nil
	})
}
