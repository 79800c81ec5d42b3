package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/examples/microservices/internal/job"
	"github.com/muster-dev/muster/examples/microservices/internal/store"
)

// newAPI is the API on a real store.
func newAPI(t *testing.T) (http.Handler, job.Store) {
	t.Helper()
	data, err := store.Open(filepath.Join(t.TempDir(), "store.jsonl"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(data.Handler(t.Context()))
	t.Cleanup(func() {
		server.Close()
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	})
	client := job.Store{URL: server.URL, Client: server.Client()}
	return newHandler(client), client
}

func ask(t *testing.T, api http.Handler, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	api.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	return recorder
}

func decode[T any](t *testing.T, recorder *httptest.ResponseRecorder, status int) (value T) {
	t.Helper()
	if recorder.Code != status {
		t.Fatalf("status = %d, want %d: %s", recorder.Code, status, recorder.Body)
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestSubmittedJobIsKeptAndQueued(t *testing.T) {
	t.Parallel()
	api, client := newAPI(t)
	submitted := decode[job.Job](t, ask(t, api, http.MethodPost, "/jobs", `{"text": " some words "}`), http.StatusAccepted)
	if submitted.Text != "some words" || submitted.Status != job.Waiting {
		t.Errorf("submitted %+v", submitted)
	}
	shown := decode[job.Job](t, ask(t, api, http.MethodGet, "/jobs/"+submitted.ID, ""), http.StatusOK)
	if shown != submitted {
		t.Errorf("shown %+v, want %+v", shown, submitted)
	}
	claim, ok, err := client.Claim(t.Context(), job.Queue, time.Second)
	if err != nil || !ok || string(claim.Value) != `"`+submitted.ID+`"` {
		t.Errorf("in the queue: %s, %v, %v", claim.Value, ok, err)
	}
}

func TestListBeginsWithTheNewest(t *testing.T) {
	t.Parallel()
	api, client := newAPI(t)
	if jobs := decode[[]job.Job](t, ask(t, api, http.MethodGet, "/jobs", ""), http.StatusOK); jobs == nil || len(jobs) > 0 {
		t.Errorf("jobs = %v, want an empty list", jobs)
	}
	day := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, id := range []string{"b", "a", "c"} {
		kept := job.Job{ID: id, Submitted: day.AddDate(0, 0, i)}
		if err := client.Put(t.Context(), job.KeyPrefix+id, kept); err != nil {
			t.Fatal(err)
		}
	}
	var order strings.Builder
	for _, listed := range decode[[]job.Job](t, ask(t, api, http.MethodGet, "/jobs", ""), http.StatusOK) {
		order.WriteString(listed.ID)
	}
	if order.String() != "cab" {
		t.Errorf("order = %s, want cab", order.String())
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	api, _ := newAPI(t)
	for _, test := range []struct {
		method, path, body string
		status             int
	}{
		{http.MethodPost, "/jobs", "nonsense", http.StatusBadRequest},
		{http.MethodPost, "/jobs", `{"text": "  "}`, http.StatusBadRequest},
		{http.MethodPost, "/jobs", `{"text": "` + strings.Repeat("x", maxText) + `"}`, http.StatusBadRequest},
		{http.MethodGet, "/jobs/none", "", http.StatusNotFound},
		{http.MethodPut, "/jobs", "", http.StatusMethodNotAllowed},
	} {
		if got := ask(t, api, test.method, test.path, test.body); got.Code != test.status {
			t.Errorf("%s %s = %d, want %d", test.method, test.path, got.Code, test.status)
		}
	}
}

func TestNoStore(t *testing.T) {
	t.Parallel()
	api := newHandler(job.Store{URL: "http://127.0.0.1:1", Client: http.DefaultClient})
	for _, got := range []*httptest.ResponseRecorder{
		ask(t, api, http.MethodPost, "/jobs", `{"text": "x"}`),
		ask(t, api, http.MethodGet, "/jobs", ""),
		ask(t, api, http.MethodGet, "/jobs/x", ""),
	} {
		if got.Code != http.StatusBadGateway {
			t.Errorf("status = %d: %s", got.Code, got.Body)
		}
	}
}
