package build_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/convergence/build"
	"github.com/muster-dev/muster/project"
)

var update = flag.Bool("update", false, "write the requests that the tests get into their archives")

// Each archive has a project in its files and the environment `env`; `requests` is what comes of it: for each service with a
// build section its request, or what is wrong, and what is not honoured.
func TestRequests(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := requests(t, archive)
			last := &archive.Files[len(archive.Files)-1]
			if want := string(last.Data); got != want && !*update {
				t.Errorf("requests\n%s\nwant\n%s", got, want)
			}
			if last.Data = []byte(got); *update {
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func requests(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	folder := t.TempDir()
	var env []string
	for _, file := range archive.Files[:len(archive.Files)-1] {
		if file.Name == "env" {
			env = strings.Split(strings.TrimSpace(string(file.Data)), "\n")
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, file.Name), file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := project.Load(t.Context(), project.Options{Dir: folder, Name: "shop", Env: env})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, name := range slices.Sorted(slices.Values(p.ServiceNames())) {
		if service := p.Services[name]; service.Build != nil {
			fmt.Fprintf(&text, "%s\n%s\n", name, outcome(t, p, service))
		}
	}
	for _, warning := range build.Unsupported(p) {
		fmt.Fprintf(&text, "warning: %s\n", warning)
	}
	return strings.ReplaceAll(text.String(), folder, "$WORK")
}

// outcome is what a request says beyond its zero values.
func outcome(t *testing.T, p *project.Project, service project.Service) string {
	t.Helper()
	request, err := build.Request(p, service)
	var loading *project.LoadError
	switch {
	case errors.As(err, &loading):
		return "error: " + err.Error()
	case err != nil:
		t.Fatalf("%v is no LoadError", err)
	}
	encoded, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(encoded, &fields); err != nil {
		t.Fatal(err)
	}
	for name, value := range fields {
		if text := fmt.Sprint(value); text == "" || text == "<nil>" || text == "0" || text == "false" || text == "map[]" {
			delete(fields, name)
		}
	}
	shown, err := json.MarshalIndent(fields, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(shown)
}
