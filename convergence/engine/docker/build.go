package docker

import (
	"context"
	"fmt"

	"github.com/docker/cli/cli/config/types"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/buildkit"
)

// BuildImage implements [engine.Builds], with the builder that the options mean. Credentials and proxies come from the docker CLI's
// configuration.
func (c *Client) BuildImage(
	ctx context.Context, request engine.BuildImage, report func(engine.BuildProgress),
) (engine.BuiltImage, error) {
	node, err := c.nodeFor(ctx, request.Platforms)
	if err != nil {
		return engine.BuiltImage{}, err
	}
	built, err := node.kit.Build(ctx, request, report)
	if err != nil {
		return built, err
	}
	holder := node.holder()
	switch {
	case request.Push && holder == nil: // its BuildKit did
		return built, nil
	case request.Push:
		return built, pushAll(ctx, holder, request.Tags)
	case holder != nil && holder != c:
		if err := c.takeOver(ctx, holder, request.Tags); err != nil {
			return built, err
		}
	case holder == c && built.ID != "":
		return built, nil
	}
	if len(request.Tags) == 0 {
		return built, nil
	}
	// Old engines do not say what they made, and the engine may know what it was brought by another name.
	found, err := c.InspectImage(ctx, request.Tags[0])
	return engine.BuiltImage{ID: found.ID, Digest: built.Digest}, err
}

// holder is the engine that images end up in by being built; nil where the BuildKit is in none.
func (n *buildNode) holder() *Client {
	if n.kit.Load != nil {
		return nil
	}
	return n.engine
}

func pushAll(ctx context.Context, from *Client, refs []string) error {
	for _, ref := range refs {
		if err := from.PushImage(ctx, ref, func(engine.PullProgress) {}); err != nil {
			return err
		}
	}
	return nil
}

// takeOver brings an image from another engine into this one.
func (c *Client) takeOver(ctx context.Context, from *Client, refs []string) error {
	archive, err := from.api.ImageSave(ctx, refs)
	if err != nil {
		return fmt.Errorf("save image: %w", from.wrap(err))
	}
	defer archive.Close() //nolint:errcheck // nothing is written through it
	return c.loadImage(ctx, archive)
}

// CheckBuild implements [engine.Builds].
func (c *Client) CheckBuild(ctx context.Context, request engine.BuildImage) ([]engine.BuildFinding, error) {
	node, err := c.nodeFor(ctx, nil)
	if err != nil {
		return nil, err
	}
	return node.kit.Check(ctx, request)
}

// hubHost is the name under which BuildKit asks for credentials of the default registry.
const hubHost = "registry-1.docker.io"

func (c *Client) buildCredentials(ctx context.Context, host string) (buildkit.Credentials, error) {
	key := host
	if host == hubHost || host == "docker.io" {
		key = dockerHub
	}
	found, err := c.settings.credentials(ctx, key)
	switch {
	case err != nil:
		return buildkit.Credentials{}, fmt.Errorf("read credentials for %s: %w", host, err)
	case found.IdentityToken != "":
		return buildkit.Credentials{Secret: found.IdentityToken}, nil
	case found.RegistryToken != "" && found == (types.AuthConfig{RegistryToken: found.RegistryToken, ServerAddress: found.ServerAddress}):
		return buildkit.Credentials{}, fmt.Errorf("credentials for %s: a registrytoken is nothing that a build can use; log in with `docker login`", host)
	}
	return buildkit.Credentials{Username: found.Username, Secret: found.Password}, nil
}
