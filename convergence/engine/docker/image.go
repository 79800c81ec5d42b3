package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

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

// PushImage implements [engine.Images]. Credentials come from where PullImage's do.
func (c *Client) PushImage(ctx context.Context, ref string, report func(engine.PullProgress)) error {
	auth, err := c.registryAuth(ctx, ref)
	if err != nil {
		return err
	}
	if auth == "" {
		auth = emptyAuth
	}
	body, err := c.api.ImagePush(ctx, ref, image.PushOptions{RegistryAuth: auth})
	if err != nil {
		return registryFailure(c.wrap(err), ref, pushProblems())
	}
	defer body.Close() //nolint:errcheck // nothing is written through it
	return registryFailure(c.wrap(readPull(body, report)), ref, pushProblems())
}

// emptyAuth is {}, which engines want for a push where there are no credentials.
const emptyAuth = "e30="

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

// readPull adds up the layers' progress until the stream ends; an error in the stream is the pull's, or the push's.
func readPull(body io.Reader, report func(engine.PullProgress)) error {
	layers := map[string]engine.PullProgress{}
	for decoder := json.NewDecoder(body); ; {
		var message pullMessage
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read progress: %w", err)
		}
		if message.Failure != nil {
			return errors.New(message.Failure.Message)
		}
		layer := layers[message.ID]
		switch message.Status {
		case "Downloading", "Pushing":
			// What is pushed grows a little when it is packed.
			layer.Total = max(message.Progress.Total, layer.Total)
			layer.Done = min(message.Progress.Current, layer.Total)
		case "Download complete", "Pull complete", "Pushed":
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
