//go:build e2e

package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/project"
)

// runningExample is an example on the real engine.
type runningExample struct {
	example
	client *docker.Client
}

// Every example runs on the real engine: all services healthy, logs from each, what it is for works, and nothing left when it is
// taken down. What they run is made beforehand (`make images`) or built; where that cannot be, the
// images that the examples name are pulled.
func TestExamplesOnEngine(t *testing.T) {
	client, err := docker.Dial(t.Context(), docker.Options{Env: os.Getenv})
	if err != nil {
		t.Fatalf("connect to engine: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	works := map[string]func(runningExample){
		"microservices":    runningExample.answersWithPage,
		"integration-test": runningExample.passesItsTests,
		"single-host":      runningExample.outlivesReplica,
	}
	for _, e := range examples(t, client.Endpoint().Host) {
		name := filepath.Base(e.folder)
		t.Run(name, func(t *testing.T) {
			e.t = t
			running := runningExample{e, client}
			running.chooseImages()
			t.Cleanup(func() { e.run("down", "-v", "-t", "0") })
			running.must("up", "-d", "--build", "--wait")
			var sources []string
			for _, match := range prefixed.FindAllStringSubmatch(running.must("logs", "--no-color"), -1) {
				sources = append(sources, match[1])
			}
			slices.Sort(sources)
			if sources = slices.Compact(sources); len(sources) < 2 {
				t.Errorf("logs of %v only", sources)
			}
			check, there := works[name]
			if !there {
				t.Fatal("say in works what the example is for")
			}
			check(running)
			running.leavesNothing()
		})
	}
}

// prefixed is a line of logs with its source.
var prefixed = regexp.MustCompile(`(?m)^([a-z]+-\d+) +\| .`)

// chooseImages takes our own images where the engine has them.
func (e *runningExample) chooseImages() {
	e.t.Helper()
	for _, ref := range e.images(e.files()...) {
		_, err := e.client.InspectImage(e.t.Context(), ref)
		if errors.Is(err, engine.ErrNotFound) {
			e.t.Logf("the engine has no image %s: running public ones", ref)
			return
		}
		if err != nil {
			e.t.Fatal(err)
		}
	}
	e.env = append(e.env, "COMPOSE_FILE="+strings.Join(e.files(), ":"), "COMPOSE_PATH_SEPARATOR=:")
}

// answersWithPage expects a page of the front end.
func (e runningExample) answersWithPage() {
	e.t.Helper()
	if page := e.fetch("http://" + e.published("frontend")); page == "" {
		e.t.Error("the page is empty")
	}
}

// passesItsTests runs the example's own Go tests on its database: it is a module for itself.
func (e runningExample) passesItsTests() {
	e.t.Helper()
	test := exec.CommandContext(e.t.Context(), "go", "test", "-count=1", "./...")
	test.Dir = e.folder
	test.Env = append(os.Environ(), "DATABASE_URL=postgres://shop:for-tests-only@"+e.published("postgres")+"/shop?sslmode=disable")
	if output, err := test.CombinedOutput(); err != nil {
		e.t.Errorf("go test: %v\n%s", err, output)
	}
	e.must("up", "-d", "--wait") // which runs the jobs again
}

// outlivesReplica kills one of the two replicas behind the proxy: the site goes on answering, and the next up makes it whole.
func (e runningExample) outlivesReplica() {
	e.t.Helper()
	const patience = 30 * time.Second
	limited, cancel := context.WithTimeout(e.t.Context(), patience)
	defer cancel()
	address := "http://" + e.published("proxy")
	e.bothAnswer(limited, address)
	if err := e.client.KillContainer(limited, e.project+"-web-1", ""); err != nil {
		e.t.Fatal(err)
	}
	for range 5 {
		e.fetch(address)
	}
	e.must("up", "-d", "--wait")
	e.bothAnswer(limited, address)
}

// bothAnswer asks until two replicas have answered, and expects the visits to be counted.
func (e runningExample) bothAnswer(ctx context.Context, address string) {
	e.t.Helper()
	answer := regexp.MustCompile(`^visit (\d+), answered by (\w+)\n$`)
	last, replicas := "", map[string]bool{}
	for len(replicas) < 2 {
		if ctx.Err() != nil {
			e.t.Fatalf("only %v answered", replicas)
		}
		page := e.fetch(address)
		found := answer.FindStringSubmatch(page)
		if found == nil || found[1] == last {
			e.t.Fatalf("answer %q after visit %q", page, last)
		}
		last, replicas[found[2]] = found[1], true
	}
}

// fetch returns a page.
func (e runningExample) fetch(address string) string {
	e.t.Helper()
	request, err := http.NewRequestWithContext(e.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		e.t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		e.t.Fatalf("%s: %s, error %v, page %q", address, response.Status, err, page)
	}
	return string(page)
}

// published is where a service's first published port is: host and port.
func (e runningExample) published(service string) string {
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
			return fmt.Sprintf("%s:%d", publisher.URL, publisher.PublishedPort)
		}
	}
	e.t.Fatalf("%s publishes no port: %s", service, out)
	return ""
}

// leavesNothing takes the example down and looks for what it had: also for volumes that the engine has named.
func (e runningExample) leavesNothing() {
	e.t.Helper()
	ctx := e.t.Context()
	containers, err := e.client.ListContainers(ctx, engine.ContainerFilter{Project: e.project})
	if err != nil || len(containers) == 0 {
		e.t.Fatalf("containers before: %v, %v", containers, err)
	}
	mounted := map[string]bool{}
	for _, container := range containers {
		details, err := e.client.InspectContainer(ctx, container.ID)
		if err != nil {
			e.t.Fatal(err)
		}
		for _, mount := range details.Mounts {
			mounted[mount.Name] = mount.Name != ""
		}
	}
	e.must("down", "-v")
	containers, err = e.client.ListContainers(ctx, engine.ContainerFilter{Project: e.project})
	if err != nil || len(containers) > 0 {
		e.t.Errorf("containers left: %v, %v", containers, err)
	}
	networks, err := e.client.ListNetworks(ctx)
	if err != nil {
		e.t.Error(err)
	}
	for _, network := range networks {
		if network.Labels[project.LabelProject] == e.project {
			e.t.Errorf("network left: %s", network.Name)
		}
	}
	volumes, err := e.client.ListVolumes(ctx)
	if err != nil {
		e.t.Error(err)
	}
	for _, volume := range volumes {
		if mounted[volume.Name] || volume.Labels[project.LabelProject] == e.project {
			e.t.Errorf("volume left: %s", volume.Name)
		}
	}
}
