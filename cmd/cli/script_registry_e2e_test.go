//go:build e2e

package cli_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/muster-dev/muster/convergence/engine/docker"
)

// registry is a registry on this machine, as much of one as a pull needs. Engines take one on 127.0.0.1 without TLS.
type registry struct {
	address string
	layer   []byte // of all its images: testbox

	mutex   sync.Mutex
	content map[string][]byte // manifests by "repository:tag" and "repository@digest", blobs by digest
}

const manifestType = "application/vnd.docker.distribution.manifest.v2+json"

// startRegistry starts a registry whose images hold a program; what was pulled from it goes with the test.
func startRegistry(t *testing.T, client *docker.Client, program []byte) *registry {
	t.Helper()
	var layer bytes.Buffer
	archive := tar.NewWriter(&layer)
	for _, header := range []tar.Header{
		{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777},
		{Typeflag: tar.TypeReg, Name: "testbox", Mode: 0o755, Size: int64(len(program))},
	} {
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := archive.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	r := &registry{layer: layer.Bytes(), content: map[string][]byte{}}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.address = strings.TrimPrefix(server.URL, "http://")
	t.Cleanup(func() { r.clean(context.WithoutCancel(t.Context()), client) })
	return r
}

// push puts an image under a name, in place of what was there. Images of different versions are different.
func (r *registry) push(name, version string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	config := toJSON(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/testbox"}, "Cmd": []string{"-stay"}, "Env": []string{"VERSION=" + version}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digestOf(r.layer)}},
	})
	manifest := toJSON(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": descriptor("application/vnd.docker.container.image.v1+json", config),
		"layers": []any{descriptor("application/vnd.docker.image.rootfs.diff.tar", r.layer)},
	})
	repository, _, _ := strings.Cut(name, ":")
	r.content[digestOf(r.layer)], r.content[digestOf(config)] = r.layer, config
	r.content[name], r.content[repository+"@"+digestOf(manifest)] = manifest, manifest
}

// clean removes what was pulled from here.
func (r *registry) clean(ctx context.Context, client *docker.Client) {
	images, _ := client.ListImages(ctx)
	for _, image := range images {
		for _, ref := range append(image.Tags, image.Digests...) {
			if strings.HasPrefix(ref, r.address+"/") {
				_ = client.RemoveImage(ctx, ref) // with the last tag the digests go too
			}
		}
	}
}

func toJSON(value any) []byte {
	text, _ := json.Marshal(value) // maps of strings and numbers always can be
	return text
}

// descriptor names content as manifests do.
func descriptor(mediaType string, content []byte) map[string]any {
	return map[string]any{"mediaType": mediaType, "size": len(content), "digest": digestOf(content)}
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ServeHTTP answers GET and HEAD of /v2/, manifests and blobs.
func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	path := strings.TrimPrefix(request.URL.Path, "/v2/")
	if path == "" {
		_, _ = io.WriteString(w, "{}")
		return
	}
	kind := manifestType
	repository, reference, isManifest := strings.Cut(path, "/manifests/")
	content := r.content[repository+":"+reference]
	switch {
	case !isManifest:
		_, reference, _ = strings.Cut(path, "/blobs/")
		content, kind = r.content[reference], "application/octet-stream"
	case strings.HasPrefix(reference, "sha256:"):
		content = r.content[repository+"@"+reference]
	}
	if content == nil {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.Header().Set("Docker-Content-Digest", digestOf(content))
	_, _ = w.Write(content)
}
