package cli_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/muster-dev/muster/cmd/cli"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/step"
)

var update = flag.Bool("update", false, "write what the scripts get into their goldens")

// Programs that scripts can run: this test binary is all of them.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"muster": func() { os.Exit(cli.Main(context.Background(), os.Args[1:], cli.System(cli.Notify()))) },
	})
}

// box is the image that scripts run: testbox, on the engine in memory and on a real one.
const box = "muster-test/box:latest"

// scripts runs the scripts of a folder. engineFor gives each script an engine of its own, or its part of one, and says how the
// environment names it.
func scripts(t *testing.T, folder string, engineFor func(*testscript.Env) (dockerHost string, err error)) {
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
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Defer(func() { tearDown(t, host, project) })
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await": await, "containers": containers, "leftovers": leftovers,
		},
	})
}

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

// await waits until a container of the project is in a state: `await web-1 running|healthy|exited`. The engine's events wake it.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await CONTAINER running|healthy|exited|completed")
	}
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	eng, err := connect(ctx, ts.Getenv("DOCKER_HOST"))
	ts.Check(err)
	defer eng.Close() //nolint:errcheck // nothing is left to be said
	name := ts.Getenv("P") + "-" + args[0]
	ts.Check(eventually(ctx, eng, func() (bool, error) {
		found, err := eng.InspectContainer(ctx, name)
		if err != nil {
			return false, nil //nolint:nilerr // it is not there yet
		}
		switch args[1] {
		case "healthy":
			return found.Health == engine.HealthHealthy, nil
		default:
			return string(found.State) == args[1], nil
		}
	}))
}

// eventually looks now and at every event, until there is what is waited for.
func eventually(ctx context.Context, eng engine.Engine, look func() (bool, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := false
	err := eng.Events(ctx, engine.EventFilter{}, func() {
		if done, _ = look(); done {
			cancel()
		}
	}, func(engine.Event) error {
		var err error
		if done, err = look(); err == nil && done {
			cancel()
		}
		return err
	})
	if done {
		return nil
	}
	return err
}

// containers compares the project's containers with what is expected: `containers web-1=running db-1=exited`. Names that are
// not given must not be there.
func containers(ts *testscript.TestScript, neg bool, args []string) {
	eng, err := connect(context.Background(), ts.Getenv("DOCKER_HOST"))
	ts.Check(err)
	defer eng.Close() //nolint:errcheck // nothing is left to be said
	found, err := eng.ListContainers(context.Background(), engine.ContainerFilter{Project: ts.Getenv("P")})
	ts.Check(err)
	var have []string
	for _, c := range found {
		have = append(have, strings.TrimPrefix(c.Name, ts.Getenv("P")+"-")+"="+string(c.State))
	}
	if same := strings.Join(have, " ") == strings.Join(args, " "); same == neg {
		ts.Fatalf("containers: %s", strings.Join(have, " "))
	}
}

// leftovers fails when the engine has anything of the project: a container, a network, a volume.
func leftovers(ts *testscript.TestScript, neg bool, _ []string) {
	ctx := context.Background()
	eng, err := connect(ctx, ts.Getenv("DOCKER_HOST"))
	ts.Check(err)
	defer eng.Close() //nolint:errcheck // nothing is left to be said
	var left []string
	project := ts.Getenv("P")
	found, err := eng.ListContainers(ctx, engine.ContainerFilter{Project: project})
	ts.Check(err)
	for _, c := range found {
		left = append(left, step.Object{Kind: step.Container, Name: c.Name}.String())
	}
	networks, err := eng.ListNetworks(ctx)
	ts.Check(err)
	for _, n := range networks {
		if strings.HasPrefix(n.Name, project) {
			left = append(left, fmt.Sprint("Network ", n.Name))
		}
	}
	volumes, err := eng.ListVolumes(ctx)
	ts.Check(err)
	for _, v := range volumes {
		if strings.HasPrefix(v.Name, project) {
			left = append(left, fmt.Sprint("Volume ", v.Name))
		}
	}
	if (len(left) > 0) != neg {
		ts.Fatalf("left: %s", strings.Join(left, ", "))
	}
}
