package cli_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/muster-dev/muster/cmd/cli"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// An up goes on after the engine was away, and after an answer that something went wrong in it; what is wrong each time is told once.
func TestUpThroughTrouble(t *testing.T) {
	t.Parallel()
	on := dockertest.On
	const waits = `(?m)^(lost the engine at unix://.*|.*restarts.*); waiting for it to answer again$`
	for name, test := range map[string]struct {
		faults []dockertest.Fault
		code   int
		says   string
		times  int // that it is said
	}{
		"busy": {[]dockertest.Fault{
			{On: on("POST /containers/create"), Nth: 1, Then: dockertest.Fail, Status: http.StatusServiceUnavailable, Message: "the engine restarts"},
		}, 0, waits, 1},
		"lost before it was done": {[]dockertest.Fault{{On: on("POST /containers/{id}/start"), Nth: 1, Then: dockertest.Cut}}, 0, waits, 1},
		"lost after it was done": {[]dockertest.Fault{
			{On: on("POST /containers/create"), Nth: 1, Then: dockertest.Cut, Done: true},
			{On: on("POST /networks/create"), Nth: 1, Then: dockertest.Cut, Done: true},
			{On: on("GET /containers/json"), Nth: 2, Then: dockertest.Cut},
		}, 0, waits, 1},
		"fails once": {[]dockertest.Fault{{On: on("POST /containers/{id}/start"), Nth: 1, Then: dockertest.Fail, Message: "try me again"}}, 0, "try me again", 0},
		"fails each time": {
			[]dockertest.Fault{{On: on("POST /containers/{id}/start"), Then: dockertest.Fail, Message: "broken inside"}},
			1,
			`(?m)^✘ start container shop-web-1: .*broken inside$`, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eng := dockertest.Start(t, dockertest.Options{})
			eng.AddImage(dockertest.Box(box))
			for _, fault := range test.faults {
				eng.Inject(fault)
			}
			code, said := upOn(t, eng)
			if code != test.code {
				t.Errorf("exit %d, want %d\n%s", code, test.code, said)
			}
			if times := len(regexp.MustCompile(test.says).FindAllString(said, -1)); times != test.times {
				t.Errorf("%q is said %d times, want %d\n%s", test.says, times, test.times, said)
			}
			running := 0
			for _, c := range eng.Snapshot().Containers {
				if c.State == "running" {
					running++
				}
			}
			if test.code == 0 && (running != 1 || len(eng.Snapshot().Containers) != 1) {
				t.Errorf("after it:\n%s", eng.Snapshot())
			}
		})
	}
}

// upOn brings a stack up, and returns the exit code and what was said on the standard error.
func upOn(t *testing.T, eng *dockertest.Engine, flags ...string) (code int, said string) {
	t.Helper()
	folder := t.TempDir()
	socket := filepath.Join(folder, "engine.sock")
	if err := eng.Serve(socket); err != nil {
		t.Fatal(err)
	}
	file := "services:\n  web: {image: " + box + "}\n"
	if err := os.WriteFile(filepath.Join(folder, "compose.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut strings.Builder
	app := cli.App{Env: []string{"DOCKER_HOST=unix://" + socket, "HOME=" + folder}, Dir: folder}
	app.Out, app.Err = &out, &errOut
	return cli.Main(t.Context(), append(append([]string{"-p", "shop"}, flags...), "up", "-d"), app), errOut.String()
}

// Programs get the wait for the engine as a line like all others.
func TestWaitForEngineAsJSON(t *testing.T) {
	t.Parallel()
	eng := dockertest.Start(t, dockertest.Options{})
	eng.AddImage(dockertest.Box(box))
	eng.Inject(dockertest.Fault{On: dockertest.On("POST /containers/{id}/start"), Nth: 1, Then: dockertest.Cut})
	code, said := upOn(t, eng, "--progress", "json")
	if code != 0 || !regexp.MustCompile(`(?m)^\{"schema":1,.*"text":"lost the engine at .*; waiting for it to answer again","phase":"note"\}$`).MatchString(said) {
		t.Errorf("exit %d\n%s", code, said)
	}
	for line := range strings.Lines(said) {
		if !strings.HasPrefix(line, "{") {
			t.Errorf("no JSON: %s", line)
		}
	}
}
