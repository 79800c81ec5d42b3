package dockertest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/distribution/reference"
	apiregistry "github.com/docker/docker/api/types/registry"
)

// createImage is POST /images/create: a pull or an import.
func (e *Engine) createImage(x *exchange) error {
	if x.query("fromImage") == "" {
		return e.importImage(x)
	}
	ref, err := pullReference(x.query("fromImage"), x.query("tag"))
	if err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	remote := e.options.Remote
	if err := remote.admit(ref, x.Header.Get(apiregistry.AuthHeader)); err != nil {
		return err
	}
	found, broken, err := remote.find(ref, x.query("platform"))
	if err != nil {
		return err
	}
	p := &pull{x: x, remote: remote, ref: ref, image: found, broken: broken}
	x.w.Header().Set("Content-Type", "application/json")
	if err := p.download(x.Context(), e); err != nil {
		p.say(progress{Error: err.Error(), ErrorDetail: &errorDetail{err.Error()}})
	}
	return nil
}

// pullReference joins the parameters of a pull; the tag may be a digest.
func pullReference(name, tag string) (string, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "", err
	}
	switch {
	case len(tag) > len("sha256:") && tag[:len("sha256:")] == "sha256:":
		return normalize(reference.TrimNamed(named).String() + "@" + tag)
	case tag != "":
		return normalize(reference.TrimNamed(named).String() + ":" + tag)
	}
	return normalize(name)
}

// pull is one pull under way.
type pull struct {
	x      *exchange
	remote *Registry
	ref    string
	image  Image
	broken bool
}

// progress is a line of a pull's answer.
type progress struct {
	Status      string       `json:"status,omitempty"`
	Detail      *layerDetail `json:"progressDetail,omitempty"`
	ID          string       `json:"id,omitempty"`
	Error       string       `json:"error,omitempty"`
	ErrorDetail *errorDetail `json:"errorDetail,omitempty"`
}

type layerDetail struct {
	Current int64 `json:"current,omitempty"`
	Total   int64 `json:"total,omitempty"`
}

type errorDetail struct {
	Message string `json:"message"`
}

func (p *pull) say(line progress) {
	_ = json.NewEncoder(p.x.w).Encode(line) // whoever asked has gone away: the context says so too
	p.x.flush()
}

func (p *pull) download(ctx context.Context, e *Engine) error {
	named, _ := reference.ParseNormalizedNamed(p.ref)
	p.say(progress{Status: "Pulling from " + reference.Path(named), ID: tagOf(named)})
	status := "Status: Image is up to date for " + p.ref
	if !e.hasImage(p.image.ID()) {
		status = "Status: Downloaded newer image for " + p.ref
		if err := p.layers(ctx); err != nil {
			return err
		}
	}
	p.say(progress{Status: "Digest: " + p.image.Digest()})
	e.finishPull(p)
	p.say(progress{Status: status})
	return nil
}

func (e *Engine) hasImage(id string) bool {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	_, ok := e.images[id]
	return ok
}

// layers brings one layer after the other.
func (p *pull) layers(ctx context.Context) error {
	sizes := p.image.LayerSizes
	if len(sizes) == 0 {
		sizes = []int64{p.image.Size}
	}
	ids := make([]string, len(sizes))
	for i := range sizes {
		ids[i] = shortID(hexDigest("layer", p.image.ID(), string(rune('a'+i))))
		p.say(progress{Status: "Pulling fs layer", Detail: &layerDetail{}, ID: ids[i]})
	}
	for i, size := range sizes {
		if err := p.layer(ctx, ids[i], size, i == len(sizes)-1); err != nil {
			return err
		}
	}
	return nil
}

func (p *pull) layer(ctx context.Context, id string, size int64, isLast bool) error {
	const chunks = 4
	for chunk := int64(1); chunk <= chunks; chunk++ {
		if p.remote.ChunkDelay > 0 {
			select {
			case <-time.After(p.remote.ChunkDelay):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if p.broken && isLast && chunk > chunks/2 {
			return errBrokenOff
		}
		p.say(progress{Status: "Downloading", Detail: &layerDetail{Current: size * chunk / chunks, Total: size}, ID: id})
		if isLast && chunk == chunks/2 {
			if err := p.remote.pass(ctx, p.ref); err != nil {
				return err
			}
		}
	}
	p.say(progress{Status: "Download complete", Detail: &layerDetail{}, ID: id})
	p.say(progress{Status: "Extracting", Detail: &layerDetail{Current: size, Total: size}, ID: id})
	p.say(progress{Status: "Pull complete", Detail: &layerDetail{}, ID: id})
	return ctx.Err()
}

func (e *Engine) finishPull(p *pull) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	named, _ := reference.ParseNormalizedNamed(p.ref)
	tag := p.ref
	if _, isDigest := named.(reference.Digested); isDigest {
		tag = ""
	}
	stored := e.store(p.image, tag)
	repoDigest := repository(p.ref) + "@" + p.image.Digest()
	if !slices.Contains(stored.digests, repoDigest) {
		stored.digests = append(stored.digests, repoDigest)
	}
	e.imageEvent("pull", p.ref, repository(p.ref))
}

func tagOf(named reference.Named) string {
	switch n := named.(type) {
	case reference.Digested:
		return n.Digest().String()
	case reference.Tagged:
		return n.Tag()
	}
	return "latest"
}
