package project

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// PlatformOf is the platform that the image of a service is wanted for: its own, else that of DOCKER_DEFAULT_PLATFORM; empty leaves
// it to the engine.
func (p *Project) PlatformOf(service Service) string {
	return cmp.Or(service.Platform, p.Environment[defaultPlatform])
}

const defaultPlatform = "DOCKER_DEFAULT_PLATFORM"

// pinPlatforms writes the default platform into services that are built, where docker compose has it in the model too.
func pinPlatforms(model *Model) {
	platform := model.Environment[defaultPlatform]
	for name, service := range model.Services {
		if platform != "" && service.Build != nil && service.Platform == "" {
			service.Platform = platform
			model.Services[name] = service
		}
	}
}

// ImageUse is an image that the project names, and the services that do.
type ImageUse struct {
	Reference string // as the file has it
	Services  []string
}

// ImageUses are the images that services, their pre_start hooks and their image mounts name: each once, sorted.
func (p *Project) ImageUses() []ImageUse {
	users := map[string][]string{}
	for _, name := range p.ServiceNames() {
		_, _ = eachImage(p.Services[name], func(ref string) (string, error) {
			if !slices.Contains(users[ref], name) {
				users[ref] = append(users[ref], name)
			}
			return ref, nil
		})
	}
	uses := make([]ImageUse, 0, len(users))
	for _, ref := range slices.Sorted(maps.Keys(users)) {
		uses = append(uses, ImageUse{ref, users[ref]})
	}
	return uses
}

// WithDigests is the project with digests behind the names of images, which are written in full: docker.io/library/web:1@sha256:...
// digests has one for each reference of [Project.ImageUses]; what names its digest already needs none.
func (p *Project) WithDigests(digests map[string]string) (*Project, error) {
	changed := p.withServices()
	for _, name := range p.ServiceNames() {
		service, err := eachImage(p.Services[name], func(ref string) (string, error) { return withDigest(ref, digests[ref]) })
		if err != nil {
			return nil, fmt.Errorf("service %q: %w", name, err)
		}
		changed.Services[name] = service
	}
	return changed, nil
}

// NamesDigest says whether a reference has a digest of its own.
func NamesDigest(ref string) bool {
	named, err := reference.ParseNormalizedNamed(ref)
	_, canonical := named.(reference.Canonical)
	return err == nil && canonical
}

func withDigest(ref, known string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", fmt.Errorf("read image reference %q: %w", ref, err)
	}
	if _, ok := named.(reference.Canonical); ok {
		return named.String(), nil
	}
	parsed, err := digest.Parse(known)
	if err != nil {
		return "", fmt.Errorf("read digest %q of image %q: %w", known, ref, err)
	}
	canonical, err := reference.WithDigest(reference.TagNameOnly(named), parsed)
	if err != nil {
		return "", fmt.Errorf("name image %q with its digest: %w", ref, err)
	}
	return canonical.String(), nil
}

// eachImage is a service whose references of images are what a function makes of them.
func eachImage(service Service, change func(ref string) (string, error)) (Service, error) {
	service.PreStart = slices.Clone(service.PreStart)
	service.Volumes = slices.Clone(service.Volumes)
	refs := []*string{&service.Image}
	for i := range service.PreStart {
		refs = append(refs, &service.PreStart[i].Image)
	}
	for i := range service.Volumes {
		if service.Volumes[i].Type == types.VolumeTypeImage {
			refs = append(refs, &service.Volumes[i].Source)
		}
	}
	for _, ref := range refs {
		if *ref == "" {
			continue
		}
		changed, err := change(*ref)
		if err != nil {
			return service, err
		}
		*ref = changed
	}
	return service, nil
}
