package dockertest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	apicontainer "github.com/docker/docker/api/types/container"
	apievents "github.com/docker/docker/api/types/events"

	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// Image is an image as tests describe it.
type Image struct {
	Ref string // the reference it is tagged with; "name" means "name:latest"
	// Version tells images apart: two with the same version are the same image, whatever their references. Empty means Ref.
	Version  string
	Platform string // linux/amd64 if empty

	Entrypoint   []string
	Cmd          []string
	Env          []string
	Expose       []string // "80/tcp"
	Volumes      []string
	Labels       map[string]string
	User         string
	WorkingDir   string
	StopSignal   string
	HealthCheck  *apicontainer.HealthConfig
	Files        map[string][]byte
	Size         int64
	LayerSizes   []int64 // what a pull brings; one layer of Size if empty
	Created      time.Time
	OnlyItsFiles bool // commands that are not among Files cannot be started, as in an image made FROM scratch
	// Program is what runs in its containers and what their health checks call, with the whole command as its arguments; but
	// [testbox.Path] always is testbox. Nil is [Shell].
	Program Program
}

// Program is what runs in a container. It ends when SIGKILL comes, at the latest.
type Program func(testbox.World) (exitCode int)

// Box is an image that holds testbox and nothing else, and by itself stays until it is stopped.
func Box(ref string) Image {
	return Image{
		Ref: ref, Version: "testbox", Entrypoint: []string{testbox.Path}, Cmd: []string{"-stay"},
		Files: map[string][]byte{testbox.Path: nil}, OnlyItsFiles: true, Size: 6 << 20,
	}
}

// image is an image that the engine has.
type image struct {
	Image
	id      string
	tags    []string // familiar, with tag, in the order of tagging
	digests []string // familiar, with digest
	added   time.Time
}

// AddImage puts an image into the engine, as if it had been loaded: nothing is pulled. It returns the ID.
func (e *Engine) AddImage(added Image) (id string) {
	ref, err := normalize(added.Ref)
	if err != nil {
		panic(err) // the test is wrong
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.store(added, ref).id
}

// ID is the image's ID in any engine.
func (i Image) ID() string {
	return "sha256:" + hexDigest("image", cmp.Or(i.Version, i.Ref), i.Platform)
}

// Digest is the image's digest in any registry.
func (i Image) Digest() string { return "sha256:" + hexDigest("manifest", i.ID()) }

// store keeps an image and moves the tag to it. Called with the mutex held.
func (e *Engine) store(added Image, tag string) *image {
	stored, known := e.images[added.ID()]
	if !known {
		stored = &image{Image: added, id: added.ID(), added: e.clock.now()}
		e.images[stored.id] = stored
	}
	if tag != "" {
		e.moveTag(stored, tag)
	}
	return stored
}

func (e *Engine) moveTag(to *image, tag string) {
	for _, other := range e.images {
		if other != to {
			other.tags = slices.DeleteFunc(other.tags, func(t string) bool { return t == tag })
		}
	}
	if !slices.Contains(to.tags, tag) {
		to.tags = append(to.tags, tag)
	}
}

// findImage resolves an ID, the beginning of one, or a reference.
func (e *Engine) findImage(ref string) (*image, error) {
	bare := strings.TrimPrefix(ref, "sha256:")
	var found []*image
	for id, candidate := range e.images {
		if id == "sha256:"+bare {
			return candidate, nil
		}
		if len(bare) >= 4 && strings.HasPrefix(id, "sha256:"+bare) {
			found = append(found, candidate)
		}
	}
	if strings.HasPrefix(ref, "sha256:") && len(found) != 1 {
		return nil, fail(http.StatusNotFound, "No such image: %s", ref)
	}
	wanted, err := normalize(ref)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "%v", err)
	}
	for _, candidate := range e.images {
		if slices.Contains(candidate.tags, wanted) || slices.Contains(candidate.digests, wanted) {
			return candidate, nil
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return nil, fail(http.StatusNotFound, "No such image: %s", wanted)
}

// normalize is the familiar form of a reference with tag or digest: "nginx" becomes "nginx:latest".
func normalize(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", err
	}
	if digested, ok := named.(reference.Digested); ok {
		return reference.FamiliarName(named) + "@" + digested.Digest().String(), nil
	}
	return reference.FamiliarString(reference.TagNameOnly(named)), nil
}

// repository is a normalized reference without tag and digest.
func repository(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return reference.FamiliarName(named)
}

func (e *Engine) imageEvent(action, id, name string) {
	e.events.publish(apievents.ImageEventType, action, id, map[string]string{"name": name})
}

// sortedImages are the newest first, as a list has them.
func (e *Engine) sortedImages() []*image {
	return slices.SortedFunc(maps.Values(e.images), func(a, b *image) int {
		return cmp.Or(b.created().Compare(a.created()), cmp.Compare(a.id, b.id))
	})
}

func (i *image) created() time.Time {
	if !i.Created.IsZero() {
		return i.Created
	}
	return i.added
}
