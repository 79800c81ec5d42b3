// Command api takes jobs and tells what became of them, as JSON over HTTP. It keeps nothing itself: the store does.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/muster-dev/muster/examples/microservices/internal/job"
	"github.com/muster-dev/muster/examples/microservices/internal/service"
)

func main() {
	os.Exit(service.Main(service.Program{Name: "api", Setup: setup}))
}

func setup(_ context.Context, settings service.Settings, _ *slog.Logger) (service.Parts, error) {
	const patience = 5 * time.Second
	store := job.Store{
		URL:    settings.Text("STORE_URL", "http://store:8080"),
		Client: &http.Client{Timeout: patience},
	}
	return service.Parts{Handler: newHandler(store), Ready: store.Healthy}, nil
}
