package cli_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// TestScripts runs the command line's promises on the engine in memory, a fresh one for each script. Those of the folder "offline" ask
// for none.
func TestScripts(t *testing.T) {
	t.Parallel()
	newest := func(string) bool { return true }
	for _, folder := range []string{"testdata/script", "testdata/offline"} {
		scripts(t, folder, newest, func(env *testscript.Env) (place, error) {
			here, _, _, err := inMemory(t, env)
			return here, err
		})
	}
}

// inMemory is an engine in memory, which ends with the script, and what registries hold for it.
func inMemory(t *testing.T, env *testscript.Env) (place, *dockertest.Engine, *dockertest.Registry, error) {
	t.Helper()
	const registryAddress = "127.0.0.1:5000"
	images := dockertest.NewRegistry()
	eng := dockertest.New(dockertest.Options{Remote: images})
	env.Defer(eng.Close)
	image := dockertest.Box(box)
	eng.AddImage(image)
	socket := filepath.Join(t.TempDir(), "engine.sock")
	if err := eng.Serve(socket); err != nil {
		return place{}, nil, nil, err
	}
	fetch := func(_ context.Context, url string) (string, error) { return eng.Fetch(url) }
	return place{
		host: "unix://" + socket, fetch: fetch, registry: registryAddress,
		push: func(name, version string) error { return pushVersion(images, registryAddress+"/"+name, version) },
		startRegistry: func(user, password string) (ownRegistry, error) {
			return startFakeRegistry(images, user, password), nil
		},
	}, eng, images, nil
}
