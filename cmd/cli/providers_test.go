package cli

import (
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/provider"
	"github.com/muster-dev/muster/project"
)

// TestProviderEnvironment has a provider's program reach the engine that Muster itself talks to. Programs go by DOCKER_HOST before
// DOCKER_CONTEXT, and Muster takes neither from a project's .env file.
func TestProviderEnvironment(t *testing.T) {
	t.Parallel()
	const near, far = "unix:///near.sock", "tcp://far:1"
	for _, test := range []struct {
		name    string
		globals globals
		want    string
	}{
		{"the environment's host", globals{env: map[string]string{"DOCKER_HOST": near}}, "DOCKER_HOST=" + near},
		{"--host", globals{host: far, env: map[string]string{"DOCKER_HOST": near}}, "DOCKER_HOST=" + far},
		{"--context", globals{context: "far", env: map[string]string{"DOCKER_HOST": near}}, "DOCKER_CONTEXT=far"},
		{"none but the .env file's", globals{}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			made := &project.Project{Model: &project.Model{Environment: map[string]string{"DOCKER_HOST": "unix:///dotenv.sock"}}}
			programs, ok := test.globals.providers(made).(provider.Programs)
			if got := strings.Join(programs.Env, " "); !ok || got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
