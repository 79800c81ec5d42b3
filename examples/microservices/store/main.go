// Command store keeps the example's data: see the package that it serves.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/muster-dev/muster/examples/microservices/internal/service"
	"github.com/muster-dev/muster/examples/microservices/internal/store"
)

func main() {
	os.Exit(service.Main(service.Program{Name: "store", Setup: setup}))
}

func setup(ctx context.Context, settings service.Settings, log *slog.Logger) (service.Parts, error) {
	const usualLease = 30 * time.Second
	lease, err := settings.Duration("LEASE", usualLease)
	if err != nil {
		return service.Parts{}, err
	}
	path := settings.Text("STORE_FILE", "/data/store.jsonl")
	data, err := store.Open(path, lease)
	if err != nil {
		return service.Parts{}, err
	}
	log.Info("data read", "file", path, "keys", data.Len())
	return service.Parts{Handler: data.Handler(ctx), Close: data.Close}, nil
}
