package buildkittest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/distribution/reference"
	control "github.com/moby/buildkit/api/services/control"
	sessioncontent "github.com/moby/buildkit/session/content"
	"github.com/moby/buildkit/session/filesync"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Pusher is an [Engine] whose BuildKit pushes images itself.
type Pusher interface {
	// Push puts an image into the registries of the references.
	Push(built Image, refs []string) error
}

// export is where a result goes.
type export struct {
	kind string // moby: into the engine; docker: as an archive to the client; image: to its registries
	refs []string
}

func exportOf(request *control.SolveRequest) (export, error) {
	exporters := request.GetExporters()
	if len(exporters) != 1 || !slices.Contains([]string{"moby", "docker", "image"}, exporters[0].GetType()) {
		return export{}, unknown("exporters %v", exporters)
	}
	to := export{kind: exporters[0].GetType()}
	names, ok := exporters[0].GetAttrs()["name"]
	if !ok {
		return to, nil
	}
	to.refs = strings.Split(names, ",")
	for i, ref := range to.refs {
		named, err := reference.ParseNormalizedNamed(ref)
		if err != nil {
			return export{}, err
		}
		to.refs[i] = reference.TagNameOnly(named).String()
	}
	return to, nil
}

// export brings the image to where it is to go, and returns its ID.
func (b *build) export(ctx context.Context, at *state, to export) (id string, err error) {
	built := at.image
	built.Config.Labels = maps.Clone(built.Config.Labels)
	if built.Config.Labels == nil {
		built.Config.Labels = map[string]string{}
	}
	maps.Copy(built.Config.Labels, b.options.labels)
	built.Version = hash(at.key, fmt.Sprintf("%+v", built.Config), fmt.Sprintf("%+v", built.Config.Healthcheck))
	id = "sha256:" + hash("image", built.Version)
	switch to.kind {
	case "docker":
		v := b.job.begin("exporting to docker image format")
		return id, v.end(b.send(ctx, built, to.refs))
	case "image":
		v := b.job.begin("exporting to image")
		pusher, ok := b.server.engine.(Pusher)
		if !ok {
			return "", v.end(errors.New(`exporter "image" could not be found`))
		}
		return id, v.end(pusher.Push(built, to.refs))
	}
	v := b.job.begin("exporting to image")
	id, err = b.server.engine.Keep(built, to.refs)
	return id, v.end(err)
}

// send brings the image as an archive to the client.
func (b *build) send(ctx context.Context, built Image, refs []string) error {
	writer, err := filesync.CopyFileWriter(ctx, map[string]string{"image.name": strings.Join(refs, ",")}, 0, b.sync.caller)
	if err != nil {
		return err
	}
	return errors.Join(WriteArchive(writer, built, refs), writer.Close())
}

// localCache is a cache in a folder of the client's.
const localCache = "local"

// readCaches looks whether caches in folders of the client's are there. Nothing is taken out of them.
func (b *build) readCaches(ctx context.Context, options *control.CacheOptions) error {
	for _, entry := range options.GetImports() {
		if entry.GetType() != localCache {
			continue
		}
		v := b.job.begin("importing cache manifest from local")
		store := sessioncontent.NewCallerStore(b.sync.caller, "local:"+entry.GetAttrs()["src"])
		_, err := store.Info(ctx, digest.Digest(entry.GetAttrs()["digest"]))
		if err := v.end(err); err != nil {
			return err
		}
	}
	return nil
}

// writeCaches writes something into folders of the client's that are to get the cache, and returns what it answers.
func (b *build) writeCaches(ctx context.Context, options *control.CacheOptions) (map[string]string, error) {
	answer := map[string]string{}
	for _, entry := range options.GetExports() {
		switch {
		case entry.GetType() == "inline":
			continue
		case entry.GetType() != localCache:
			return nil, fmt.Errorf("unknown cache exporter: %q", entry.GetType())
		}
		if _, apart := b.server.engine.(Pusher); !apart { // as the BuildKit in an engine without containerd's image store
			return nil, fmt.Errorf("unknown cache exporter: %q", entry.GetType())
		}
		manifest := []byte(`{"schemaVersion":2}`)
		written := ocispec.Descriptor{
			MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: int64(len(manifest)),
		}
		v := b.job.begin("exporting cache to client directory")
		store := sessioncontent.NewCallerStore(b.sync.caller, "local:"+entry.GetAttrs()["dest"])
		err := content.WriteBlob(ctx, store, written.Digest.String(), bytes.NewReader(manifest), written)
		if err := v.end(err); err != nil {
			return nil, err
		}
		text, err := json.Marshal(written)
		if err != nil {
			return nil, err
		}
		answer["cache.manifest"] = string(text)
	}
	return answer, nil
}
