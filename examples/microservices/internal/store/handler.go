package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/muster-dev/muster/examples/microservices/internal/service"
)

const (
	maxValue = 64 << 10         // bytes
	maxWait  = 30 * time.Second // for an item
)

// Handler serves the store. The end of its context ends the calls that wait for an item.
func (s *Store) Handler(ctx context.Context) http.Handler {
	state := s.state
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /keys/{name}", change(state, opPut, http.StatusOK))
	mux.HandleFunc("POST /queues/{name}/items", change(state, opPush, http.StatusCreated))
	mux.HandleFunc("DELETE /queues/{name}/items/{id}", change(state, opFinish, http.StatusOK))
	mux.HandleFunc("GET /keys/{name}", func(w http.ResponseWriter, r *http.Request) {
		value, err := state.value(r.PathValue("name"))
		answer(w, http.StatusOK, value, err)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		service.WriteJSON(w, http.StatusOK, state.scan(r.URL.Query().Get("prefix")))
	})
	mux.HandleFunc("POST /queues/{name}/claims", func(w http.ResponseWriter, r *http.Request) {
		claim(ctx, w, r, state)
	})
	return mux
}

// change makes a handler for one kind of record.
func change(s *state, op operation, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := readValue(w, r)
		if err != nil {
			service.WriteError(w, http.StatusBadRequest, err)
			return
		}
		err = s.change(record{Op: op, Name: r.PathValue("name"), ID: r.PathValue("id"), Value: value})
		answer(w, status, map[string]string{"status": "ok"}, err)
	}
}

// readValue returns the body, which must be JSON; nil when there is none.
func readValue(w http.ResponseWriter, r *http.Request) (json.RawMessage, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxValue))
	if err != nil {
		return nil, fmt.Errorf("read value: %w", err)
	}
	if len(body) == 0 && r.Method == http.MethodDelete {
		return nil, nil
	}
	if !json.Valid(body) {
		return nil, errors.New("value is not JSON")
	}
	return body, nil
}

func claim(stopping context.Context, w http.ResponseWriter, r *http.Request, s *state) {
	wait, err := time.ParseDuration(r.URL.Query().Get("wait"))
	if err != nil {
		service.WriteError(w, http.StatusBadRequest, fmt.Errorf("read wait: %w", err))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), min(wait, maxWait))
	defer cancel()
	defer context.AfterFunc(stopping, cancel)()
	id, value, ok := s.claim(ctx, r.PathValue("name"))
	if !ok {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	service.WriteJSON(w, http.StatusOK, map[string]any{"id": id, "value": value})
}

func answer(w http.ResponseWriter, status int, value any, err error) {
	switch {
	case err == nil:
		service.WriteJSON(w, status, value)
	case errors.Is(err, errNotFound):
		service.WriteError(w, http.StatusNotFound, err)
	default:
		service.WriteError(w, http.StatusInternalServerError, err)
	}
}
