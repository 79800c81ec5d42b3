package docker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine/docker"
)

// What containers with the engine's socket get is what the docker CLI has, from wherever it has it.
func TestSocketCredentials(t *testing.T) {
	t.Parallel()
	path := helpers(t)
	for name, c := range map[string]struct{ host, config, env, want, failure string }{
		"the file's": {
			config: `{"auths": {"a.example": {"auth": "dXNlcjpwYXNz"}}, "currentContext": "", "psFormat": "x"}`,
			want:   `{"auths":{"a.example":{"auth":"dXNlcjpwYXNz"}}}`,
		},
		"none": {config: `{}`, want: `{"auths":{}}`},
		"a helper's": {
			config: `{"credHelpers": {"b.example": "token", "c.example": "none"}}`,
			want:   `{"auths":{"b.example":{"identitytoken":"secretofb.example"}}}`,
		},
		"the environment's first": {
			config: `{"auths": {"a.example": {"auth": "dXNlcjpwYXNz"}}}`, env: `{"auths": {"a.example": {"auth": "b3RoZXI6b3RoZXI="}}}`,
			want: `{"auths":{"a.example":{"auth":"b3RoZXI6b3RoZXI="}}}`,
		},
		"a broken helper": {config: `{"credHelpers": {"b.example": "broken"}}`, failure: "cannot open the keyring"},
		"another machine": {config: `{}`, host: "tcp://192.0.2.1:1", failure: "the engine at tcp://192.0.2.1:1 (from --host) is not on this machine"},
		"over ssh":        {config: `{}`, host: "ssh://me@192.0.2.1", failure: "is not on this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "config.json"), []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.host == "" {
				c.host = "unix:///run/docker.sock"
			}
			env := map[string]string{"DOCKER_CONFIG": folder, "PATH": path, "DOCKER_AUTH_CONFIG": c.env}
			got, err := docker.Options{Host: c.host, Env: func(name string) string { return env[name] }}.SocketCredentials(t.Context())
			if err != nil || c.failure != "" {
				if err == nil || c.failure == "" || !strings.Contains(err.Error(), c.failure) {
					t.Errorf("error %v, want %q", err, c.failure)
				}
				return
			}
			if text := strings.Join(strings.Fields(string(got)), ""); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}
