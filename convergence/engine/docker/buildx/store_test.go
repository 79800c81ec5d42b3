package buildx_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine/docker/buildx"
)

// store is a folder as buildx 0.29 has it.
func store(t *testing.T, files map[string]string) buildx.Store {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return buildx.Store{Folder: folder}
}

const (
	far = `{"Name":"far","Driver":"remote","Nodes":[{"Name":"far0","Endpoint":"tcp://far:1234",` +
		`"Platforms":[{"architecture":"arm","os":"linux","variant":"v7"}],` +
		`"DriverOpts":{"cacert":"/ca.pem"},"Flags":null,"Files":{"buildkitd.toml":"YQ=="}}],"Dynamic":false}`
	near = `{"Name":"near","Driver":"docker-container","Nodes":[{"Name":"near0","Endpoint":"default"}]}`
)

func TestNamed(t *testing.T) {
	t.Parallel()
	s := store(t, map[string]string{
		"instances/far": far, "instances/near": near, "instances/bad": "{", "instances/none": `{"Name":"none"}`,
		"instances/big": strings.Repeat(" ", 5<<20), "instances/.tmp-x": near,
	})
	want := buildx.Builder{Name: "far", Driver: "remote", Nodes: []buildx.Node{{
		Name: "far0", Endpoint: "tcp://far:1234", Platforms: []buildx.Platform{{OS: "linux", Architecture: "arm", Variant: "v7"}},
		DriverOpts: map[string]string{"cacert": "/ca.pem"}, Files: map[string][]byte{"buildkitd.toml": []byte("a")},
	}}}
	if got, err := s.Named("FAR"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if text := want.Nodes[0].Platforms[0].String(); text != "linux/arm/v7" {
		t.Errorf("got %q", text)
	}
	for name, words := range map[string]string{"bad": "unexpected end of JSON", "none": "it has no nodes", "big": "more than 4 MB"} {
		if _, err := s.Named(name); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: got %v, want %q in it", name, err, words)
		}
	}
	for _, name := range []string{"other", "../instances/far", "", "1st"} {
		if _, err := s.Named(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: got %v", name, err)
		}
	}
	if got := s.Names(); !reflect.DeepEqual(got, []string{"bad", "big", "far", "near", "none"}) {
		t.Errorf("names %q", got)
	}
	if got := (buildx.Store{Folder: filepath.Join(s.Folder, "nothing")}).Names(); got != nil {
		t.Errorf("names of no folder: %q", got)
	}
}

func TestChosen(t *testing.T) {
	t.Parallel()
	const (
		here = "unix:///var/run/docker.sock"
		// The beginning of the SHA-256 of "prod".
		forProd = "defaults/6754af9632a2745e85c2"
	)
	for name, c := range map[string]struct {
		files        map[string]string
		engine, want string
	}{
		"nothing":               {nil, here, ""},
		"for this engine":       {map[string]string{"current": `{"Key":"` + here + `","Name":"far","Global":false}`}, here, "far"},
		"for another":           {map[string]string{"current": `{"Key":"prod","Name":"far","Global":false}`}, here, ""},
		"for all":               {map[string]string{"current": `{"Key":"prod","Name":"far","Global":true}`}, here, "far"},
		"the engine's own":      {map[string]string{"current": `{"Key":"` + here + `","Name":"","Global":false}`}, here, ""},
		"one that has gone":     {map[string]string{"current": `{"Key":"` + here + `","Name":"gone","Global":false}`}, here, ""},
		"as a default":          {map[string]string{forProd: "far"}, "prod", "far"},
		"a default over others": {map[string]string{"current": `{"Key":"x","Name":"gone","Global":true}`, forProd: "far"}, "prod", "far"},
	} {
		files := map[string]string{"instances/far": far}
		for path, content := range c.files {
			files[path] = content
		}
		if got, err := store(t, files).Chosen(c.engine); got != c.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
	if _, err := store(t, map[string]string{"current": "{"}).Chosen(here); err == nil || !strings.Contains(err.Error(), "current: unexpected end") {
		t.Errorf("got %v", err)
	}
}
