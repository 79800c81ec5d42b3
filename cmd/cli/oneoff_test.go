package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muster-dev/muster/cmd/cli"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// An interrupt while a one-off is about to start leaves nothing of it, asked for or not: it has never run.
func TestOneOffInterruptedBeforeItRuns(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-T", "-d", "--rm"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			eng := dockertest.Start(t, dockertest.Options{})
			eng.AddImage(dockertest.Box(box))
			folder := t.TempDir()
			socket := filepath.Join(folder, "engine.sock")
			if err := eng.Serve(socket); err != nil {
				t.Fatal(err)
			}
			signals := make(chan os.Signal, 1)
			eng.Inject(dockertest.Fault{Then: dockertest.Hang, Nth: 1, On: func(call dockertest.Call) bool {
				isStart := call.Route == "POST /containers/{id}/start"
				if isStart {
					signals <- os.Interrupt
				}
				return isStart
			}})
			var out, errOut strings.Builder
			app := cli.App{Env: []string{"DOCKER_HOST=unix://" + socket, "HOME=" + folder}, Dir: folder, Signals: signals}
			app.In, app.Out, app.Err = strings.NewReader("services: {web: {image: "+box+"}}"), &out, &errOut
			code := cli.Main(t.Context(), []string{"-p", "shop", "-f", "-", "run", "-i=false", flag, "web", "-stay"}, app)
			if code != 130 {
				t.Errorf("exit %d\n%s", code, errOut.String())
			}
			if left := eng.Snapshot().Containers; len(left) > 0 {
				t.Errorf("left: %+v", left)
			}
		})
	}
}
