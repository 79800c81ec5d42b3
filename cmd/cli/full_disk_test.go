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

// A full disk is told of in the engine's words wherever it shows, with what takes the room; what needs no room comes up.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const full = "write /var/lib/docker/tmp/GetImageBlob1: no space left on device"
	images := dockertest.NewRegistry()
	images.FailAll("registry.example", http.StatusInternalServerError, full)
	eng := dockertest.Start(t, dockertest.Options{Remote: images})
	eng.AddImage(dockertest.Box(box))
	folder := t.TempDir()
	socket := filepath.Join(folder, "engine.sock")
	if err := eng.Serve(socket); err != nil {
		t.Fatal(err)
	}
	const file = `
services:
  pulled: {image: registry.example/web:1}
  built: {build: {dockerfile_inline: "FROM registry.example/base:1\n"}}
  there: {image: ` + box + `}
`
	if err := os.WriteFile(filepath.Join(folder, "compose.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut strings.Builder
	app := cli.App{Env: []string{"DOCKER_HOST=unix://" + socket, "HOME=" + folder}, Dir: folder}
	app.Out, app.Err = &out, &errOut
	if code := cli.Main(t.Context(), []string{"-p", "shop", "up", "-d"}, app); code != 1 {
		t.Errorf("exit %d", code)
	}
	for _, wanted := range []string{
		`(?m)^✘ pull image registry\.example/web:1: .*no space left on device\n  held up   pulled \(not started\)\n  try       see what takes the engine's room: docker system df$`,
		`(?m)^✘ build image shop-built: dockerfile_inline:1: .*no space left on device\n(  file .*\n)+  held up   built \(not started\)\n` +
			`  try       see what takes the engine's room: docker system df$`,
	} {
		if !regexp.MustCompile(wanted).MatchString(errOut.String()) {
			t.Errorf("not said: %s\n%s", wanted, errOut.String())
		}
	}
	if containers := eng.Snapshot().Containers; len(containers) != 1 {
		t.Errorf("%d containers, want the one of the service there", len(containers))
	}
}
