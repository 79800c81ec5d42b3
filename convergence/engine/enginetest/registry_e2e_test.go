//go:build e2e

package enginetest_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/enginetest"
)

const (
	listType     = "application/vnd.docker.distribution.manifest.list.v2+json"
	manifestType = "application/vnd.docker.distribution.manifest.v2+json"
	configType   = "application/vnd.docker.container.image.v1+json"
	layerType    = "application/vnd.docker.image.rootfs.diff.tar"
)

// registry is a registry on this machine, as much of one as pulls and pushes need (OCI distribution specification, "pull", "push").
// Engines take one on 127.0.0.1 without TLS.
type registry struct {
	address string
	client  *docker.Client
	t       testing.TB

	mutex     sync.Mutex
	pushed    int
	manifests map[string][]byte // by "repository:tag" and "repository@digest"
	blobs     map[string][]byte // by digest
	layers    map[string]string // digests by "repository:tag"
	denied    map[string]bool
	uploads   map[string][]byte // by their path
}

// startRegistry is nil where the engine cannot reach this machine's loopback address.
func startRegistry(t *testing.T, client *docker.Client) enginetest.Registry {
	t.Helper()
	r := &registry{
		client: client, t: t, manifests: map[string][]byte{}, blobs: map[string][]byte{},
		layers: map[string]string{}, denied: map[string]bool{}, uploads: map[string][]byte{},
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.address = strings.TrimPrefix(server.URL, "http://")
	t.Cleanup(r.clean)
	ref, _ := r.Push("muster-test/reachable", "1")
	if _, err := client.RemoteDigest(t.Context(), ref); err != nil {
		t.Logf("pulls are not tested: the engine does not reach a registry on this machine: %v", err)
		return nil
	}
	return r
}

func (r *registry) Ref(repository, tag string) string {
	return r.address + "/" + repository + ":" + tag
}

func (r *registry) Push(repository, tag string) (ref, digest string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.pushed++
	layer := layerWith(fmt.Sprint(repository, r.pushed))
	config := toJSON(map[string]any{
		"architecture": "amd64", "os": "linux", "config": map[string]any{"Cmd": []string{"/nothing"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digestOf(layer)}},
	})
	manifest := toJSON(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": descriptor(configType, config), "layers": []any{descriptor(layerType, layer)},
	})
	forPlatform := descriptor(manifestType, manifest)
	forPlatform["platform"] = map[string]string{"architecture": "amd64", "os": "linux"}
	list := toJSON(map[string]any{"schemaVersion": 2, "mediaType": listType, "manifests": []any{forPlatform}})
	r.blobs[digestOf(layer)], r.blobs[digestOf(config)] = layer, config
	r.manifests[repository+"@"+digestOf(manifest)] = manifest
	r.manifests[repository+":"+tag], r.manifests[repository+"@"+digestOf(list)] = list, list
	r.layers[repository+":"+tag] = digestOf(layer)
	return r.Ref(repository, tag), digestOf(list)
}

// clean removes what was pulled from here.
func (r *registry) clean() {
	ctx := context.WithoutCancel(r.t.Context())
	images, err := r.client.ListImages(ctx)
	if err != nil {
		r.t.Errorf("list images: %v", err)
	}
	for _, image := range images {
		for _, ref := range append(image.Tags, image.Digests...) {
			if strings.HasPrefix(ref, r.address+"/") {
				_ = r.client.RemoveImage(ctx, ref) // with the last tag the digests go too
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

// layerWith is a layer of one file, big enough to come in several pieces.
func layerWith(text string) []byte {
	const size = 1 << 20
	var layer bytes.Buffer
	archive := tar.NewWriter(&layer)
	content := bytes.Repeat([]byte(text+"\n"), size/len(text))
	_ = archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "content", Mode: 0o644, Size: int64(len(content))})
	_, _ = archive.Write(content)
	_ = archive.Close()
	return layer.Bytes()
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (r *registry) Deny(repository string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.denied[repository] = true
}

// Break spoils the second half of the layer: an engine tries again for a minute when the connection is lost.
func (r *registry) Break(repository, tag string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	layer := r.layers[repository+":"+tag]
	spoilt := bytes.Clone(r.blobs[layer])
	clear(spoilt[len(spoilt)/2:])
	r.blobs[layer] = spoilt
}

// ServeHTTP answers GET and HEAD of /v2/, manifests and blobs, and takes what is pushed.
func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	path := strings.TrimPrefix(request.URL.Path, "/v2/")
	if path == "" {
		_, _ = io.WriteString(w, "{}")
		return
	}
	repository, reference, isManifest := strings.Cut(path, "/manifests/")
	if !isManifest {
		repository, reference, _ = strings.Cut(path, "/blobs/")
	}
	// An engine that pushes asks first by HEAD whether a blob is there, and tries for a minute when that is refused without words.
	if r.denied[repository] && (isManifest || request.Method != http.MethodHead) {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		return
	}
	if request.Method != http.MethodGet && request.Method != http.MethodHead {
		r.take(w, request, repository, reference)
		return
	}
	content, kind := r.blobs[reference], "application/octet-stream"
	if isManifest {
		content, kind = r.manifest(repository, reference), manifestType
		if bytes.Contains(content, []byte(listType)) {
			kind = listType
		}
	}
	if content == nil {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Header().Set("Docker-Content-Digest", digestOf(content))
	_, _ = w.Write(content)
}

func (r *registry) manifest(repository, reference string) []byte {
	if strings.HasPrefix(reference, "sha256:") {
		return r.manifests[repository+"@"+reference]
	}
	return r.manifests[repository+":"+reference]
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}})
}
