package store_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/examples/microservices/internal/job"
	"github.com/muster-dev/muster/examples/microservices/internal/store"
)

// serve runs a store behind HTTP until the test ends, or until stop is called.
func serve(t *testing.T) (client job.Store, stop func()) {
	t.Helper()
	data, err := store.Open(filepath.Join(t.TempDir(), "store.jsonl"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	server := httptest.NewServer(data.Handler(ctx))
	t.Cleanup(func() {
		stop()
		server.Close()
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	return job.Store{URL: server.URL, Client: server.Client()}, stop
}

func TestKeys(t *testing.T) {
	t.Parallel()
	client, _ := serve(t)
	for _, key := range []string{"b:1", "a:2", "a/1 ü"} {
		if err := client.Put(t.Context(), key, key); err != nil {
			t.Fatal(err)
		}
	}
	var one string
	if err := client.Fetch(t.Context(), "a/1 ü", &one); err != nil || one != "a/1 ü" {
		t.Errorf("Fetch = %q, %v", one, err)
	}
	if err := client.Fetch(t.Context(), "c", &one); !errors.Is(err, job.ErrNotFound) {
		t.Errorf("Fetch of what is not there = %v", err)
	}
	var all []string
	if err := client.Scan(t.Context(), "a", &all); err != nil || strings.Join(all, ",") != "a/1 ü,a:2" {
		t.Errorf("Scan = %q, %v", all, err)
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	client, stop := serve(t)
	if err := client.Push(t.Context(), "q", "task"); err != nil {
		t.Fatal(err)
	}
	claim, ok, err := client.Claim(t.Context(), "q", time.Second)
	if err != nil || !ok || string(claim.Value) != `"task"` {
		t.Fatalf("Claim = %+v, %v, %v", claim, ok, err)
	}
	if err := client.Finish(t.Context(), "q", claim.ID); err != nil {
		t.Errorf("Finish = %v", err)
	}
	if err := client.Finish(t.Context(), "q", claim.ID); !errors.Is(err, job.ErrNotFound) {
		t.Errorf("second Finish = %v", err)
	}
	stop() // else the next claim would wait its whole time
	if _, ok, err := client.Claim(t.Context(), "q", time.Hour); ok || err != nil {
		t.Errorf("Claim of an empty queue = %v, %v", ok, err)
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	client, _ := serve(t)
	for _, test := range []struct{ method, path, body, want string }{
		{http.MethodPut, "/keys/k", "{", "value is not JSON"},
		{http.MethodPut, "/keys/k", `"` + strings.Repeat("x", 70<<10) + `"`, "too large"},
		{http.MethodPost, "/queues/q/claims?wait=soon", "", "read wait"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), test.method, client.URL+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), test.want) {
			t.Errorf("%s %s = %s %s, want %q", test.method, test.path, response.Status, body, test.want)
		}
	}
}
