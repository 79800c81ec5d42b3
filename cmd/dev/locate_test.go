package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/muster-dev/muster/convergence/engine/docker"
)

func toolWith(t *testing.T, variables map[string]string) (tool, *strings.Builder) {
	t.Helper()
	var said strings.Builder
	variables["DOCKER_CONFIG"] = t.TempDir()
	return tool{env: func(name string) string { return variables[name] }, cache: t.TempDir(), out: &said, err: &said}, &said
}

func TestNamedEngineThatIsAwayIsNotReplaced(t *testing.T) {
	t.Parallel()
	for name, variables := range map[string]map[string]string{
		"host":    {"DOCKER_HOST": "unix://" + filepath.Join(t.TempDir(), "docker.sock")},
		"context": {"DOCKER_CONTEXT": "prod"},
	} {
		dev, said := toolWith(t, variables)
		if err := engineUp(t.Context(), dev, nil); err == nil || errors.Is(err, errNoEngine) {
			t.Errorf("%s: %v", name, err)
		}
		if said.String() != "" {
			t.Errorf("%s: went on with %q", name, said)
		}
	}
}

func TestUnknownReleaseIsRefusedFirst(t *testing.T) {
	t.Parallel()
	dev, _ := toolWith(t, map[string]string{"ENGINE": "27"})
	if err := engineUp(t.Context(), dev, nil); err == nil || !strings.Contains(err.Error(), `no engine release "27"`) {
		t.Errorf("engine up = %v", err)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	away := func(host string, cause error) error {
		return &docker.UnreachableError{Endpoint: docker.Endpoint{Host: host}, Cause: cause}
	}
	for name, test := range map[string]struct {
		err      error
		mayFetch bool
		want     bool
	}{
		"nothing there":        {away(defaultSocket, fs.ErrNotExist), true, true},
		"nobody listens":       {away(defaultSocket, syscall.ECONNREFUSED), true, true},
		"not allowed":          {away(defaultSocket, fs.ErrPermission), true, false},
		"asked for":            {away(defaultSocket, fs.ErrNotExist), false, false},
		"a context's":          {away("unix:///other.sock", fs.ErrNotExist), true, false},
		"not about connecting": {errors.New("no such context"), true, false},
	} {
		if got := errors.Is(explain(test.err, test.mayFetch), errNoEngine); got != test.want {
			t.Errorf("%s: may be fetched = %v", name, got)
		}
	}
}

func TestOwnEngineOfYesterdayIsNotAskedFor(t *testing.T) {
	t.Parallel()
	dev, _ := toolWith(t, map[string]string{"DOCKER_HOST": "unix:///run/muster-dev-00000000-28/docker.sock"})
	if got := dev.outerEnv("DOCKER_HOST"); got != "" {
		t.Errorf("DOCKER_HOST = %q", got)
	}
}
