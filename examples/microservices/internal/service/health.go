package service

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const healthPath = "/healthz"

// healthHandler answers 200 when the program can do its work, and 503 with the reason when it cannot.
func healthHandler(ready func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ready != nil {
			if err := ready(r.Context()); err != nil {
				WriteError(w, http.StatusServiceUnavailable, err)
				return
			}
		}
		WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
}

// askHealth is the `healthcheck` command: the images are made from scratch, so there is no shell and no curl to ask with.
func askHealth(ctx context.Context, listen string) error {
	const patience = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("read LISTEN: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort("127.0.0.1", port)+healthPath, nil)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is written through it
	if response.StatusCode == http.StatusOK {
		return nil
	}
	const enough = 1 << 10
	reason, err := io.ReadAll(io.LimitReader(response.Body, enough))
	if err != nil {
		return fmt.Errorf("read health: %w", err)
	}
	return fmt.Errorf("not healthy: %s: %s", response.Status, strings.TrimSpace(string(reason)))
}
