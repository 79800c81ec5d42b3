package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
)

// Image is an image of the machine's architecture that is made here and needs no engine.
type Image struct {
	Layers     [][]byte // tars, as [Layer] makes them
	Entrypoint []string
	Cmd        []string
	Env        []string // "NAME=value"
	Labels     map[string]string
	User       string
}

// Layer is a tar of programs by path, "/bin/web". Layers are kept and sent as they are, so that a layer's size is that of its
// download.
func Layer(files map[string][]byte) []byte {
	const program = 0o755
	var layer bytes.Buffer
	archive := tar.NewWriter(&layer)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(name, "/"), Mode: program, Size: int64(len(files[name]))}
		_ = archive.WriteHeader(header) // into memory, which does not fail
		_, _ = archive.Write(files[name])
	}
	_ = archive.Close()
	return layer.Bytes()
}

const (
	manifestType = "application/vnd.docker.distribution.manifest.v2+json"
	configType   = "application/vnd.docker.container.image.v1+json"
	layerType    = "application/vnd.docker.image.rootfs.diff.tar"
)

// Push puts an image under a name, "shop/web:1", in place of what was there, and returns its digest. It goes past the faults.
func (r *Registry) Push(ctx context.Context, name string, image Image) (digest string, err error) {
	repository, tag, ok := strings.Cut(name, ":")
	if !ok {
		return "", fmt.Errorf("push %q: it has no tag", name)
	}
	manifest, blobs := image.encode()
	for _, blob := range blobs {
		if err := r.upload(ctx, repository, blob); err != nil {
			return "", fmt.Errorf("push %q: %w", name, err)
		}
	}
	if _, err := r.call(ctx, http.MethodPut, "/v2/"+repository+"/manifests/"+tag, manifestType, manifest); err != nil {
		return "", fmt.Errorf("push %q: %w", name, err)
	}
	return digestOf(manifest), nil
}

// encode is the image as registries keep it: a manifest, and the blobs that it names.
func (i Image) encode() (manifest []byte, blobs [][]byte) {
	var ids []string
	var layers []any
	for _, layer := range i.Layers {
		ids = append(ids, digestOf(layer))
		layers = append(layers, descriptor(layerType, layer))
	}
	config := toJSON(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": i.Entrypoint, "Cmd": i.Cmd, "Env": i.Env, "Labels": i.Labels, "User": i.User},
		"rootfs": map[string]any{"type": "layers", "diff_ids": ids},
	})
	manifest = toJSON(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": descriptor(configType, config), "layers": layers,
	})
	return manifest, append(slices.Clone(i.Layers), config)
}

func descriptor(mediaType string, content []byte) map[string]any {
	return map[string]any{"mediaType": mediaType, "size": len(content), "digest": digestOf(content)}
}

func toJSON(value any) []byte {
	text, _ := json.Marshal(value) // of strings, numbers and maps of them, which always can be
	return text
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// upload sends a blob in one piece (OCI distribution specification, "POST then PUT").
func (r *Registry) upload(ctx context.Context, repository string, blob []byte) error {
	begun, err := r.call(ctx, http.MethodPost, "/v2/"+repository+"/blobs/uploads/", "", nil)
	if err != nil {
		return err
	}
	place, err := begun.Location()
	if err != nil {
		return err
	}
	query := place.Query()
	query.Set("digest", digestOf(blob))
	place.RawQuery = query.Encode()
	_, err = r.call(ctx, http.MethodPut, place.RequestURI(), "application/octet-stream", blob)
	return err
}

// call asks the registry's program directly. The answer's body is read and closed.
func (r *Registry) call(ctx context.Context, method, path, contentType string, content []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+r.Address()+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	if r.options.User != "" {
		request.SetBasicAuth(r.options.User, r.options.Password)
	}
	response, err := r.direct.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	const enough = 4 << 10
	body, err := io.ReadAll(io.LimitReader(response.Body, enough))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, response.Status, body)
	}
	response.Request = request
	return response, nil
}
