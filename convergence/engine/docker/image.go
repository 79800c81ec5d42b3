package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"

	"github.com/muster-dev/muster/convergence/engine"
)

// ListImages implements [engine.Images].
func (c *Client) ListImages(ctx context.Context) ([]engine.Image, error) {
	answer, err := c.api.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return nil, c.wrap(err)
	}
	images := make([]engine.Image, len(answer))
	for i := range answer {
		found := &answer[i]
		images[i] = engine.Image{
			ID: found.ID, Tags: found.RepoTags, Digests: found.RepoDigests,
			Size: found.Size, Created: time.Unix(found.Created, 0), Labels: found.Labels,
		}
	}
	return images, nil
}

// InspectImage implements [engine.Images].
func (c *Client) InspectImage(ctx context.Context, ref string) (engine.Image, error) {
	answer, err := c.api.ImageInspect(ctx, ref)
	if err != nil {
		return engine.Image{}, c.wrap(err)
	}
	found := engine.Image{
		ID: answer.ID, Tags: answer.RepoTags, Digests: answer.RepoDigests,
		Size: answer.Size, Created: parseTime(answer.Created),
		OS: answer.Os, Architecture: answer.Architecture, Variant: answer.Variant, LastTagged: answer.Metadata.LastTagTime,
	}
	if answer.Config != nil {
		found.Labels = answer.Config.Labels
		found.Volumes = sortedCopy(answer.Config.Volumes)
		check := answer.Config.Healthcheck
		found.HasHealth = check != nil && len(check.Test) > 0 && check.Test[0] != "NONE"
	}
	return found, nil
}

// PullImage implements [engine.Images]. Credentials come from the docker CLI's configuration and its helpers.
func (c *Client) PullImage(ctx context.Context, request engine.PullImage, report func(engine.PullProgress)) error {
	auth, err := c.registryAuth(ctx, request.Ref)
	if err != nil {
		return err
	}
	body, err := c.api.ImagePull(ctx, request.Ref, image.PullOptions{Platform: request.Platform, RegistryAuth: auth})
	if err != nil {
		return pullFailure(c.wrap(err), request.Ref)
	}
	defer body.Close() //nolint:errcheck // nothing is written through it
	return pullFailure(c.wrap(readPull(body, report)), request.Ref)
}

// pullMessage is one line of a pull's progress stream.
type pullMessage struct {
	ID       string
	Status   string
	Progress struct{ Current, Total int64 } `json:"progressDetail"`
	Failure  *struct {
		Code    int
		Message string
	} `json:"errorDetail"`
}

// readPull adds up the layers' progress until the stream ends; an error in the stream is the pull's.
func readPull(body io.Reader, report func(engine.PullProgress)) error {
	layers := map[string]engine.PullProgress{}
	for decoder := json.NewDecoder(body); ; {
		var message pullMessage
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read progress of pull: %w", err)
		}
		if message.Failure != nil {
			return errors.New(message.Failure.Message)
		}
		layer := layers[message.ID]
		if message.Status == "Downloading" {
			layer.Done, layer.Total = message.Progress.Current, max(message.Progress.Total, layer.Total)
		}
		if message.Status == "Download complete" || message.Status == "Pull complete" {
			layer.Done = layer.Total
		}
		layers[message.ID] = layer
		sum := engine.PullProgress{Status: message.Status}
		for _, one := range layers {
			sum.Done += one.Done
			sum.Total += one.Total
		}
		report(sum)
	}
}

// pullProblem is something that keeps an image from coming. Engines pass on what registries say: words, and mostly no status.
type pullProblem struct {
	words []string // in lower case; one of them is in the message
	kind  error    // what it is, unless the status has said so; nil where there is no sentinel
	hint  string   // what to try; REGISTRY is its name
}

func (p pullProblem) in(message string) bool {
	return slices.ContainsFunc(p.words, func(words string) bool { return containsFold(message, words) })
}

// hubDomain is the one registry that needs not be named to log in.
const hubDomain = "docker.io"

// pullProblems end with one that always fits. The first that fits counts.
func pullProblems() []pullProblem {
	return []pullProblem{
		{[]string{"no space left on device"}, nil, "see what takes the engine's room: docker system df"},
		{
			[]string{"toomanyrequests", "429 too many requests"},
			nil,
			"wait a little, or log in with `docker login REGISTRY`: who is known may pull more often",
		},
		{
			[]string{"no matching manifest", "no match for platform", "the specified platform"},
			engine.ErrNotFound,
			"take out or change platform, or name an image that there is for it",
		},
		{
			[]string{"denied", "unauthorized", "authentication required", "no basic auth credentials", "authorization failed"},
			engine.ErrDenied,
			"log in with `docker login REGISTRY`, and check the name: a registry also denies what does not exist",
		},
		{
			[]string{"not found", "manifest unknown"},
			engine.ErrNotFound,
			"check the image's name and tag, or build it and set pull_policy: never",
		},
		{
			[]string{"server gave http response to https client", "x509: ", "tls: "},
			nil,
			"have the engine trust it: put its certificate into /etc/docker/certs.d/REGISTRY/ca.crt on the engine's host, or name it " +
				"under insecure-registries in the engine's daemon.json",
		},
		{[]string{""}, nil, "check that REGISTRY can be reached from the engine's host"},
	}
}

// pullFailure gives what an engine says of a registry its kind and what to try. Other errors stay as they are.
func pullFailure(err error, ref string) error {
	var known *apiError
	isOther := errors.As(err, &known) && !errors.Is(err, engine.ErrNotFound) && !errors.Is(err, engine.ErrDenied)
	if err == nil || isOther || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	problems := pullProblems()
	problem := problems[slices.IndexFunc(problems, func(p pullProblem) bool { return p.in(err.Error()) })]
	if known == nil && problem.kind != nil {
		err = &apiError{problem.kind, err}
	}
	registry := ""
	if named, parseErr := reference.ParseNormalizedNamed(ref); parseErr == nil {
		registry = reference.Domain(named)
	}
	hint := problem.hint
	if registry == hubDomain {
		hint = strings.ReplaceAll(hint, "docker login REGISTRY", "docker login")
	}
	return &advised{err, strings.ReplaceAll(hint, "REGISTRY", registry)}
}

// RemoteDigest implements [engine.Images].
func (c *Client) RemoteDigest(ctx context.Context, ref string) (string, error) {
	auth, err := c.registryAuth(ctx, ref)
	if err != nil {
		return "", err
	}
	answer, err := c.api.DistributionInspect(ctx, ref, auth)
	if err != nil {
		return "", pullFailure(c.wrap(err), ref)
	}
	return answer.Descriptor.Digest.String(), nil
}
