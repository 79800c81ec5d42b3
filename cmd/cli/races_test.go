package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/cli"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/project"
)

// rounds is how many times commands race one another: RACE_ROUNDS, or a few.
func rounds(t *testing.T) int {
	t.Helper()
	const few = 3
	text := os.Getenv("RACE_ROUNDS")
	if text == "" {
		return few
	}
	wanted, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("RACE_ROUNDS: %v", err)
	}
	return wanted
}

const raced = `
services:
  web: {image: ` + box + `, environment: {LEVEL: "$LEVEL"}, depends_on: [db]}
  db: {image: ` + box + `, environment: {LEVEL: "$LEVEL"}, networks: [default, back], volumes: ["data:/data"]}
networks: {default: , back: }
volumes: {data: }
`

// TestRaces lets commands run at once that change one project, on the engine in memory.
func TestRaces(t *testing.T) {
	t.Parallel()
	eng := dockertest.Start(t, dockertest.Options{})
	eng.AddImage(dockertest.Box(box))
	socket := filepath.Join(t.TempDir(), "engine.sock")
	if err := eng.Serve(socket); err != nil {
		t.Fatal(err)
	}
	race(t, "unix://"+socket)
}

// race runs each of the races in rounds. They share an engine, and nothing else.
func race(t *testing.T, host string) {
	t.Helper()
	for name, run := range map[string]func(r racing){"two-ups": racing.twoUps, "up-and-down": racing.upAndDown, "ten-runs": racing.tenRuns} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := racing{t: t, host: host, name: "mt-race-" + name, home: t.TempDir()}
			t.Cleanup(func() { tearDown(t, host, r.name) })
			for range rounds(t) {
				run(r)
				if t.Failed() {
					return
				}
			}
		})
	}
}

// racing is a project that several commands change at once.
type racing struct {
	t          *testing.T
	host, name string
	home       string
}

// outcome is what became of a command.
type outcome struct {
	args     []string
	code     int
	out, err string
}

func (o outcome) waited() bool { return strings.Contains(o.err, "Waiting for `") }

// muster runs a command whose file has a level.
func (r racing) muster(level string, args ...string) outcome {
	var out, errOut strings.Builder
	app := cli.App{Env: []string{"DOCKER_HOST=" + r.host, "HOME=" + r.home, "LEVEL=" + level}, Dir: r.home}
	app.In, app.Out, app.Err = strings.NewReader(raced), &out, &errOut
	code := cli.Main(r.t.Context(), append([]string{"-p", r.name, "-f", "-"}, args...), app)
	return outcome{args: args, code: code, out: out.String(), err: errOut.String()}
}

// atOnce runs commands that must all succeed.
func (r racing) atOnce(commands ...func() outcome) []outcome {
	r.t.Helper()
	outcomes := make([]outcome, len(commands))
	var all errgroup.Group
	for i, command := range commands {
		all.Go(func() error { outcomes[i] = command(); return nil })
	}
	_ = all.Wait()
	for _, o := range outcomes {
		if o.code != 0 {
			r.t.Errorf("muster %s: exit %d\n%s%s", strings.Join(o.args, " "), o.code, o.out, o.err)
		}
	}
	return outcomes
}

// settled says whether everything is as a file of that level wants it.
func (r racing) settled(level string) bool {
	r.t.Helper()
	o := r.muster(level, "plan")
	if o.code != 0 && o.code != 2 {
		r.t.Errorf("plan: exit %d\n%s", o.code, o.err)
	}
	return o.code == 0
}

// left are the containers of the project, and how many networks there are. A lock must never be left.
func (r racing) left() (containers []engine.Container, networks int) {
	r.t.Helper()
	err := func() error {
		eng, err := connect(r.t.Context(), r.host)
		if err != nil {
			return err
		}
		defer eng.Close()
		if containers, err = eng.ListContainers(r.t.Context(), engine.ContainerFilter{Project: r.name}); err != nil {
			return err
		}
		all, err := eng.ListNetworks(r.t.Context())
		for _, network := range all {
			if network.Labels[project.LabelProject] == r.name {
				networks++
			}
		}
		if err != nil {
			return err
		}
		volumes, err := eng.ListVolumes(r.t.Context())
		for _, volume := range volumes {
			if volume.Labels[project.LabelLock] == r.name {
				r.t.Error("a lock is left")
			}
		}
		return err
	}()
	if err != nil {
		r.t.Error(err)
	}
	return containers, networks
}

// twoUps want different things: what is there afterwards is what one of them wants, the one that had to wait if one had.
func (r racing) twoUps() {
	r.t.Helper()
	a := func() outcome { return r.muster("a", "up", "-d") }
	b := func() outcome { return r.muster("b", "up", "-d") }
	outcomes := r.atOnce(a, b)
	isA, isB := r.settled("a"), r.settled("b")
	containers, networks := r.left()
	if isA == isB || len(containers) != 2 || networks != 2 {
		r.t.Errorf("as a wants it: %v, as b: %v; %d containers, %d networks", isA, isB, len(containers), networks)
	}
	if waitedA, waitedB := outcomes[0].waited(), outcomes[1].waited(); waitedA != waitedB && waitedA != isA {
		r.t.Errorf("a has waited: %v, b: %v, but it is as a wants it: %v", waitedA, waitedB, isA)
	}
}

// upAndDown leave everything or nothing.
func (r racing) upAndDown() {
	r.t.Helper()
	outcomes := r.atOnce(func() outcome { return r.muster("a", "up", "-d") }, func() outcome { return r.muster("a", "down") })
	containers, networks := r.left()
	isUp, isDown := r.settled("a"), len(containers) == 0 && networks == 0
	if isUp == isDown {
		r.t.Errorf("everything is up: %v, down: %v; %d containers, %d networks\n%s%s",
			isUp, isDown, len(containers), networks, outcomes[0].err, outcomes[1].err)
	}
	if waitedUp, waitedDown := outcomes[0].waited(), outcomes[1].waited(); waitedUp != waitedDown && waitedUp != isUp {
		r.t.Errorf("up has waited: %v, down: %v, but everything is up: %v", waitedUp, waitedDown, isUp)
	}
}

// tenRuns have containers of their own, and share what they depend on.
func (r racing) tenRuns() {
	r.t.Helper()
	const runs = 10
	var commands []func() outcome
	for i := range runs {
		commands = append(commands, func() outcome {
			o := r.muster("a", "run", "-T", "web", "-out", fmt.Sprintf("run %d", i))
			if want := fmt.Sprintf("run %d\n", i); o.out != want {
				r.t.Errorf("run has written %q, want %q", o.out, want)
			}
			return o
		})
	}
	r.atOnce(commands...)
	containers, _ := r.left()
	names := map[string]bool{}
	services := 0
	for _, container := range containers {
		if container.OneOff {
			names[container.Name] = true
		} else {
			services++
		}
	}
	if len(names) != runs || services != 1 {
		r.t.Errorf("%d one-offs, %d other containers", len(names), services)
	}
	if o := r.muster("a", "down", "--remove-orphans", "-v"); o.code != 0 {
		r.t.Errorf("down: exit %d\n%s", o.code, o.err)
	}
	if left, _ := r.left(); len(left) > 0 {
		r.t.Errorf("%d containers are left", len(left))
	}
}
