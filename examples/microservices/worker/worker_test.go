package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/examples/microservices/internal/job"
	"github.com/muster-dev/muster/examples/microservices/internal/store"
)

// newStore is a real store whose requests pass through the given middleware.
func newStore(t *testing.T, through func(http.Handler) http.Handler) job.Store {
	t.Helper()
	data, err := store.Open(filepath.Join(t.TempDir(), "store.jsonl"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(through(data.Handler(t.Context())))
	t.Cleanup(func() {
		server.Close()
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	return job.Store{URL: server.URL, Client: server.Client()}
}

func submit(t *testing.T, s job.Store, id, text string) {
	t.Helper()
	err := errors.Join(s.Put(t.Context(), job.KeyPrefix+id, job.Job{ID: id, Text: text, Status: job.Waiting}),
		s.Push(t.Context(), job.Queue, id))
	if err != nil {
		t.Fatal(err)
	}
}

// onFinish calls done whenever an item was finished.
func onFinish(done func()) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if r.Method == http.MethodDelete {
				done()
			}
		})
	}
}

func TestWorkerDoesWhatIsQueued(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s := newStore(t, onFinish(stop))
	submit(t, s, "1", "two words")
	w := worker{name: "me", store: s, log: slog.New(slog.DiscardHandler), pause: time.Millisecond}
	var group errgroup.Group
	group.Go(func() error { return w.run(ctx) })
	if err := group.Wait(); err != nil {
		t.Errorf("run = %v", err)
	}
	var done job.Job
	if err := s.Fetch(t.Context(), job.KeyPrefix+"1", &done); err != nil {
		t.Fatal(err)
	}
	want := job.Result{Words: 2, Letters: 8, Longest: "words", Worker: "me"}
	if done.Status != job.Done || done.Result == nil || *done.Result != want {
		t.Errorf("job = %+v, result %+v, want %+v", done, done.Result, want)
	}
}

func TestUnknownJobIsDropped(t *testing.T) {
	t.Parallel()
	s := newStore(t, onFinish(func() {}))
	if err := s.Push(t.Context(), job.Queue, "nobody"); err != nil {
		t.Fatal(err)
	}
	w := worker{store: s, log: slog.New(slog.DiscardHandler)}
	if err := w.next(t.Context()); !errors.Is(err, job.ErrNotFound) {
		t.Errorf("next = %v", err)
	}
	if claim, ok, err := s.Claim(t.Context(), job.Queue, 0); ok || err != nil {
		t.Errorf("still in the queue: %+v, %v", claim, err)
	}
}

func TestWorkerOutlivesTheStoreAndStops(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 3 {
			stop()
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	w := worker{store: job.Store{URL: server.URL, Client: server.Client()}, log: slog.New(slog.DiscardHandler), pause: time.Millisecond}
	if err := w.run(ctx); err != nil || calls != 3 {
		t.Errorf("run = %v after %d calls", err, calls)
	}
}
