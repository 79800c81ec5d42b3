package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muster-dev/muster/cmd/cli"
	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
	"github.com/muster-dev/muster/project"
)

// example runs commands on an example, under a project name of the test's own.
type example struct {
	t       *testing.T
	folder  string
	project string
	env     []string
}

// examples are all folders of examples that have a Compose file, each with the part of an engine that is its own.
func examples(t *testing.T, dockerHost string) []example {
	t.Helper()
	files, err := filepath.Glob("../../examples/*/compose.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	var all []example
	for _, file := range files {
		folder, err := filepath.Abs(filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, example{
			t: t, folder: folder, project: "mt-example-" + filepath.Base(folder),
			env: []string{
				"DOCKER_HOST=" + dockerHost, "HOME=" + t.TempDir(),
				"FRONTEND_PORT=0", "HTTP_PORT=0", "POSTGRES_PORT=0", // any that is free
			},
		})
	}
	return all
}

// run runs a command in the example's folder, in a cleanup too, and returns its exit code and what it wrote.
func (e example) run(arguments ...string) (code int, out, errOut string) {
	e.t.Helper()
	var stdout, stderr bytes.Buffer
	app := cli.App{Streams: display.Streams{Out: &stdout, Err: &stderr}, Env: e.env, Dir: e.folder}
	code = cli.Main(context.WithoutCancel(e.t.Context()), append([]string{"-p", e.project}, arguments...), app)
	return code, stdout.String(), stderr.String()
}

func (e example) must(arguments ...string) string {
	e.t.Helper()
	code, out, errOut := e.run(arguments...)
	if code != 0 {
		e.t.Fatalf("muster %v: exit %d\n%s%s", arguments, code, out, errOut)
	}
	return out
}

// Every example loads without a warning, and is planned as its golden says.
func TestExamples(t *testing.T) {
	t.Parallel()
	eng := dockertest.Start(t, dockertest.Options{})
	socket := filepath.Join(t.TempDir(), "engine.sock")
	if err := eng.Serve(socket); err != nil {
		t.Fatal(err)
	}
	for _, e := range examples(t, "unix://"+socket) {
		t.Run(filepath.Base(e.folder), func(t *testing.T) {
			e.t = t
			e.addImages(eng)
			code, out, errOut := e.run("plan")
			if code != 2 || errOut != "" {
				t.Errorf("plan: exit %d, on stderr:\n%s", code, errOut)
			}
			e.golden(out)
			e.must("up", "-d", "--wait")
			if out := e.must("plan"); !strings.Contains(out, "up to date") {
				t.Errorf("a second plan:\n%s", out)
			}
			e.must("down", "-v")
			if left := eng.Snapshot(); len(left.Containers)+len(left.Networks)+len(left.Volumes) > 0 {
				t.Errorf("left:\n%s", left)
			}
		})
	}
}

// addImages puts the images that the example names into an engine in memory.
func (e example) addImages(eng *dockertest.Engine) {
	e.t.Helper()
	for _, ref := range e.images() {
		image := dockertest.Image{Ref: ref, Cmd: []string{"stay"}}
		if strings.HasPrefix(ref, "postgres:") {
			image.Program = standInForPostgres
		}
		eng.AddImage(image)
	}
}

// images are the references of the images that the example runs, with further files if any are given.
func (e example) images(files ...string) (refs []string) {
	e.t.Helper()
	p, err := project.Load(e.t.Context(), project.Options{Dir: e.folder, Env: e.env, Files: files})
	if err != nil {
		e.t.Fatal(err)
	}
	for _, service := range p.Services {
		refs = append(refs, p.ImageName(service))
	}
	return refs
}

// standInForPostgres is a server that stays, and clients that succeed and end.
func standInForPostgres(world testbox.World) (exitCode int) {
	switch world.Args[0] {
	case "psql", "pg_isready":
		return 0
	}
	return dockertest.Shell(world)
}

const (
	usualFile = "compose.yaml"
	ownImages = "compose.muster-test.yaml" // takes images of our own in place of public ones
)

// Examples that run public images can run ours, which cmd/dev makes where there is no registry.
func TestExamplesNeedNoRegistry(t *testing.T) {
	t.Parallel()
	for _, e := range examples(t, "") {
		t.Run(filepath.Base(e.folder), func(t *testing.T) {
			e.t = t
			for _, ref := range e.images(e.files()...) {
				if !strings.HasPrefix(ref, "muster.") {
					t.Errorf("image %s is public: have another in %s", ref, ownImages)
				}
			}
		})
	}
}

// files are the example's Compose files for machines that reach no registry.
func (e example) files() []string {
	if _, err := os.Stat(filepath.Join(e.folder, ownImages)); err != nil {
		return []string{usualFile}
	}
	return []string{usualFile, ownImages}
}

func (e example) golden(got string) {
	e.t.Helper()
	path := filepath.Join("testdata", "examples", filepath.Base(e.folder)+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			e.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		e.t.Errorf("plan (error %v)\n%s\nwant\n%s", err, got, want)
	}
}
