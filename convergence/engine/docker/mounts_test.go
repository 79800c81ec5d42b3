package docker

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// A label of SELinux needs the bind string, with which an engine makes up a source that is missing: where that is not wanted, an
// engine on this host is not even asked.
func TestLabelledSourceIsNotMadeUp(t *testing.T) {
	t.Parallel()
	here := &Client{endpoint: Endpoint{Host: "unix:///run/docker.sock"}}
	there := &Client{endpoint: Endpoint{Host: "tcp://elsewhere:2375"}}
	missing := filepath.Join(t.TempDir(), "missing")
	mount := project.Mount{
		Type: project.MountBind, Source: missing, Target: "/data", Bind: &project.BindOptions{SELinux: "z", CreateHostPath: false},
	}
	_, _, err := here.hostMounts([]project.Mount{mount})
	if !errors.Is(err, engine.ErrInvalid) || !strings.Contains(err.Error(), missing) {
		t.Errorf("an engine here: %v", err)
	}
	if _, _, err := there.hostMounts([]project.Mount{mount}); err != nil {
		t.Errorf("an engine elsewhere: %v", err)
	}
	mount.Source = filepath.Dir(missing)
	if binds, _, err := here.hostMounts([]project.Mount{mount}); err != nil || len(binds) != 1 || !strings.HasSuffix(binds[0], ":/data:rw,z") {
		t.Errorf("a source that is there: %q, %v", binds, err)
	}
}
