package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/muster-dev/muster/examples/microservices/internal/job"
)

// apiClient asks the API.
type apiClient struct {
	url    string
	client *http.Client
}

func (a apiClient) healthy(ctx context.Context) error {
	return a.call(ctx, http.MethodGet, "/healthz", http.NoBody, nil)
}

func (a apiClient) jobs(ctx context.Context) ([]job.Job, error) {
	var jobs []job.Job
	err := a.call(ctx, http.MethodGet, "/jobs", http.NoBody, &jobs)
	return jobs, err
}

func (a apiClient) submit(ctx context.Context, text string) error {
	body, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return fmt.Errorf("ask api: %w", err)
	}
	return a.call(ctx, http.MethodPost, "/jobs", bytes.NewReader(body), nil)
}

func (a apiClient) call(ctx context.Context, method, path string, body io.Reader, target any) error {
	request, err := http.NewRequestWithContext(ctx, method, a.url+path, body)
	if err != nil {
		return fmt.Errorf("ask api: %w", err)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask api: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through it
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("ask api: %s", response.Status)
	}
	if target == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(target); err != nil {
		return fmt.Errorf("read api's answer: %w", err)
	}
	return nil
}
