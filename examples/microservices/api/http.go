package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/examples/microservices/internal/job"
	"github.com/muster-dev/muster/examples/microservices/internal/service"
)

const (
	maxText = 4 << 10 // bytes
	maxJobs = 50      // in one answer
)

func newHandler(store job.Store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /jobs", func(w http.ResponseWriter, r *http.Request) { submit(w, r, store) })
	mux.HandleFunc("GET /jobs", func(w http.ResponseWriter, r *http.Request) { list(w, r, store) })
	mux.HandleFunc("GET /jobs/{id}", func(w http.ResponseWriter, r *http.Request) { show(w, r, store) })
	return mux
}

// submit keeps the job before it puts it into the queue: a worker must find what it takes.
func submit(w http.ResponseWriter, r *http.Request, store job.Store) {
	text, err := readText(w, r)
	if err != nil {
		service.WriteError(w, http.StatusBadRequest, err)
		return
	}
	submitted := job.Job{ID: rand.Text(), Text: text, Status: job.Waiting, Submitted: time.Now().UTC()}
	if err := store.Put(r.Context(), job.KeyPrefix+submitted.ID, submitted); err != nil {
		service.WriteError(w, http.StatusBadGateway, err)
		return
	}
	if err := store.Push(r.Context(), job.Queue, submitted.ID); err != nil {
		service.WriteError(w, http.StatusBadGateway, err)
		return
	}
	service.WriteJSON(w, http.StatusAccepted, submitted)
}

func readText(w http.ResponseWriter, r *http.Request) (string, error) {
	var request struct {
		Text string `json:"text"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxText)).Decode(&request); err != nil {
		return "", fmt.Errorf("read job: %w", err)
	}
	text := strings.TrimSpace(request.Text)
	if text == "" {
		return "", errors.New("the job has no text")
	}
	return text, nil
}

// list answers with the newest jobs, the newest first.
func list(w http.ResponseWriter, r *http.Request, store job.Store) {
	jobs := []job.Job{}
	if err := store.Scan(r.Context(), job.KeyPrefix, &jobs); err != nil {
		service.WriteError(w, http.StatusBadGateway, err)
		return
	}
	slices.SortFunc(jobs, func(a, b job.Job) int {
		return cmp.Or(b.Submitted.Compare(a.Submitted), cmp.Compare(a.ID, b.ID))
	})
	service.WriteJSON(w, http.StatusOK, jobs[:min(len(jobs), maxJobs)])
}

func show(w http.ResponseWriter, r *http.Request, store job.Store) {
	var found job.Job
	err := store.Fetch(r.Context(), job.KeyPrefix+r.PathValue("id"), &found)
	switch {
	case errors.Is(err, job.ErrNotFound):
		service.WriteError(w, http.StatusNotFound, err)
	case err != nil:
		service.WriteError(w, http.StatusBadGateway, err)
	default:
		service.WriteJSON(w, http.StatusOK, found)
	}
}
