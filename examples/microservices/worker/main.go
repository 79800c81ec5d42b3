// Command worker takes jobs out of the store's queue, counts their words, and writes the counts back. Run as many as you like.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/muster-dev/muster/examples/microservices/internal/job"
	"github.com/muster-dev/muster/examples/microservices/internal/service"
)

func main() {
	os.Exit(service.Main(service.Program{Name: "worker", Setup: setup}))
}

func setup(_ context.Context, settings service.Settings, log *slog.Logger) (service.Parts, error) {
	const (
		usualPause = time.Second
		patience   = waitForJob + 5*time.Second
	)
	host, err := os.Hostname()
	if err != nil {
		return service.Parts{}, fmt.Errorf("read own name: %w", err)
	}
	pause, err := settings.Duration("RETRY_PAUSE", usualPause)
	if err != nil {
		return service.Parts{}, err
	}
	store := job.Store{
		URL:    settings.Text("STORE_URL", "http://store:8080"),
		Client: &http.Client{Timeout: patience},
	}
	w := worker{name: host, store: store, log: log, pause: pause}
	return service.Parts{Work: w.run, Ready: store.Healthy}, nil
}
