//go:build e2e

package software

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muster-dev/muster/cmd/cli"
	"github.com/muster-dev/muster/cmd/dev/daemon"
	"github.com/muster-dev/muster/cmd/dev/provision"
	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// ensure makes the images on the engine that DOCKER_HOST names.
func ensure(t *testing.T) docker.Endpoint {
	t.Helper()
	client, err := docker.Dial(t.Context(), docker.Options{Env: os.Getenv})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	defer client.Close()
	root, err := provision.Repository()
	if err != nil {
		t.Fatal(err)
	}
	cache, err := provision.Cache(root, os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	machine, err := provision.ThisMachine()
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := daemon.Lock(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	fetcher := provision.Fetcher{Cache: cache, Mirror: os.Getenv("DEBIAN_MIRROR"), Machine: machine, Say: t.Logf}
	if _, err := (Maker{Client: client, Fetcher: fetcher}).Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return client.Endpoint()
}

// TestImagesDoWhatIsExpected runs testdata/compose.yaml: its checks complete, and then every server ends well when it is asked to.
func TestImagesDoWhatIsExpected(t *testing.T) {
	host := ensure(t).Host
	muster := func(arguments ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		app := cli.App{
			Streams: display.Streams{Out: &out, Err: &errOut}, Dir: filepath.Join(mustGetwd(t), "testdata"),
			Env: []string{"DOCKER_HOST=" + host, "HOME=" + t.TempDir()},
		}
		if code := cli.Main(context.WithoutCancel(t.Context()), append([]string{"-p", "mt-software"}, arguments...), app); code != 0 {
			t.Fatalf("muster %v: exit %d\n%s%s", arguments, code, out.String(), errOut.String())
		}
		return out.String()
	}
	t.Cleanup(func() { muster("down", "-v", "-t", "0") })
	muster("up", "-d", "--wait")
	muster("stop")
	for decoder := json.NewDecoder(strings.NewReader(muster("ps", "-a", "--format", "json"))); ; {
		var container struct {
			Service  string
			State    string
			ExitCode int
		}
		if err := decoder.Decode(&container); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if container.State != "exited" || container.ExitCode != 0 {
			t.Errorf("%s: %s, exit code %d", container.Service, container.State, container.ExitCode)
		}
	}
}

func mustGetwd(t *testing.T) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}
