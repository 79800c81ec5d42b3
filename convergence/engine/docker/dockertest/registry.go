package dockertest

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/distribution/reference"
	apiregistry "github.com/docker/docker/api/types/registry"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Registry is what all registries that an engine can reach hold. It may be shared by engines, and changed while they pull.
type Registry struct {
	// ChunkDelay is how long each quarter of a layer takes to come. Set it before the first pull.
	ChunkDelay time.Duration

	mutex  sync.Mutex
	images map[string]Image // by normalized reference
	faults map[string]error // by normalized reference or repository
	broken map[string]bool  // references whose last layer never comes whole
}

// NewRegistry is a registry without images.
func NewRegistry() *Registry {
	return &Registry{images: map[string]Image{}, faults: map[string]error{}, broken: map[string]bool{}}
}

// Push puts an image under its reference, in place of what was there, and returns its digest.
func (r *Registry) Push(pushed Image) (digest string) {
	ref, err := normalize(pushed.Ref)
	if err != nil {
		panic(err) // the test is wrong
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.images[ref] = pushed
	delete(r.broken, ref)
	return pushed.Digest()
}

// Remove takes a reference out of the registry.
func (r *Registry) Remove(ref string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.images, mustNormalize(ref))
}

// Fail makes every request for a reference or a repository fail with the registry's own words and the status that the engine
// gives them. An empty message ends that.
func (r *Registry) Fail(ref string, status int, message string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if message == "" {
		delete(r.faults, mustNormalize(ref))
		delete(r.faults, repository(ref))
		return
	}
	fault := &apiError{status, message}
	r.faults[mustNormalize(ref)], r.faults[repository(ref)] = fault, fault
}

// Break makes pulls of a reference fail in the middle of the last layer, until it is pushed again.
func (r *Registry) Break(ref string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.broken[mustNormalize(ref)] = true
}

func mustNormalize(ref string) string {
	normalized, err := normalize(ref)
	if err != nil {
		panic(err) // the test is wrong
	}
	return normalized
}

// find looks a reference up. The errors are the engine's for what registries answer.
func (r *Registry) find(ref, platform string) (found Image, broken bool, err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, key := range []string{ref, repository(ref)} {
		if fault, ok := r.faults[key]; ok {
			return Image{}, false, fault
		}
	}
	found, ok := r.images[ref]
	if !ok {
		found, ok = r.byDigest(ref)
	}
	switch {
	case !ok && r.hasRepository(repository(ref)):
		return Image{}, false, fail(http.StatusNotFound, "manifest for %s not found: manifest unknown: manifest unknown", ref)
	case !ok:
		return Image{}, false, fail(http.StatusNotFound, "pull access denied for %s, repository does not exist or may require "+
			"'docker login': denied: requested access to the resource is denied", repository(ref))
	case platform != "" && platform != found.platform():
		return Image{}, false, fail(http.StatusNotFound, "no matching manifest for %s in the manifest list entries", platform)
	}
	return found, r.broken[ref], nil
}

func (r *Registry) byDigest(ref string) (Image, bool) {
	_, wanted, ok := strings.Cut(ref, "@")
	if !ok {
		return Image{}, false
	}
	for key, candidate := range r.images {
		if repository(key) == repository(ref) && candidate.Digest() == wanted {
			return candidate, true
		}
	}
	return Image{}, false
}

func (r *Registry) hasRepository(name string) bool {
	for ref := range r.images {
		if repository(ref) == name {
			return true
		}
	}
	return false
}

// inspectDistribution is GET /distribution/{ref}/json: what the registry has, without pulling it.
func (e *Engine) inspectDistribution(x *exchange) error {
	named, err := reference.ParseNormalizedNamed(x.params["ref"])
	if err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	ref := mustNormalize(named.String())
	found, _, err := e.options.Remote.find(ref, "")
	if err != nil {
		return err
	}
	return x.answer(http.StatusOK, apiregistry.DistributionInspect{
		Descriptor: ocispec.Descriptor{
			MediaType: ocispec.MediaTypeImageManifest, Digest: digestOf(found), Size: int64(len(found.ID())),
		},
		Platforms: []ocispec.Platform{parsePlatform(found.platform())},
	})
}

func digestOf(i Image) digest.Digest { return digest.Digest(i.Digest()) }

// parsePlatform reads os/arch[/variant].
func parsePlatform(text string) ocispec.Platform {
	parts := append(strings.Split(text, "/"), "", "")
	return ocispec.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}
}
