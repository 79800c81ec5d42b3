package docker_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/project"
)

// startBox runs a container and returns its ID.
func startBox(t *testing.T, client *docker.Client) string {
	t.Helper()
	created, err := client.CreateContainer(t.Context(), engine.CreateContainer{
		Name: "web", Image: "box", NetworkMode: "none", Service: project.Service{Name: "web"},
	})
	if err == nil {
		err = client.StartContainer(t.Context(), created.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return created.ID
}

// TestExecEndsLate waits for the exit code where the engine has it only some time after the end of the output.
func TestExecEndsLate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(e *dockertest.Engine, client *docker.Client, id string) error
		code      int
		err       error
	}{
		"later":                  {code: 3},
		"a removal before it":    {meanwhile: removeBox, err: engine.ErrNotFound},
		"a connection that ends": {meanwhile: refuse, err: engine.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := dockertest.Start(t, dockertest.Options{ExecLag: time.Second})
				e.AddImage(dockertest.Box("box"))
				client := e.Client(t)
				id := startBox(t, client)
				if c.meanwhile != nil {
					timer := time.AfterFunc(time.Second/2, func() {
						if err := c.meanwhile(e, client, id); err != nil {
							t.Error(err)
						}
					})
					defer timer.Stop()
				}
				code, err := client.Exec(t.Context(), id, engine.Exec{Command: []string{"/testbox", "-exit", "3"}},
					func(engine.Frame) error { return nil })
				if code != c.code || !errors.Is(err, c.err) {
					t.Errorf("got %d and %v, want %d and %v", code, err, c.code, c.err)
				}
			})
		})
	}
}

// TestExecNeverBegins does not wait for the end of a command that could not be started: the engine knows of it before it says why, and
// no event tells.
func TestExecNeverBegins(t *testing.T) {
	t.Parallel()
	for _, tty := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			e := dockertest.Start(t, dockertest.Options{ExecLag: time.Second})
			e.AddImage(dockertest.Box("box"))
			client := e.Client(t)
			id := startBox(t, client)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			request := engine.Exec{Command: []string{"/nothing"}, Console: engine.Console{Tty: tty}}
			var said strings.Builder
			code, err := client.Exec(ctx, id, request, func(frame engine.Frame) error {
				_, _ = said.Write(frame.Data)
				return nil
			})
			if code != 127 || err != nil || !strings.Contains(said.String(), "/nothing") {
				t.Errorf("tty %v: got %d, %v and %q, want 127", tty, code, err, said.String())
			}
		})
	}
}

func refuse(e *dockertest.Engine, _ *docker.Client, _ string) error {
	e.Refuse()
	return nil
}

func removeBox(_ *dockertest.Engine, client *docker.Client, id string) error {
	return client.RemoveContainer(context.Background(), id, engine.RemoveContainer{Force: true})
}

// TestExecRefused keeps the engine's words and their meaning where it refuses a start that it had prepared.
func TestExecRefused(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{
		http.StatusConflict: engine.ErrConflict, http.StatusNotFound: engine.ErrNotFound, http.StatusInternalServerError: nil,
	} {
		e := dockertest.Start(t, dockertest.Options{})
		e.AddImage(dockertest.Box("box"))
		client := e.Client(t)
		id := startBox(t, client)
		e.Inject(dockertest.Fault{
			On: dockertest.On("POST /exec/{id}/start"), Then: dockertest.Fail, Status: status, Message: "not now",
		})
		_, err := client.Exec(t.Context(), id, engine.Exec{Command: []string{"/testbox"}}, func(engine.Frame) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "not now") || want != nil && !errors.Is(err, want) {
			t.Errorf("%d: got %v, want %v", status, err, want)
		}
	}
}
