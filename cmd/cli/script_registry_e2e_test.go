//go:build e2e

package cli_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/muster-dev/muster/cmd/dev/fetched"
	"github.com/muster-dev/muster/cmd/dev/registry"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// registries starts registries on this machine, whose images hold testbox. They and what was pulled from them go with the test.
type registries struct {
	t       *testing.T
	client  *docker.Client
	program string // of the registry
	testbox []byte
}

func newRegistries(t *testing.T, client *docker.Client, testbox []byte) *registries {
	t.Helper()
	program, err := fetched.Registry(t.Context(), t.Logf)
	if err != nil {
		t.Fatalf("fetch registry: %v", err)
	}
	return &registries{t, client, program, testbox}
}

// boxLayer is testbox, a folder for what it writes, and a file that makes it another layer than every other: an engine pulls none
// that it has.
func boxLayer(testbox []byte, mark string) (layer []byte, err error) {
	var content bytes.Buffer
	archive := tar.NewWriter(&content)
	for _, file := range []struct {
		tar.Header
		content []byte
	}{
		{tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}, nil},
		{tar.Header{Typeflag: tar.TypeReg, Name: "mark", Mode: 0o644}, []byte(mark)},
		{tar.Header{Typeflag: tar.TypeReg, Name: "testbox", Mode: 0o755}, testbox},
	} {
		file.Size = int64(len(file.content))
		headerErr := archive.WriteHeader(&file.Header)
		_, contentErr := archive.Write(file.content)
		err = errors.Join(err, headerErr, contentErr)
	}
	err = errors.Join(err, archive.Close())
	return content.Bytes(), err
}

// start may be called by scripts that run at the same time.
func (r *registries) start(user, password string) (*realRegistry, error) {
	ctx := context.WithoutCancel(r.t.Context()) // its end is the cleanup's
	started, err := registry.New(ctx, registry.Options{Program: r.program, User: user, Password: password})
	if err != nil {
		return nil, err
	}
	r.t.Cleanup(func() {
		if err := errors.Join(started.RemovePulled(ctx, r.client), started.Close()); err != nil {
			r.t.Errorf("end registry: %v", err)
		}
	})
	return &realRegistry{started, r.testbox, user, password}, nil
}

// realRegistry is one that runs.
type realRegistry struct {
	*registry.Registry
	testbox        []byte
	user, password string
}

func (r *realRegistry) address() string { return r.Address() }

// push puts a list of images there, as public registries have them, of which there is one for this machine.
func (r *realRegistry) push(name, version string) error {
	ctx := context.Background()
	layer, err := boxLayer(r.testbox, r.Address()+" "+name+" "+version)
	if err != nil {
		return err
	}
	digest, err := r.Push(ctx, name, registry.Image{
		Layers: [][]byte{layer}, Entrypoint: []string{"/testbox"}, Cmd: []string{"-stay"}, Env: []string{"VERSION=" + version},
	})
	if err != nil {
		return err
	}
	repository, tag, _ := strings.Cut(name, ":")
	manifest, err := r.manifest(ctx, http.MethodGet, repository, digest, nil)
	if err != nil {
		return err
	}
	list, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": listType, "manifests": []any{map[string]any{
			"mediaType": manifestType, "digest": digest, "size": len(manifest),
			"platform": map[string]string{"os": "linux", "architecture": runtime.GOARCH},
		}},
	})
	if err != nil {
		return err
	}
	_, err = r.manifest(ctx, http.MethodPut, repository, tag, list)
	return err
}

// Kinds of manifests (Docker Image Manifest V 2, Schema 2).
const (
	manifestType = "application/vnd.docker.distribution.manifest.v2+json"
	listType     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// manifest gets or puts one.
func (r *realRegistry) manifest(ctx context.Context, method, repository, reference string, content []byte) ([]byte, error) {
	url := "http://" + r.Address() + "/v2/" + repository + "/manifests/" + reference
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth(r.user, r.password)
	request.Header.Set("Accept", manifestType)
	request.Header.Set("Content-Type", listType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s: %s: %s", method, url, response.Status, body)
	}
	return body, err
}

func (r *realRegistry) refuse(status int) { r.SetFaults(registry.Faults{Status: status}) }

func (r *realRegistry) hold() { r.SetFaults(registry.Faults{HoldAfter: len(r.testbox) / 2}) }

func (r *realRegistry) awaitHeld(ctx context.Context) error {
	_, err := r.AwaitHeld(ctx)
	return err
}

// release that loses has nothing when the engine comes again, some seconds later: it would go on for a minute.
func (r *realRegistry) release(lost bool) error {
	if !lost {
		r.SetFaults(registry.Faults{})
		return nil
	}
	err := r.Down()
	r.SetFaults(registry.Faults{Status: http.StatusNotFound})
	return errors.Join(err, r.Up(context.Background()))
}

func (r *realRegistry) down() error { return r.Down() }

func (r *realRegistry) well(ctx context.Context) error {
	r.SetFaults(registry.Faults{})
	return r.Up(ctx)
}
