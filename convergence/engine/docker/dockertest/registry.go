package dockertest

import (
	"context"
	"errors"
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
	faults map[string]error // by normalized reference, repository or domain
	broken map[string]bool  // references whose last layer never comes whole
	held   map[string]*hold // pulls that stop in the middle, by domain
	logins map[string]login // what is asked of everybody, by domain
}

type login struct{ user, password string }

// hold is where pulls stop.
type hold struct {
	reached chan struct{} // a value for each pull that has come there
	over    chan struct{} // closed by its end
	lost    bool          // and then they fail
}

// NewRegistry is a registry without images.
func NewRegistry() *Registry {
	return &Registry{
		images: map[string]Image{}, faults: map[string]error{}, broken: map[string]bool{}, held: map[string]*hold{}, logins: map[string]login{},
	}
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

// FailAll is [Registry.Fail] for all that a domain has, "127.0.0.1:5000".
func (r *Registry) FailAll(domain string, status int, message string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.faults, domain)
	if message != "" {
		r.faults[domain] = &apiError{status, message}
	}
}

// Protect makes a domain ask everybody for a name and a password who pulls from it or asks for a digest. Builds are let in.
func (r *Registry) Protect(domain, user, password string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.logins[domain] = login{user, password}
}

// Hold makes pulls from a domain stop in the middle of the last layer. A value comes for each that has. They go on, or break off if
// they are to be lost, after release.
func (r *Registry) Hold(domain string) (reached <-chan struct{}, release func(lost bool)) {
	const most = 64 // pulls that nobody has asked for
	h := &hold{reached: make(chan struct{}, most), over: make(chan struct{})}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.held[domain] = h
	return h.reached, func(lost bool) {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		if r.held[domain] == h {
			h.lost = lost
			close(h.over)
			delete(r.held, domain)
		}
	}
}

// pass waits where pulls of a reference are held.
func (r *Registry) pass(ctx context.Context, ref string) error {
	r.mutex.Lock()
	h := r.held[domainOf(ref)]
	r.mutex.Unlock()
	if h == nil {
		return nil
	}
	select {
	case h.reached <- struct{}{}:
	default:
	}
	select {
	case <-h.over:
		if h.lost {
			return errBrokenOff
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errBrokenOff is what an engine says of a layer whose connection has ended.
var errBrokenOff = errors.New("unexpected EOF")

// admit says what an engine does of a registry that asks for a login, for what it was given: an X-Registry-Auth header.
func (r *Registry) admit(ref, header string) error {
	r.mutex.Lock()
	wanted, isPrivate := r.logins[domainOf(ref)]
	r.mutex.Unlock()
	given, err := apiregistry.DecodeAuthConfig(header)
	switch {
	case !isPrivate:
		return nil
	case err != nil || header == "" || given.Username == "":
		named, _ := reference.ParseNormalizedNamed(ref) // it was one
		return fail(http.StatusInternalServerError, `Head "http://%s/v2/%s/manifests/%s": no basic auth credentials`,
			reference.Domain(named), reference.Path(named), tagOf(named))
	case given.Username != wanted.user || given.Password != wanted.password:
		return fail(http.StatusUnauthorized, "unauthorized: authentication required")
	}
	return nil
}

func domainOf(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	return reference.Domain(named)
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
	for _, key := range []string{ref, repository(ref), domainOf(ref)} {
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
	if err := e.options.Remote.admit(ref, x.Header.Get(apiregistry.AuthHeader)); err != nil {
		return err
	}
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
