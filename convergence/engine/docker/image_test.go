package docker_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// refusing answers every pull, and every question for a digest, with an error: at once, or in the middle of a pull.
type refusing struct {
	status  int // 0 for in the middle of a pull
	message string
}

func (r refusing) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	w.Header().Set("Api-Version", "1.51")
	w.Header().Set("Content-Type", "application/json")
	answer := `{"message":"` + r.message + `"}`
	switch {
	case strings.HasSuffix(request.URL.Path, "/_ping"):
		return
	case r.status != 0:
		w.WriteHeader(r.status)
	case strings.HasSuffix(request.URL.Path, "/images/create"):
		answer = `{"status":"Pulling from web","id":"1"}` + "\n" + `{"errorDetail":{"message":"` + r.message + `"},"error":"` + r.message + `"}`
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
	_, _ = io.WriteString(w, answer)
}

// TestRefusedPulls has what engines answer where a registry is no help, word for word, the kind that it is, and what to try.
func TestRefusedPulls(t *testing.T) {
	t.Parallel()
	const login = "log in with `docker login 127.0.0.1:5000`, and check the name: a registry also denies what does not exist"
	const reach = "check that 127.0.0.1:5000 can be reached from the engine's host"
	for _, test := range []struct {
		name, message string
		status        int
		kind          error
		hint          string
	}{
		{
			"no login", `Head \"http://127.0.0.1:5000/v2/web/manifests/1\": no basic auth credentials`,
			http.StatusInternalServerError, engine.ErrDenied, login,
		},
		{"wrong password", "unauthorized: authentication required", http.StatusUnauthorized, engine.ErrDenied, login},
		{"no such user's", "unauthorized: authentication required", 0, engine.ErrDenied, login},
		{"denied", "denied", http.StatusForbidden, engine.ErrDenied, login},
		{"denied in the middle", "denied", 0, engine.ErrDenied, login},
		{
			"no login, containerd's store", `failed to resolve reference \"127.0.0.1:5000/web:1\": pull access denied, repository does not ` +
				"exist or may require authorization: authorization failed: no basic auth credentials",
			http.StatusInternalServerError, engine.ErrDenied, login,
		},
		{
			"not there", "manifest for 127.0.0.1:5000/web:1 not found: manifest unknown: manifest unknown", http.StatusNotFound,
			engine.ErrNotFound, "check the image's name and tag, or build it and set pull_policy: never",
		},
		{
			"no login, the default registry", "pull access denied for web, repository does not exist or may require 'docker login': denied: " +
				"requested access to the resource is denied",
			http.StatusNotFound, engine.ErrNotFound, login,
		},
		{
			"another platform", "no matching manifest for linux/s390x in the manifest list entries", 0,
			engine.ErrNotFound, "take out or change platform, or name an image that there is for it",
		},
		{
			"another platform, without a list", "image with reference 127.0.0.1:5000/web:1 was found but does not provide the specified " +
				"platform (linux/s390x)",
			http.StatusNotFound, engine.ErrNotFound, "take out or change platform, or name an image that there is for it",
		},
		{
			"too many", "toomanyrequests", http.StatusTooManyRequests, nil,
			"wait a little, or log in with `docker login 127.0.0.1:5000`: who is known may pull more often",
		},
		{
			"too many in the middle", "toomanyrequests: You have reached your unauthenticated pull rate limit.", 0, nil,
			"wait a little, or log in with `docker login 127.0.0.1:5000`: who is known may pull more often",
		},
		{
			"down", `Get \"http://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused`,
			http.StatusInternalServerError, nil, reach,
		},
		{
			"no TLS", `Get \"https://127.0.0.1:5000/v2/\": http: server gave HTTP response to HTTPS client`,
			http.StatusInternalServerError, nil, "have the engine trust it: put its certificate into " +
				"/etc/docker/certs.d/127.0.0.1:5000/ca.crt on the engine's host, or name it under insecure-registries in the engine's daemon.json",
		},
		{"failing", "received unexpected HTTP status: 503 Service Unavailable", http.StatusInternalServerError, nil, reach},
		{"broken off", "unexpected EOF", 0, nil, reach},
		{"a layer gone", "unknown blob", 0, nil, reach},
		{
			"no room", "write /var/lib/docker/tmp/GetImageBlob1: no space left on device", 0, nil,
			"see what takes the engine's room: docker system df",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := listen(t, refusing{test.status, test.message})
			client, err := dial(t, docker.Options{Host: "tcp://" + server.Listener.Addr().String()})
			if err != nil {
				t.Fatal(err)
			}
			err = client.PullImage(t.Context(), engine.PullImage{Ref: "127.0.0.1:5000/web:1"}, func(engine.PullProgress) {})
			checkRefusal(t, "pull", err, test.kind, test.hint)
			_, err = client.RemoteDigest(t.Context(), "127.0.0.1:5000/web:1")
			checkRefusal(t, "digest", err, test.kind, test.hint)
			if said := strings.ReplaceAll(test.message, `\"`, `"`); !strings.Contains(err.Error(), said) {
				t.Errorf("error %q, want the engine's words", err)
			}
		})
	}
}

func checkRefusal(t *testing.T, what string, err, kind error, hint string) {
	t.Helper()
	for _, known := range []error{engine.ErrDenied, engine.ErrNotFound, engine.ErrUnavailable} {
		if errors.Is(err, known) != errors.Is(kind, known) {
			t.Errorf("%s: %v; is it %q? %v", what, err, known, errors.Is(err, known))
		}
	}
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) {
		t.Errorf("%s: %v, without a hint", what, err)
		return
	}
	if got := hinted.Hint(); got != hint {
		t.Errorf("%s: %v\nhint %q, want\n     %q", what, err, got, hint)
	}
}
