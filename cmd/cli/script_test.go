package cli_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/muster-dev/muster/cmd/cli"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/project"
)

var update = flag.Bool("update", false, "write what the scripts get into their goldens")

// box is the image that scripts run: testbox, on the engine in memory and on a real one.
const box = "muster-test/box:latest"

// place is where a script's containers run.
type place struct {
	host string // how the environment names the engine
	// fetch gets a URL from the engine's host, where published ports lead to containers.
	fetch func(ctx context.Context, url string) (body string, err error)
	// registry is the address of a registry that the engine reaches, and push puts an image into it, "repository:tag": testbox,
	// with its version in the variable VERSION.
	registry string
	push     func(name, version string) error
	// startRegistry starts another one, for the script alone; own keeps it.
	startRegistry func(user, password string) (ownRegistry, error)
	own           *ownRegistry
	// startBuilder starts a builder beside the engine, and returns what docker buildx would call its endpoint; nil where there is none.
	startBuilder func(driver string) (endpoint string, err error)
}

type placeKey struct{}

// scripts runs the scripts of a folder. engineFor gives each script an engine of its own, or its part of one; hasAPI says whether their
// API is of a version or newer, which scripts ask by `[api:1.45]`.
func scripts(t *testing.T, folder string, hasAPI func(version string) bool, engineFor func(*testscript.Env) (place, error)) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir: folder, UpdateScripts: *update, RequireUniqueNames: true,
		Condition: func(text string) (bool, error) {
			version, ok := strings.CutPrefix(text, "api:")
			if !ok {
				return false, fmt.Errorf("unknown condition %q", text)
			}
			return hasAPI(version), nil
		},
		Setup: func(env *testscript.Env) error {
			place, err := engineFor(env)
			if err != nil {
				return err
			}
			place.own = new(ownRegistry)
			env.Values[placeKey{}] = place
			host := place.host
			// A project's name is in the names of all that it makes: on a real engine no script meets another.
			name := "mt-" + strings.ToLower(strings.NewReplacer("_", "-", "/", "-").Replace(scriptName(env)))
			env.Setenv("DOCKER_HOST", host)
			env.Setenv("HOST", host)
			env.Setenv("P", name)
			env.Setenv("COMPOSE_PROJECT_NAME", name)
			env.Setenv("BOX", box)
			env.Setenv("REGISTRY", place.registry)
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Defer(func() {
				tearDown(t, host, name)
				tearDown(t, host, name+other)
			})
			return nil
		},
		Cmds: commands(),
	})
}

// other is what a script's second project is called, after its first one's name.
const other = "-other"

func scriptName(env *testscript.Env) string {
	return strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")
}

// connect reaches the script's engine beside the command under test.
func connect(ctx context.Context, host string) (*engine.Hub, error) {
	client, err := docker.Dial(ctx, docker.Options{Host: host, Env: func(string) string { return "" }})
	if err != nil {
		return nil, err
	}
	return engine.NewHub(client, ""), nil
}

// tearDown removes what a script left, whatever became of it.
func tearDown(t *testing.T, host, name string) {
	t.Helper()
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	app := cli.App{Env: []string{"DOCKER_HOST=" + host, "HOME=" + t.TempDir()}, Dir: t.TempDir()}
	var output strings.Builder
	app.Out, app.Err = &output, &output
	if code := cli.Main(ctx, []string{"-p", name, "down", "-v", "--remove-orphans", "-t", "0", "--force-unlock"}, app); code != 0 {
		t.Logf("removing what script left: exit %d\n%s", code, output.String())
	}
	if err := removeBuilt(ctx, host, name); err != nil {
		t.Logf("removing images that were built: %v", err)
	}
}

// removeBuilt removes the images that were built for a project or made of its containers, under all their names, or without one.
func removeBuilt(ctx context.Context, host, name string) error {
	eng, err := connect(ctx, host)
	if err != nil {
		return err
	}
	defer eng.Close()
	images, err := eng.ListImages(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, image := range images {
		if image.Labels[project.LabelProject] != name {
			continue
		}
		for _, tag := range image.Tags {
			problems = append(problems, eng.RemoveImage(ctx, tag))
		}
		if len(image.Tags) > 0 {
			continue
		}
		// One that others are made of goes with them.
		if err := eng.RemoveImage(ctx, image.ID); !errors.Is(err, engine.ErrNotFound) && !errors.Is(err, engine.ErrConflict) {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}
