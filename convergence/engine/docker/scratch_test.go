package docker_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

func TestImportImage(t *testing.T) {
	t.Parallel()
	e := dockertest.Start(t, dockertest.Options{})
	importImage(t, e.Client(t))
	imports := 0
	for _, call := range e.Calls() {
		if call.Route == "POST /images/create" {
			imports++
		}
	}
	if imports != 2 {
		t.Errorf("imports: %d, want 2: one for each content", imports)
	}
}

func TestImportArchive(t *testing.T) {
	t.Parallel()
	importArchive(t, dockertest.Start(t, dockertest.Options{}).Client(t))
}

// importArchive makes an image of a tar under two references, and another in its place; no image is left.
func importArchive(t *testing.T, client *docker.Client) {
	t.Helper()
	const ref, further = "muster-test/archive:latest", "muster-test/archive:1"
	ctx := t.Context()
	var ids []string
	for _, text := range []string{"one", "another"} {
		wanted := docker.ScratchImage{Ref: ref, Tags: []string{further}, Archive: tarOf(t, "bin/web", text), Cmd: []string{"/bin/web"}}
		id, err := client.ImportImage(ctx, wanted)
		if err != nil {
			t.Fatalf("import: %v", err)
		}
		ids = append(ids, id)
		for _, name := range []string{ref, further} {
			if found, err := client.InspectImage(ctx, name); err != nil || found.ID != id {
				t.Errorf("%s is %s, %v; want %s", name, found.ID, err, id)
			}
		}
	}
	if _, err := client.InspectImage(ctx, ids[0]); !errors.Is(err, engine.ErrNotFound) || ids[0] == ids[1] {
		t.Errorf("the image that had the references before: %v, want none", err)
	}
	for _, name := range []string{further, ref} {
		if err := client.RemoveImage(ctx, name); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
}

// tarOf is an archive of one file.
func tarOf(t *testing.T, name, text string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// importImage makes an image, once more the same, another under its reference, and looks at each; no image is left.
func importImage(t *testing.T, client *docker.Client) {
	t.Helper()
	const ref = "muster-test/scratch:1"
	ctx := t.Context()
	wanted := docker.ScratchImage{
		Ref:     ref,
		Files:   map[string]docker.ScratchFile{"/bin/web": {Content: []byte("program")}, "/etc/web/conf": {Content: []byte("a=b"), Mode: 0o600}},
		Folders: map[string]fs.FileMode{"/tmp": 0o1777 | fs.ModeSticky},
		Cmd:     []string{"/bin/web", "with space", `"quoted"`, "$DOLLAR"},
		Env:     map[string]string{"PLAIN": "1", "AWKWARD": `say "hi" to \ and $HOME now`, "EMPTY": ""},
		Labels:  map[string]string{"dev.muster.test": `a "b" \c $d`},
		Expose:  []string{"80/tcp", "53/udp"}, Volumes: []string{"/data", "/cache"},
		User: "1000:1000", WorkingDir: "/srv", StopSignal: "SIGQUIT",
		HealthCheck: &docker.ScratchHealth{Test: []string{"/bin/web", "check"}, Interval: time.Second, Retries: 4, StartPeriod: time.Minute},
	}
	id, err := client.ImportImage(ctx, wanted)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	found, err := client.InspectImage(ctx, ref)
	switch {
	case err != nil:
		t.Fatalf("inspect: %v", err)
	case found.ID != id || !found.HasHealth || len(found.Volumes) != 2 || found.Labels["dev.muster.test"] != wanted.Labels["dev.muster.test"]:
		t.Errorf("image: %+v, want ID %s and what was asked for", found, id)
	}
	checkContainer(t, client, wanted)
	if again, err := client.ImportImage(ctx, wanted); err != nil || again != id {
		t.Errorf("import again: %s, %v; want %s", again, err, id)
	}
	wanted.Files["/bin/web"] = docker.ScratchFile{Content: []byte("another program")}
	second, err := client.ImportImage(ctx, wanted)
	if err != nil || second == id {
		t.Errorf("import another: %s, %v; want another than %s", second, err, id)
	}
	if _, err := client.InspectImage(ctx, id); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("the image that had the reference before: %v, want none", err)
	}
	if err := client.RemoveImage(ctx, ref); err != nil {
		t.Errorf("remove: %v", err)
	}
	if err := client.RemoveImage(ctx, ref); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("remove again: %v, want not found", err)
	}
}

// checkContainer looks at what a container gets from the image.
func checkContainer(t *testing.T, client *docker.Client, image docker.ScratchImage) {
	t.Helper()
	ctx := t.Context()
	created, err := client.CreateContainer(ctx, engine.CreateContainer{Name: "muster-test-scratch", Image: image.Ref, NetworkMode: "none"})
	if err != nil {
		t.Fatalf("create container: %v", err)
	}
	details, err := client.InspectContainer(ctx, created.ID)
	if err != nil {
		t.Fatalf("inspect container: %v", err)
	}
	for name, value := range image.Env {
		if got, set := details.Environment[name]; !set || got != value {
			t.Errorf("variable %s: %q, want %q", name, got, value)
		}
	}
	if len(details.Mounts) != 2 {
		t.Errorf("mounts: %v, want the image's two volumes", details.Mounts)
	}
	if err := client.RemoveImage(ctx, image.Ref); !errors.Is(err, engine.ErrConflict) {
		t.Errorf("remove the image while a container uses it: %v, want a conflict", err)
	}
	if err := client.RemoveContainer(ctx, created.ID, engine.RemoveContainer{Volumes: true}); err != nil {
		t.Errorf("remove container: %v", err)
	}
}
