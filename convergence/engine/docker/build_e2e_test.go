//go:build e2e

package docker_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// TestBuildCredentialsReal builds from a registry that wants a name and a password: a real BuildKit asks for them in the session,
// and gets what the docker CLI's configuration has.
func TestBuildCredentialsReal(t *testing.T) {
	var shown atomic.Int32 // calls with the right credentials
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); name != "me" || password != "hush" {
			w.Header().Set("Www-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		shown.Add(1)
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(registry.Close)
	address := strings.TrimPrefix(registry.URL, "http://")
	folder := t.TempDir()
	content := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, address, base64.StdEncoding.EncodeToString([]byte("me:hush")))
	if err := os.WriteFile(filepath.Join(folder, "config.json"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for config, want := range map[string]error{folder: engine.ErrNotFound, t.TempDir(): engine.ErrDenied} {
		client, err := docker.Dial(t.Context(), docker.Options{Host: os.Getenv("DOCKER_HOST"), Env: func(name string) string {
			return map[string]string{"DOCKER_CONFIG": config}[name]
		}})
		if err != nil {
			t.Fatalf("connect to engine: %v", err)
		}
		_, err = client.BuildImage(context.WithoutCancel(t.Context()), engine.BuildImage{
			Service: "web", Context: t.TempDir(), DockerfileInline: "FROM " + address + "/muster-test/private:1\n",
		}, func(engine.BuildProgress) {})
		if !errors.Is(err, want) {
			t.Errorf("build: error %v, want one that is %q", err, want)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	if shown.Load() == 0 {
		t.Error("the registry was shown no credentials")
	}
}
