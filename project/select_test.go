package project_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/muster-dev/muster/project"
)

func TestNarrowLeavesTheOriginal(t *testing.T) {
	t.Parallel()
	dir := realDir(t)
	writeFile(t, filepath.Join(dir, "compose.yaml"), `services:
  web: {image: nginx, depends_on: [db]}
  db: {image: postgres}
  api: {image: nginx, depends_on: [web]}
`)
	loaded, err := project.Load(t.Context(), project.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	narrowed, err := loaded.Narrow([]string{"web"}, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := narrowed.ServiceNames(); !slices.Equal(got, []string{"web"}) {
		t.Errorf("narrowed: got %v", got)
	}
	if len(narrowed.Services["web"].DependsOn) != 0 {
		t.Errorf("narrowed: got %v", narrowed.Services["web"].DependsOn)
	}
	if got := slices.Sorted(maps.Keys(narrowed.DisabledServices)); !slices.Equal(got, []string{"api", "db"}) {
		t.Errorf("disabled: got %v", got)
	}
	if len(loaded.Services) != 3 || len(loaded.Services["web"].DependsOn) != 1 || len(loaded.DisabledServices) != 0 {
		t.Errorf("original: got %v", loaded.ServiceNames())
	}
	if narrowed.Place("services.web").Line != 2 {
		t.Errorf("place: got %v", narrowed.Place("services.web"))
	}
}

func TestNarrowUnknown(t *testing.T) {
	t.Parallel()
	empty := &project.Project{Model: &project.Model{}}
	_, err := empty.Narrow([]string{"we\x1b[31mb"}, false)
	var unknown *project.UnknownServiceError
	if !errors.As(err, &unknown) || err.Error() != `no such service: we\x1b[31mb` || unknown.Hint() != "" {
		t.Errorf("got %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	dir := realDir(t)
	writeFile(t, filepath.Join(dir, ".env"), "COMPOSE_FILE=sub/c.yaml\nCOMPOSE_PROGRESS=plain\nA=cwd\nB=cwd\n")
	writeFile(t, filepath.Join(dir, "sub", ".env"), "B=sub\nC=sub\n")
	got, err := project.Environment(project.Options{Dir: dir, Env: []string{"A=os"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"A": "os", "B": "cwd", "C": "sub", "PWD": dir, "COMPOSE_FILE": "sub/c.yaml", "COMPOSE_PROGRESS": "plain",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestName has what differs from Load: nothing but the name has to be right.
func TestName(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want, err string }{
		"broken model": {text: "name: good\nservices: {web: {prots: []}}\n", want: "good"},
		"folder":       {text: "services: 3\n", want: "shop"},
		"no yaml":      {text: "name: [", err: "compose.yaml:1:"},
		"variable":     {text: "name: ${STAGE:-test}-x\n", want: "test-x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := realDir(t)
			writeFile(t, filepath.Join(dir, "compose.yaml"), test.text)
			got, err := project.Name(t.Context(), project.Options{Dir: dir})
			if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestLoadCancelled(t *testing.T) {
	t.Parallel()
	dir := realDir(t)
	writeFile(t, filepath.Join(dir, "compose.yaml"), "services: {web: {image: nginx}}\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := project.Load(ctx, project.Options{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestReadContents(t *testing.T) {
	t.Parallel()
	dir := realDir(t)
	writeFile(t, filepath.Join(dir, "compose.yaml"), `services:
  web: {image: nginx, secrets: [s, env, {source: owned, uid: "103"}], configs: [c, inline, none]}
  built: {image: nginx, build: {context: ., secrets: [missing]}}
secrets: {s: {file: ./s}, env: {environment: V}, owned: {file: ./s}, missing: {environment: NOBODY}, unused: {file: ./nowhere}}
configs: {c: {file: ./s}, inline: {content: hello}, none: {environment: EMPTY}}
`)
	writeFile(t, filepath.Join(dir, "s"), "hello")
	loaded, err := project.Load(t.Context(), project.Options{Dir: dir, Env: []string{"V=hello", "EMPTY="}})
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.ReadContents(); err != nil {
		t.Fatal(err)
	}
	const hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	want := map[string]string{
		project.SecretKey("s"): hello, project.SecretKey("env"): hello, project.SecretKey("owned"): hello,
		project.ConfigKey("c"): hello, project.ConfigKey("inline"): hello, project.ConfigKey("none"): nothing,
	}
	if !maps.Equal(loaded.Digests, want) {
		t.Errorf("got %v", loaded.Digests)
	}
	for key, kept := range map[string]bool{
		project.SecretKey("s"): false, project.SecretKey("env"): true, project.SecretKey("owned"): true, project.ConfigKey("c"): false,
		project.ConfigKey("inline"): true, project.ConfigKey("none"): true, project.SecretKey("missing"): false,
	} {
		content, ok := loaded.Content(key)
		if ok != kept || ok && key != project.ConfigKey("none") && string(content.Bytes()) != "hello" {
			t.Errorf("%s: kept %v, content %q", key, ok, content.Bytes())
		}
		if text := fmt.Sprintf("%v %+v %#v %s", content, []project.Content{content}, &content, content); strings.Contains(text, "hello") {
			t.Errorf("%s: the content shows: %s", key, text)
		}
	}
}
