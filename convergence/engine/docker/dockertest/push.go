package dockertest

import (
	"net/http"

	"github.com/distribution/reference"
	apiregistry "github.com/docker/docker/api/types/registry"
)

// pushImage is POST /images/{ref}/push. What the registry has against it is told in the answer's stream.
func (e *Engine) pushImage(x *exchange) error {
	ref, err := normalize(x.params["ref"] + ":" + x.query("tag"))
	if err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	e.mutex.Lock()
	found, err := e.findImage(ref)
	e.mutex.Unlock()
	p := &pull{x: x, remote: e.options.Remote, ref: ref}
	x.w.Header().Set("Content-Type", "application/json")
	p.say(progress{Status: "The push refers to repository [" + fullRepository(ref) + "]"})
	if err != nil {
		p.fail("An image does not exist locally with the tag: " + repository(ref))
		return nil
	}
	p.image = found.Image
	if err := p.upload(); err != nil {
		p.fail(err.Error())
		return nil
	}
	e.mutex.Lock()
	found.digests = append(found.digests, repository(ref)+"@"+p.image.Digest())
	e.imageEvent("push", ref, repository(ref))
	e.mutex.Unlock()
	return nil
}

func (p *pull) fail(message string) {
	p.say(progress{Error: message, ErrorDetail: &errorDetail{message}})
}

// upload tells of the layer and puts the image into the registry.
func (p *pull) upload() error {
	if err := p.remote.admitPush(p.ref, p.x.Header.Get(apiregistry.AuthHeader)); err != nil {
		return err
	}
	id, size := shortID(hexDigest("layer", p.image.ID())), max(p.image.Size, 1)
	p.say(progress{Status: "Preparing", Detail: &layerDetail{}, ID: id})
	p.say(progress{Status: "Pushing", Detail: &layerDetail{Current: size / 2, Total: size}, ID: id}) //nolint:mnd // half of it
	if err := p.remote.pass(p.x.Context(), p.ref); err != nil {
		return err
	}
	p.say(progress{Status: "Pushing", Detail: &layerDetail{Current: size + 1, Total: size}, ID: id})
	p.say(progress{Status: "Pushed", Detail: &layerDetail{}, ID: id})
	p.image.Ref = p.ref
	digest := p.remote.Push(p.image)
	named, _ := reference.ParseNormalizedNamed(p.ref) // it was one
	p.say(progress{Status: tagOf(named) + ": digest: " + digest + " size: 527"})
	return nil
}

func fullRepository(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return named.Name()
}

// admitPush is what an engine says of a registry that does not take a push.
func (r *Registry) admitPush(ref, header string) error {
	r.mutex.Lock()
	wanted, isPrivate := r.logins[domainOf(ref)]
	var fault error
	for _, key := range []string{ref, repository(ref), domainOf(ref)} {
		if found, ok := r.faults[key]; ok {
			fault = found
		}
	}
	r.mutex.Unlock()
	given, err := apiregistry.DecodeAuthConfig(header)
	switch {
	case fault != nil:
		return fault
	case isPrivate && (err != nil || given.Username == ""):
		return fail(http.StatusInternalServerError, "no basic auth credentials")
	case isPrivate && (given.Username != wanted.user || given.Password != wanted.password):
		return fail(http.StatusInternalServerError, "unauthorized: authentication required")
	}
	return nil
}
