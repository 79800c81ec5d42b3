package dockertest

import (
	"cmp"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/docker/docker/api/types/filters"
	apiimage "github.com/docker/docker/api/types/image"
	"github.com/docker/go-connections/nat"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func (e *Engine) listImages(x *exchange) error {
	filter, err := filters.FromJSON(x.query("filters"))
	if err != nil {
		return fail(http.StatusBadRequest, "invalid filter")
	}
	if err := filter.Validate(map[string]bool{"reference": true, "label": true, "dangling": true}); err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	e.mutex.Lock()
	list := []apiimage.Summary{}
	for _, i := range e.sortedImages() {
		if !matchesImage(filter, i) {
			continue
		}
		list = append(list, apiimage.Summary{
			ID: i.id, RepoTags: copied(i.tags), RepoDigests: copied(i.digests), Created: i.created().Unix(), Size: i.Size,
			Labels: i.Labels, SharedSize: -1, Containers: e.containersOf(i),
		})
	}
	e.mutex.Unlock()
	return x.answer(http.StatusOK, list)
}

// matchesImage knows the filters of GET /images/json; a reference matches as a pattern of familiar names.
func matchesImage(filter filters.Args, i *image) bool {
	if filter.Contains("label") && !filter.MatchKVList("label", i.Labels) {
		return false
	}
	if filter.Contains("dangling") {
		if want, _ := filter.GetBoolOrDefault("dangling", false); want != (len(i.tags) == 0) {
			return false
		}
	}
	wanted := filter.Get("reference")
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(pattern string) bool {
		return slices.ContainsFunc(i.tags, func(tag string) bool {
			whole, _ := path.Match(pattern, tag)
			name, _ := path.Match(pattern, repository(tag))
			return whole || name
		})
	})
}

func (e *Engine) containersOf(i *image) (count int64) {
	for _, c := range e.containers {
		if c.image == i {
			count++
		}
	}
	return count
}

func (e *Engine) inspectImage(x *exchange) error {
	e.mutex.Lock()
	i, err := e.findImage(x.params["ref"])
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	platform := parsePlatform(i.platform())
	answer := apiimage.InspectResponse{
		ID: i.id, RepoTags: copied(i.tags), RepoDigests: copied(i.digests),
		Created: i.created().UTC().Format(time.RFC3339Nano), Size: i.Size,
		Os: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant, Config: i.imageConfig(),
		RootFS: apiimage.RootFS{Type: "layers", Layers: []string{"sha256:" + hexDigest("layer", i.id)}},
	}
	e.mutex.Unlock()
	return x.answer(http.StatusOK, answer)
}

func (i *image) imageConfig() *dockerspec.DockerOCIImageConfig {
	exposed := map[string]struct{}{}
	for _, port := range i.Expose {
		exposed[string(completePort(port))] = struct{}{}
	}
	return &dockerspec.DockerOCIImageConfig{
		ImageConfig: ocispec.ImageConfig{
			User: i.User, ExposedPorts: exposed, Env: i.Env, Entrypoint: i.Entrypoint, Cmd: i.Cmd, Volumes: setOf(i.Volumes),
			WorkingDir: i.WorkingDir, Labels: i.Labels, StopSignal: i.StopSignal,
		},
		DockerOCIImageConfigExt: dockerspec.DockerOCIImageConfigExt{Healthcheck: i.HealthCheck},
	}
}

// completePort adds the protocol where it is missing.
func completePort(port string) nat.Port {
	protocol, number := nat.SplitProtoPort(port)
	return nat.Port(number + "/" + cmp.Or(protocol, "tcp"))
}

func setOf(names []string) map[string]struct{} {
	if len(names) == 0 {
		return nil
	}
	set := map[string]struct{}{}
	for _, name := range names {
		set[name] = struct{}{}
	}
	return set
}

// copied is a list of its own, never null in JSON.
func copied(list []string) []string { return append([]string{}, list...) }

func (e *Engine) tagImage(x *exchange) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	i, err := e.findImage(x.params["ref"])
	if err != nil {
		return err
	}
	ref, err := normalize(x.query("repo") + ":" + cmp.Or(x.query("tag"), "latest"))
	if err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	e.moveTag(i, ref)
	e.imageEvent("tag", i.id, ref)
	return x.done(http.StatusCreated)
}

// removeImage is DELETE /images/{ref}: a reference goes; the image goes with its last one.
func (e *Engine) removeImage(x *exchange) error {
	e.mutex.Lock()
	removed, err := e.untag(x.params["ref"], x.flag("force"))
	e.mutex.Unlock()
	if err != nil {
		return err
	}
	return x.answer(http.StatusOK, removed)
}

func (e *Engine) untag(ref string, force bool) ([]apiimage.DeleteResponse, error) {
	i, err := e.findImage(ref)
	if err != nil {
		return nil, err
	}
	tag, err := normalize(ref)
	byTag := err == nil && slices.Contains(i.tags, tag)
	user := e.userOf(i)
	switch {
	case byTag && len(i.tags) == 1 && user != nil && !force:
		return nil, fail(http.StatusConflict, "conflict: unable to remove repository reference %q (must force) - container %s is using its referenced image %s",
			ref, shortID(user.id), shortID(i.id[len("sha256:"):]))
	case !byTag && user != nil && (user.isRunning() || !force):
		return nil, fail(http.StatusConflict, "conflict: unable to delete %s (must be forced) - image is being used by stopped container %s",
			shortID(i.id[len("sha256:"):]), shortID(user.id))
	case !byTag && len(i.tags) > 1 && !force:
		return nil, fail(http.StatusConflict, "conflict: unable to delete %s (must be forced) - image is referenced in multiple repositories",
			shortID(i.id[len("sha256:"):]))
	}
	var removed []apiimage.DeleteResponse
	for _, name := range slices.Clone(i.tags) {
		if byTag && name != tag {
			continue
		}
		i.tags = slices.DeleteFunc(i.tags, func(t string) bool { return t == name })
		removed = append(removed, apiimage.DeleteResponse{Untagged: name})
		e.imageEvent("untag", i.id, i.id)
	}
	if len(i.tags) == 0 && user == nil {
		delete(e.images, i.id)
		removed = append(removed, apiimage.DeleteResponse{Deleted: i.id})
		e.imageEvent("delete", i.id, i.id)
	}
	return removed, nil
}

func (e *Engine) userOf(i *image) *container {
	for _, c := range e.sortedContainers() {
		if c.image == i {
			return c
		}
	}
	return nil
}

// platform is what the image is for, as os/arch[/variant].
func (i Image) platform() string { return cmp.Or(i.Platform, operatingSystem+"/"+architecture) }
