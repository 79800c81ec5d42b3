package cli_test

import (
	"context"
	"flag"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/muster-dev/muster/cmd/cli"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

var update = flag.Bool("update", false, "write what the scripts get into their goldens")

// box is the image that scripts run: testbox, on the engine in memory and on a real one.
const box = "muster-test/box:latest"

// scripts runs the scripts of a folder. engineFor gives each script an engine of its own, or its part of one, and says how the
// environment names it. conditions are what scripts can ask for, as in `[real] fetch ...`.
func scripts(
	t *testing.T, folder string, conditions map[string]bool, engineFor func(*testscript.Env) (dockerHost string, err error),
) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir: folder, UpdateScripts: *update, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			host, err := engineFor(env)
			if err != nil {
				return err
			}
			// A project's name is in the names of all that it makes: on a real engine no script meets another.
			project := "mt-" + strings.ToLower(strings.NewReplacer("_", "-", "/", "-").Replace(scriptName(env)))
			env.Setenv("DOCKER_HOST", host)
			env.Setenv("P", project)
			env.Setenv("COMPOSE_PROJECT_NAME", project)
			env.Setenv("BOX", box)
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Defer(func() {
				tearDown(t, host, project)
				tearDown(t, host, project+other)
			})
			return nil
		},
		Condition: func(name string) (bool, error) { return conditions[name], nil },
		Cmds:      commands(),
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
func tearDown(t *testing.T, host, project string) {
	t.Helper()
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	app := cli.App{Env: []string{"DOCKER_HOST=" + host, "HOME=" + t.TempDir()}, Dir: t.TempDir()}
	var output strings.Builder
	app.Out, app.Err = &output, &output
	if code := cli.Main(ctx, []string{"-p", project, "down", "-v", "--remove-orphans", "-t", "0"}, app); code != 0 {
		t.Logf("removing what script left: exit %d\n%s", code, output.String())
	}
}
