// Command frontend shows the API's jobs as a page and takes new ones by a form.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/muster-dev/muster/examples/microservices/internal/service"
)

func main() {
	os.Exit(service.Main(service.Program{Name: "frontend", Setup: setup}))
}

func setup(_ context.Context, settings service.Settings, log *slog.Logger) (service.Parts, error) {
	const patience = 5 * time.Second
	look, err := readLook(settings.Text("CONFIG_FILE", "/etc/frontend.json"))
	if err != nil {
		return service.Parts{}, err
	}
	api := apiClient{url: settings.Text("API_URL", "http://api:8080"), client: &http.Client{Timeout: patience}}
	return service.Parts{Handler: newHandler(api, look, log), Ready: api.healthy}, nil
}
