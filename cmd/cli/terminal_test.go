package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muster-dev/muster/cmd/cli"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// At a terminal `ps` also lists what has ended, and what the file expects and the engine lacks; not where something else is asked for.
func TestPsAtTerminal(t *testing.T) {
	t.Parallel()
	eng := dockertest.Start(t, dockertest.Options{})
	eng.AddImage(dockertest.Box(box))
	folder := t.TempDir()
	socket := filepath.Join(folder, "engine.sock")
	if err := eng.Serve(socket); err != nil {
		t.Fatal(err)
	}
	run := func(services string, args ...string) string {
		t.Helper()
		file := filepath.Join(folder, "compose.yaml")
		if err := os.WriteFile(file, []byte("services: {"+strings.ReplaceAll(services, "BOX", box)+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errOut strings.Builder
		app := cli.App{Env: []string{"DOCKER_HOST=unix://" + socket, "HOME=" + folder, "NO_COLOR=1"}, Dir: folder}
		app.Out, app.Err, app.OutTerminal = &out, &errOut, true
		if code := cli.Main(t.Context(), append([]string{"-p", "shop", "-f", file}, args...), app); code != 0 {
			t.Fatalf("%s: exit %d\n%s", args, code, errOut.String())
		}
		return out.String()
	}
	run("web: {image: BOX}, old: {image: BOX}", "up", "-d")
	run("web: {image: BOX}, old: {image: BOX}", "stop", "old")
	const more = "web: {image: BOX, scale: 3}, old: {image: BOX}, new: {image: BOX}, none: {image: BOX, scale: 0}, " +
		"off: {image: BOX, profiles: [off]}"
	lines := func(text string) (words []string) {
		for line := range strings.Lines(text) {
			words = append(words, strings.Join(strings.Fields(line)[:3], " "))
		}
		return words
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "SERVICE REPLICA STATE, old 1 done, web 1 running, new 1 missing, web 2 missing, web 3 missing"},
		{[]string{"new"}, "SERVICE REPLICA STATE, new 1 missing"},
		{[]string{"--status", "running"}, "SERVICE REPLICA STATE, web 1 running"},
		{[]string{"--format", "{{.Service}} {{.State}} {{.Project}}"}, "web running shop"},
	} {
		got := strings.Join(lines(run(more, append([]string{"ps"}, test.args...)...)), ", ")
		if got != test.want {
			t.Errorf("ps %s: %s\nwant %s", test.args, got, test.want)
		}
	}
}
