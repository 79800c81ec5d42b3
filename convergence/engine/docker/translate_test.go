package docker

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/client"
	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

var update = flag.Bool("update", false, "write what the tests get into their goldens")

// Each archive is a concern: what its `compose.yaml` asks for becomes the create requests of `requests`, as the planner and the
// adapter make them for an empty engine, without what is zero. The archive's other files lie beside the compose file.
func TestTranslation(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/translate/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			translateArchive(t, path)
		})
	}
}

const golden = "requests"

func translateArchive(t *testing.T, path string) {
	t.Helper()
	archive := readArchive(t, path)
	p, err := archive.load(t, archive.file("compose.yaml"))
	if err != nil {
		t.Fatalf("load:\n%v", err)
	}
	got := archive.requests(t, p)
	switch want := archive.file(golden); {
	case *update:
		archive.write(t, path, got)
	case got != string(want):
		t.Errorf("requests\n%s", got)
	}
}

// archive is a txtar whose files are also in a folder.
type archive struct {
	*txtar.Archive
	dir string
}

func readArchive(t *testing.T, path string) archive {
	t.Helper()
	read, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a := archive{read, t.TempDir()}
	for _, file := range a.Files {
		if file.Name == golden {
			continue
		}
		if err := os.WriteFile(filepath.Join(a.dir, file.Name), file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (a archive) file(name string) []byte {
	for _, file := range a.Files {
		if file.Name == name {
			return file.Data
		}
	}
	return nil
}

func (a archive) write(t *testing.T, path, requests string) {
	t.Helper()
	a.Files = slices.DeleteFunc(a.Files, func(file txtar.File) bool { return file.Name == golden })
	a.Files = append(a.Files, txtar.File{Name: golden, Data: []byte(requests)})
	if err := os.WriteFile(path, txtar.Format(a.Archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (a archive) options(content []byte) project.Options {
	return project.Options{
		Files: []string{"-"}, Stdin: bytes.NewReader(content), Dir: a.dir, Name: "p", Env: []string{"HOME=/root"},
	}
}

func (a archive) load(t *testing.T, content []byte) (*project.Project, error) {
	t.Helper()
	return project.Load(t.Context(), a.options(content))
}

// requests are the create requests of a project, a paragraph each.
func (a archive) requests(t *testing.T, p *project.Project) string {
	t.Helper()
	state := plan.State{}
	for _, network := range p.Networks {
		if network.External {
			state.Networks = append(state.Networks, engine.Network{ID: "id of " + network.Name, Name: network.Name})
		}
	}
	for _, volume := range p.Volumes {
		if volume.External {
			state.Volumes = append(state.Volumes, engine.Volume{Name: volume.Name})
		}
	}
	order, err := graph.From(p)
	if err != nil {
		return fmt.Sprintf("error: %v\n", err)
	}
	made, err := plan.Reconcile(plan.Input{Project: p, Graph: order, State: state})
	if err != nil {
		return fmt.Sprintf("error: %v\n", err)
	}
	var requests []string
	for _, node := range made.Nodes {
		switch create := node.Step.(type) {
		case step.CreateContainer:
			requests = append(requests, translated(t, create.Request))
		case step.CreateNetwork:
			settings := sparse(networkOptions(engine.CreateNetwork{Network: create.Request.Network, Labels: users(create.Request.Labels)}))
			requests = append(requests, "network "+create.Request.Name+" "+indented(t, settings))
		case step.CreateVolume:
			settings := sparse(volumeOptions(engine.CreateVolume{Volume: create.Request.Volume, Labels: users(create.Request.Labels)}))
			requests = append(requests, "volume "+create.Request.Name+" "+indented(t, settings))
		}
	}
	slices.Sort(requests)
	requests = slices.DeleteFunc(requests, func(text string) bool { return text == "network p_default {}" })
	return strings.ReplaceAll(strings.Join(requests, "\n")+"\n", a.dir, "/work")
}

// users are the labels that the file asks for.
func users(labels map[string]string) map[string]string {
	labels = maps.Clone(labels)
	maps.DeleteFunc(labels, func(key, _ string) bool {
		return strings.HasPrefix(key, "com.docker.compose.") || strings.HasPrefix(key, "dev.muster.")
	})
	return labels
}

// translated is a container's create request as JSON.
func translated(t *testing.T, request engine.CreateContainer) string {
	t.Helper()
	c := &Client{api: fixedVersion{}}
	switch name := request.Service.Name; {
	case name == "environment":
		c.proxies = map[string]string{"HTTP_PROXY": "http://proxy", "NO_PROXY": "local"}
	case strings.HasPrefix(name, "windows"):
		c.system = "windows"
	}
	request.Labels = users(request.Labels)
	parts, err := c.translate(request)
	if err != nil {
		return request.Name + " error: " + err.Error()
	}
	return request.Name + " " + indented(t, withoutUsual(map[string]any{
		"config": sparse(parts.config), "host": sparse(parts.host), "networking": sparse(parts.networking),
		"platform": sparse(parts.platform),
	}))
}

func indented(t *testing.T, value any) string {
	t.Helper()
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// withoutUsual takes out what every request says.
func withoutUsual(request map[string]any) map[string]any {
	usual := map[string]map[string]string{
		"config": {"AttachStdout": "true", "AttachStderr": "true", "Image": "i"},
		"host":   {"ConsoleSize": "[0 0]", "NetworkMode": "p_default"},
	}
	for part, fields := range usual {
		object, _ := request[part].(map[string]any)
		for key, value := range fields {
			if fmt.Sprint(object[key]) == value {
				delete(object, key)
			}
		}
	}
	if networking, _ := json.Marshal(request["networking"]); bytes.Contains(networking, []byte("p_default")) {
		delete(request, "networking")
	}
	for part, value := range request {
		if object, ok := value.(map[string]any); value == nil || ok && len(object) == 0 {
			delete(request, part)
		}
	}
	return request
}

// sparse is a struct as JSON values without what is zero, so that a golden shows what was said and nothing else.
func sparse(value any) any {
	data, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return err.Error()
	}
	return prune(tree)
}

func prune(tree any) any {
	object, ok := tree.(map[string]any)
	if !ok {
		return tree
	}
	for key, value := range object {
		if key == "ExposedPorts" {
			continue // its keys are what it says
		}
		object[key] = prune(value)
		if isNothing(key, object[key]) {
			delete(object, key)
		}
	}
	return object
}

// isNothing says whether a value says nothing. Some empty lists do: "no command", not "the image's"; and so does a no where
// saying nothing leaves it to the engine.
func isNothing(key string, value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case bool:
		return !value && key != "EnableIPv4" && key != "EnableIPv6" && key != "Init"
	case []any:
		telling := key == "Cmd" || key == "Entrypoint" || key == "MaskedPaths" || key == "ReadonlyPaths"
		return len(value) == 0 && !telling
	case map[string]any:
		return len(value) == 0
	}
	return reflect.ValueOf(value).IsZero()
}

// fixedVersion is a client library that only knows its API version.
type fixedVersion struct{ client.APIClient }

func (fixedVersion) ClientVersion() string { return "1.51" }
