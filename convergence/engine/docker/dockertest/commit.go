package dockertest

import (
	"maps"
	"net/http"
	"path"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"
)

// commitContainer is POST /commit: an image of a container's files and settings.
func (e *Engine) commitContainer(x *exchange) error {
	tag := ""
	if repo := x.query("repo"); repo != "" {
		var err error
		if tag, err = normalize(strings.TrimSuffix(repo+":"+x.query("tag"), ":")); err != nil {
			return fail(http.StatusBadRequest, "%v", err)
		}
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	c, err := e.findContainer(x.query("container"))
	if err != nil {
		return err
	}
	image := c.asImage()
	for _, change := range x.URL.Query()["changes"] {
		if err := apply(&image, change); err != nil {
			return fail(http.StatusBadRequest, "%v", err)
		}
	}
	image.Created = e.clock.now()
	image.Version = hexDigest("commit", c.id, image.Created.String())
	stored := e.store(image, tag)
	e.containerEvent(c, "commit", "comment", x.query("comment"), "imageID", stored.id, "imageRef", tag)
	return x.answer(http.StatusCreated, apicontainer.CommitResponse{ID: stored.id})
}

// asImage is the image of what a container has by now, without what is mounted.
func (c *container) asImage() Image {
	image := c.image.Image
	image.Entrypoint, image.Cmd, image.Env, image.User = c.config.Entrypoint, c.config.Cmd, c.config.Env, c.config.User
	image.WorkingDir, image.StopSignal, image.HealthCheck = c.config.WorkingDir, c.config.StopSignal, c.config.Healthcheck
	image.Labels, image.Files, image.LayerSizes = maps.Clone(c.config.Labels), map[string][]byte{}, nil
	for _, n := range c.files.tree("/", "/", c.image.Files) {
		if n.mode.IsRegular() {
			image.Files[path.Clean(n.name)] = n.content
		}
	}
	return image
}
