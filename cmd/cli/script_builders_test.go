package cli_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// builderImage is what builders in containers are made of.
const builderImage = "muster-test/buildkit:latest"

// TestBuilders runs the scripts about builders beside the engine in memory.
func TestBuilders(t *testing.T) {
	t.Parallel()
	newest := func(string) bool { return true }
	scripts(t, "testdata/builders", newest, func(env *testscript.Env) (place, error) {
		here, eng, images, err := inMemory(t, env)
		if err != nil {
			return place{}, err
		}
		here.startBuilder = func(driver string) (string, error) {
			builder := dockertest.NewBuilder(images, "amd64")
			env.Defer(builder.Close)
			if driver == "docker-container" {
				eng.AddImage(builder.Image(builderImage))
				return "default", nil
			}
			socket := filepath.Join(t.TempDir(), "b")
			listener, err := net.Listen("unix", socket)
			if err != nil {
				return "", err
			}
			builder.Serve(listener)
			return "unix://" + socket, nil
		}
		return here, nil
	})
}

// buildxFolder is where docker buildx keeps its builders in a script.
func buildxFolder(ts *testscript.TestScript) string {
	return filepath.Join(ts.Getenv("HOME"), ".docker", "buildx")
}

// startBuilder starts a builder and has docker buildx know it: `builder remote|docker-container NAME`.
func startBuilder(ts *testscript.TestScript, neg bool, args []string) {
	here, _ := ts.Value(placeKey{}).(place)
	if neg || len(args) != 2 || here.startBuilder == nil {
		ts.Fatalf("usage: builder remote|docker-container NAME")
	}
	endpoint, err := here.startBuilder(args[0])
	ts.Check(err)
	node := map[string]any{"Name": ts.Getenv("P") + args[1] + "0", "Endpoint": endpoint}
	if args[0] == "docker-container" {
		node["DriverOpts"] = map[string]string{"network": "host", "image": builderImage}
	}
	writeJSON(ts, filepath.Join("instances", args[1]), map[string]any{"Name": args[1], "Driver": args[0], "Nodes": []any{node}})
}

// useBuilder does what `docker buildx use` does: `use NAME`, and `unuse` for the engine itself.
func useBuilder(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: use NAME")
	}
	writeJSON(ts, "current", map[string]any{"Key": ts.Getenv("DOCKER_HOST"), "Name": args[0], "Global": false})
}

func unuseBuilder(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: unuse")
	}
	ts.Check(os.Remove(filepath.Join(buildxFolder(ts), "current")))
}

func writeJSON(ts *testscript.TestScript, name string, content any) {
	text, err := json.Marshal(content)
	ts.Check(err)
	const private, folders = 0o600, 0o700
	path := filepath.Join(buildxFolder(ts), name)
	ts.Check(os.MkdirAll(filepath.Dir(path), folders))
	ts.Check(os.WriteFile(path, text, private))
}
