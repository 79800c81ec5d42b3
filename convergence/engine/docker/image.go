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
		return c.wrap(err)
	}
	defer body.Close() //nolint:errcheck // nothing is written through it
	return c.wrap(readPull(body, report))
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
			return pullFailure(message.Failure.Message)
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

// pullFailure gives an error in a progress stream, which has words only, the kind that the status code would have had. Most
// are a registry's or a network's, for which there is none.
func pullFailure(message string) error {
	for _, kind := range []struct {
		sentinel error
		words    []string
	}{
		{engine.ErrNotFound, []string{"not found", "manifest unknown", "no matching manifest"}},
		{engine.ErrDenied, []string{"denied", "unauthorized", "authentication required"}},
	} {
		for _, words := range kind.words {
			if containsFold(message, words) {
				return &apiError{kind.sentinel, errors.New(message)}
			}
		}
	}
	return errors.New(message)
}

// RemoteDigest implements [engine.Images].
func (c *Client) RemoteDigest(ctx context.Context, ref string) (string, error) {
	auth, err := c.registryAuth(ctx, ref)
	if err != nil {
		return "", err
	}
	answer, err := c.api.DistributionInspect(ctx, ref, auth)
	if err != nil {
		return "", c.wrap(err)
	}
	return answer.Descriptor.Digest.String(), nil
}
