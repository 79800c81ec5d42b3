//go:build e2e

package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/muster-dev/muster/convergence/engine/docker"
)

// Every example runs on the real engine: all services healthy, logs from each, and nothing left when it is taken down. The
// images are made beforehand (`make images`).
func TestExamplesOnEngine(t *testing.T) {
	client, err := docker.Dial(t.Context(), docker.Options{Env: os.Getenv})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	host := client.Endpoint().Host
	_ = client.Close()
	for _, e := range examples(t, host) {
		t.Run(filepath.Base(e.folder), func(t *testing.T) {
			e.t = t
			t.Cleanup(func() { e.run("down", "-v", "-t", "0") })
			e.must("up", "-d", "--wait")
			var sources []string
			for _, match := range prefixed.FindAllStringSubmatch(e.must("logs", "--no-color"), -1) {
				sources = append(sources, match[1])
			}
			slices.Sort(sources)
			if sources = slices.Compact(sources); len(sources) < 2 {
				t.Errorf("logs of %v only", sources)
			}
			if e.project == "mt-example-microservices" {
				answers(t, e.published("frontend"))
			}
			e.must("down", "-v")
		})
	}
}

// answers expects a page.
func answers(t *testing.T, address string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || len(page) == 0 {
		t.Errorf("%s: %s, error %v, page %q", address, response.Status, err, page)
	}
}

// published is the address of a service's first published port.
func (e example) published(service string) string {
	e.t.Helper()
	var container struct {
		Publishers []struct {
			URL           string
			PublishedPort int
		}
	}
	out := e.must("ps", "--format", "json", service)
	if err := json.Unmarshal([]byte(out), &container); err != nil {
		e.t.Fatalf("ps: %v\n%s", err, out)
	}
	for _, publisher := range container.Publishers {
		if publisher.PublishedPort > 0 {
			return fmt.Sprintf("http://%s:%d", publisher.URL, publisher.PublishedPort)
		}
	}
	e.t.Fatalf("%s publishes no port: %s", service, out)
	return ""
}

// prefixed is a line of logs with its source.
var prefixed = regexp.MustCompile(`(?m)^([a-z]+-\d+) +\| .`)
