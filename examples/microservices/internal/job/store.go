package job

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrNotFound means that the store has nothing under that key.
var ErrNotFound = errors.New("not found")

// Store is a client of the example's store.
type Store struct {
	URL    string // http://store:8080
	Client *http.Client
}

// Claim is an item that a worker took from a queue. It comes back to the queue unless it is finished before its lease ends.
type Claim struct {
	ID    string          `json:"id"`
	Value json.RawMessage `json:"value"`
}

// Put keeps a value under a key.
func (s Store) Put(ctx context.Context, key string, value any) error {
	_, err := s.call(ctx, http.MethodPut, "/keys/"+url.PathEscape(key), value, nil)
	return err
}

// Fetch reads the value of a key into target. [ErrNotFound] when there is none.
func (s Store) Fetch(ctx context.Context, key string, target any) error {
	_, err := s.call(ctx, http.MethodGet, "/keys/"+url.PathEscape(key), nil, target)
	return err
}

// Scan reads the values of all keys that begin with prefix, in the order of the keys.
func (s Store) Scan(ctx context.Context, prefix string, target any) error {
	_, err := s.call(ctx, http.MethodGet, "/keys?prefix="+url.QueryEscape(prefix), nil, target)
	return err
}

// Push puts an item at the end of a queue.
func (s Store) Push(ctx context.Context, queue string, value any) error {
	_, err := s.call(ctx, http.MethodPost, "/queues/"+url.PathEscape(queue)+"/items", value, nil)
	return err
}

// Claim takes the first free item of a queue, waiting for one for a while. ok is false when none came.
func (s Store) Claim(ctx context.Context, queue string, wait time.Duration) (claim Claim, ok bool, err error) {
	path := "/queues/" + url.PathEscape(queue) + "/claims?wait=" + url.QueryEscape(wait.String())
	status, err := s.call(ctx, http.MethodPost, path, nil, &claim)
	return claim, status == http.StatusOK, err
}

// Finish removes a claimed item for good.
func (s Store) Finish(ctx context.Context, queue, id string) error {
	_, err := s.call(ctx, http.MethodDelete, "/queues/"+url.PathEscape(queue)+"/items/"+url.PathEscape(id), nil, nil)
	return err
}

// Healthy asks whether the store can do its work.
func (s Store) Healthy(ctx context.Context) error {
	_, err := s.call(ctx, http.MethodGet, "/healthz", nil, nil)
	return err
}

func (s Store) call(ctx context.Context, method, path string, value, target any) (status int, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("ask store: %w", err)
		}
	}()
	var body io.Reader = http.NoBody
	if value != nil {
		encoded, err := json.Marshal(value)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		return 0, err
	}
	response, err := s.Client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through it
	return response.StatusCode, read(response, target)
}

func read(response *http.Response, target any) error {
	switch response.StatusCode {
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusNoContent:
		return nil
	case http.StatusOK, http.StatusCreated:
		if target == nil {
			return nil
		}
		return json.NewDecoder(response.Body).Decode(target)
	}
	const enough = 1 << 10
	reason, err := io.ReadAll(io.LimitReader(response.Body, enough))
	return errors.Join(fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(reason))), err)
}
