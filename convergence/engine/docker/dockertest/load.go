package dockertest

import (
	"net/http"

	"github.com/muster-dev/muster/convergence/engine/docker/buildkit/buildkittest"
)

// archiveRoutes are those of images as archives.
func archiveRoutes() []route {
	return []route{
		{"POST", "/images/load", (*Engine).loadImages},
		{"GET", "/images/get", (*Engine).saveImages},
	}
}

// loadImages is POST /images/load: an image out of an archive.
func (e *Engine) loadImages(x *exchange) error {
	read, refs, err := buildkittest.ReadArchive(x.Body)
	if err != nil {
		return fail(http.StatusInternalServerError, "%v", err)
	}
	loaded := imageOf(read)
	loaded.Ref = "loaded"
	loaded.Created = e.clock.now()
	e.mutex.Lock()
	stored := e.store(loaded, "")
	for _, ref := range refs {
		name := mustNormalize(ref)
		e.moveTag(stored, name)
		e.imageEvent("tag", stored.id, name)
		e.imageEvent("load", stored.id, stored.id)
	}
	e.mutex.Unlock()
	return x.answer(http.StatusOK, map[string]string{"stream": "Loaded image: " + stored.id + "\n"})
}

// saveImages is GET /images/get: the archive of an image.
func (e *Engine) saveImages(x *exchange) error {
	names := x.URL.Query()["names"]
	if len(names) == 0 {
		return fail(http.StatusBadRequest, "no image is named")
	}
	e.mutex.Lock()
	found, err := e.findImage(names[0])
	e.mutex.Unlock()
	if err != nil {
		return err
	}
	x.w.Header().Set("Content-Type", "application/x-tar")
	return buildkittest.WriteArchive(x.w, baseImage(found.Image), names)
}
