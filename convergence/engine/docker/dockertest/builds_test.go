package dockertest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// buildContext is a folder with a Dockerfile that builds.
func buildContext(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string]string{
		"Dockerfile": "FROM scratch\nCOPY testbox text /\nRUN [\"/testbox\", \"-lines\", \"20\"]\nRUN [\"/testbox\", \"-sleep\", \"1m\"]\n",
		"testbox":    "testbox", "text": strings.Repeat("text ", 10_000),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o700); err != nil { //nolint:gosec // testbox is run
			t.Fatal(err)
		}
	}
	return folder
}

// TestBuildFaults injects outcomes into the calls that hand the connections of a build over.
func TestBuildFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault dockertest.Fault
		want  error  // that the error is
		words string // in the error
	}{
		"fail":              {dockertest.Fault{Then: dockertest.Fail}, nil, "injected failure"},
		"no such call":      {dockertest.Fault{Then: dockertest.Fail, Status: http.StatusNotFound, Message: "page not found"}, engine.ErrUnsupported, "page not found"},
		"forbidden":         {dockertest.Fault{Then: dockertest.Fail, Status: http.StatusForbidden, Message: "no"}, engine.ErrDenied, "no"},
		"cut":               {dockertest.Fault{Then: dockertest.Cut}, engine.ErrUnavailable, ""},
		"cut after a while": {dockertest.Fault{Then: dockertest.Cut, Done: true, Bytes: 100}, engine.ErrUnavailable, ""},
		"refuse":            {dockertest.Fault{Then: dockertest.Refuse}, engine.ErrUnavailable, ""},
		"hang":              {dockertest.Fault{Then: dockertest.Hang}, context.DeadlineExceeded, ""},
	} {
		for _, path := range []string{"/grpc", "/session"} {
			t.Run(name+" "+path[1:], func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					e := start(t, dockertest.Options{})
					client := e.Client(t)
					fault, want := c.fault, c.want
					if path == "/session" && fault.Then == dockertest.Hang {
						want = engine.ErrUnavailable // the engine says that there is none
					}
					fault.On = dockertest.On("POST " + path)
					e.Inject(fault)
					err := buildWithin(t, client, time.Hour)
					if err == nil || !strings.Contains(err.Error(), c.words) || want != nil && !errors.Is(err, want) {
						t.Errorf("error: %v, want %v with %q", err, want, c.words)
					}
				})
			})
		}
	}
}

func buildWithin(t *testing.T, eng engine.Builds, limit time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	request := engine.BuildImage{Service: "web", Context: buildContext(t), Tags: []string{"web:1"}}
	_, err := eng.BuildImage(ctx, request, func(engine.BuildProgress) {})
	return err
}

// TestBuildCut loses a connection of a build wherever it may be: the build fails as the loss of an engine does, or was done by
// then, and nothing of it goes on (which the bubble sees).
func TestBuildCut(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/grpc", "/session"} {
		for _, bytes := range []int{100, 150, 250, 400, 700, 1000, 2000, 3000, 5000, 20_000} {
			t.Run(fmt.Sprint(path[1:], " after ", bytes), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					e := start(t, dockertest.Options{})
					client := e.Client(t)
					remove := e.Inject(dockertest.Fault{On: dockertest.On("POST " + path), Then: dockertest.Cut, Done: true, Bytes: bytes})
					if err := buildWithin(t, client, time.Hour); err != nil && !errors.Is(err, engine.ErrUnavailable) {
						t.Errorf("error: %v, want one that the engine is lost", err)
					}
					remove()
					if err := buildWithin(t, client, time.Hour); err != nil {
						t.Errorf("build after it: %v", err)
					}
				})
			})
		}
	}
}

// TestBuildEnds gives a build up at once when its caller does, wherever it is.
func TestBuildEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := start(t, dockertest.Options{}).Client(t)
		for _, limit := range []time.Duration{0, time.Second, 59 * time.Second} {
			begin := time.Now()
			if err := buildWithin(t, client, limit); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error: %v, want the deadline", err)
			}
			if took := time.Since(begin); took != limit {
				t.Errorf("took %v, want %v", took, limit)
			}
		}
	})
}

// TestSessionOnce refuses a session's ID while the session lasts.
func TestSessionOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := start(t, dockertest.Options{})
		first := openSession(t, e, "one")
		if status := first.status; status != http.StatusSwitchingProtocols {
			t.Fatalf("first: status %d", status)
		}
		synctest.Wait()
		if status := openSession(t, e, "one").status; status != http.StatusBadRequest {
			t.Errorf("second of the same ID: status %d, want a refusal", status)
		}
		if err := first.connection.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if status := openSession(t, e, "one").status; status != http.StatusSwitchingProtocols {
			t.Errorf("when the first is gone: status %d", status)
		}
	})
}

type opened struct {
	connection net.Conn
	status     int
}

func openSession(t *testing.T, e *dockertest.Engine, id string) opened {
	t.Helper()
	connection, err := e.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://engine/session", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"h2c"}, "X-Docker-Expose-Session-Uuid": {id}}
	if err := request.Write(connection); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return opened{connection, response.StatusCode}
}
