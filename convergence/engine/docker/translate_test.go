package docker

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/docker/docker/client"
	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

var update = flag.Bool("update", false, "write what the tests get into their goldens")

// Each archive is a concern: the services of `compose.yaml` become the create requests of `requests`, a service after the other,
// without what is zero.
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

func translateArchive(t *testing.T, path string) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := project.Load(t.Context(), project.Options{
		Files: []string{"-"}, Stdin: bytes.NewReader(archive.Files[0].Data), Dir: "/work", Name: "p", Env: []string{"HOME=/root"},
	})
	if err != nil {
		t.Fatalf("load:\n%v", err)
	}
	var got bytes.Buffer
	for _, name := range p.ServiceNames() {
		fmt.Fprintf(&got, "%s %s\n", name, translated(t, p.Services[name]))
	}
	switch {
	case *update:
		archive.Files = append(archive.Files[:1], txtar.File{Name: "requests", Data: got.Bytes()})
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	case len(archive.Files) < 2 || got.String() != string(archive.Files[1].Data):
		t.Errorf("requests\n%s", got.String())
	}
}

// translated is a service's create request as JSON.
func translated(t *testing.T, service project.Service) string {
	t.Helper()
	request := engine.CreateContainer{
		Name: "p-" + service.Name + "-1", Service: service, Image: service.Image, Number: 1, Mounts: service.Volumes,
		NetworkMode: service.NetworkMode, IPC: service.Ipc, PID: service.Pid,
	}
	for _, key := range service.NetworksByPriority() {
		endpoint := engine.Endpoint{Network: "p_" + key, Aliases: []string{service.Name}, Options: service.Networks[key]}
		if service.Networks[key] != nil {
			endpoint.Aliases = append(endpoint.Aliases, service.Networks[key].Aliases...)
		}
		request.Networks = append(request.Networks, endpoint)
	}
	c := &Client{api: fixedVersion{}}
	if service.Name == "environment" {
		c.proxies = map[string]string{"HTTP_PROXY": "http://proxy", "NO_PROXY": "local"}
	}
	parts, err := c.translate(request)
	if err != nil {
		return "error: " + err.Error()
	}
	text, err := json.MarshalIndent(withoutUsual(map[string]any{
		"config": sparse(parts.config), "host": sparse(parts.host), "networking": sparse(parts.networking),
		"platform": sparse(parts.platform),
	}), "", "  ")
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

// isNothing says whether a value says nothing. Some empty lists do: "no command", not "the image's".
func isNothing(key string, value any) bool {
	switch value := value.(type) {
	case nil:
		return true
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
