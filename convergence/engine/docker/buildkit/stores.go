package buildkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/client/ociindex"
	sessioncontent "github.com/moby/buildkit/session/content"
	ocidigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/muster-dev/muster/convergence/engine"
)

// stores are folders of this side that BuildKit reads from, or writes to, by digests: caches of builds, and images as OCI layouts.
type stores struct {
	open      map[string]content.Store // by what BuildKit calls them
	written   map[string]string        // folders of caches that the build writes, and the tags that these get there
	temporary []string                 // folders to remove after the build
}

// usualTag is what a cache in a folder is called where nothing else is said (buildkit, client).
const usualTag = "latest"

// typeLocal is a cache in a folder of this side.
const typeLocal = "local"

func (s *stores) add(name, folder string) (err error) {
	if s.open[name] != nil {
		return nil
	}
	if s.open == nil {
		s.open = map[string]content.Store{}
	}
	s.open[name], err = local.NewStore(folder)
	return err
}

// names are those of the stores, sorted.
func (s *stores) names() []string { return slices.Sorted(maps.Keys(s.open)) }

// attachable has BuildKit reach the stores; nil where there are none.
func (s *stores) attachable() attachable {
	if len(s.open) == 0 {
		return nil
	}
	return sessioncontent.NewAttachable(s.open)
}

// close removes what was only there for the build.
func (s *stores) close() {
	for _, folder := range s.temporary {
		_ = os.RemoveAll(folder) // in the folder for temporary files
	}
}

// addCaches opens the folders of caches. Those to read from that hold none are taken out and told.
func (s *stores) addCaches(options *control.CacheOptions) (missing []string, err error) {
	for _, entry := range options.GetExports() {
		if entry.GetType() == typeLocal {
			if err := s.addExport(entry); err != nil {
				return nil, fmt.Errorf("cache_to: %w", err)
			}
		}
	}
	var found []*control.CacheOptionsEntry
	for _, entry := range options.GetImports() {
		folder := entry.GetAttrs()["src"]
		if entry.GetType() == typeLocal && folder == "" {
			return nil, errors.New("cache_from: type=local needs src=, a folder")
		}
		if entry.GetType() == typeLocal {
			if why := s.addImport(entry); why != nil {
				missing = append(missing, fmt.Sprintf("cache_from %s is left out: %v", folder, why))
				continue
			}
		}
		found = append(found, entry)
	}
	options.Imports = found
	return missing, nil
}

// addExport opens a folder that a cache is to be written to.
func (s *stores) addExport(entry *control.CacheOptionsEntry) error {
	folder := entry.GetAttrs()["dest"]
	if folder == "" {
		return errors.New("type=local needs dest=, a folder")
	}
	if s.written == nil {
		s.written = map[string]string{}
	}
	s.written[folder] = tagOf(entry.GetAttrs())
	return s.add("local:"+folder, folder)
}

func tagOf(attributes map[string]string) string {
	if tag := attributes["tag"]; tag != "" {
		return tag
	}
	return usualTag
}

// addImport opens a folder that a cache is to be read from, and says in the entry which one of those in it.
func (s *stores) addImport(entry *control.CacheOptionsEntry) error {
	folder := entry.GetAttrs()["src"]
	if entry.GetAttrs()["digest"] == "" {
		found, err := digestIn(folder, tagOf(entry.GetAttrs()))
		if err != nil {
			return err
		}
		entry.Attrs["digest"] = found.String()
	} else if _, err := os.Stat(folder); err != nil {
		return errors.New("there is no such folder")
	}
	return s.add("local:"+folder, folder)
}

// digestIn is the digest of what the index of an OCI layout has under a tag; of the only one where no tag is given.
func digestIn(folder, tag string) (ocidigest.Digest, error) {
	content, err := os.ReadFile(filepath.Join(folder, ocispec.ImageIndexFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no %s in it", ocispec.ImageIndexFile)
	} else if err != nil {
		return "", err
	}
	var index ocispec.Index
	if err := json.Unmarshal(content, &index); err != nil {
		return "", fmt.Errorf("read %s: %w", ocispec.ImageIndexFile, err)
	}
	for _, one := range index.Manifests {
		named := one.Annotations[ocispec.AnnotationRefName]
		isOnly := !slices.ContainsFunc(index.Manifests, func(other ocispec.Descriptor) bool { return other.Digest != one.Digest })
		if tag != "" && named == tag || tag == "" && isOnly {
			return one.Digest, one.Digest.Validate()
		}
	}
	if tag == "" {
		return "", fmt.Errorf("it holds %d images: say which with :tag or @digest", len(index.Manifests))
	}
	return "", fmt.Errorf("nothing in it is tagged %q", tag)
}

// noteCaches puts what was written into the indexes of the caches' folders.
func (b *Builder) noteCaches(s *stores, answer *control.SolveResponse) error {
	const cacheManifest = "cache.manifest" // buildkit, client
	text := answer.GetExporterResponse()[cacheManifest]
	if text == "" || len(s.written) == 0 {
		return nil
	}
	var written ocispec.Descriptor
	if err := json.Unmarshal([]byte(text), &written); err != nil {
		return fmt.Errorf("cache_to: %w", err)
	}
	b.indexing.Lock() // the index's own lock waits for nobody
	defer b.indexing.Unlock()
	for folder, tag := range s.written {
		if err := ociindex.NewStoreIndex(folder).Put(written, ociindex.Tag(tag)); err != nil {
			return fmt.Errorf("cache_to %s: %w", folder, err)
		}
	}
	return nil
}

// layoutPrefix is what an image in a folder begins with as a context: "oci-layout:///folder:tag@digest".
const layoutPrefix = "oci-layout://"

// addLayout is an OCI layout as a context, as BuildKit is told of it.
func (s *stores) addLayout(place string) (context string, err error) {
	folder, given, _ := strings.Cut(strings.TrimPrefix(place, layoutPrefix), "@")
	tag := ""
	if at := strings.LastIndex(folder, ":"); at > strings.LastIndexAny(folder, `/\`) {
		folder, tag = folder[:at], folder[at+1:]
	}
	found := ocidigest.Digest(given)
	switch {
	case given != "":
		err = found.Validate()
	case tag == "":
		if found, err = digestIn(folder, usualTag); err != nil {
			found, err = digestIn(folder, "")
		}
	default:
		found, err = digestIn(folder, tag)
	}
	if err != nil {
		return "", fmt.Errorf("the OCI layout %s: %w", folder, err)
	}
	const digits = 20
	name := "layout-" + digest(folder)[:digits]
	if err := s.add("oci:"+name, folder); err != nil {
		return "", fmt.Errorf("the OCI layout %s: %w", folder, err)
	}
	return layoutPrefix + name + "@" + found.String(), nil
}

// addImage is an image of the engine's as a context, which is unpacked into a folder for the build.
func (s *stores) addImage(archive io.Reader) (context string, err error) {
	folder, err := os.MkdirTemp("", "muster-context-")
	if err != nil {
		return "", err
	}
	s.temporary = append(s.temporary, folder)
	switch err := unpackLayout(archive, folder); {
	case err != nil:
		return "", err
	case !isFile(filepath.Join(folder, ocispec.ImageIndexFile)):
		return "", &kinded{engine.ErrUnsupported, "the engine does not save images as OCI layouts, as engines do from 25 on"}
	}
	return s.addLayout(layoutPrefix + folder)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
