package docker

import (
	"context"
	"fmt"

	"github.com/docker/cli/cli/config/types"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/buildkit"
)

// BuildImage implements [engine.Builds]. Credentials and proxies come from the docker CLI's configuration.
func (c *Client) BuildImage(
	ctx context.Context, request engine.BuildImage, report func(engine.BuildProgress),
) (engine.BuiltImage, error) {
	built, err := c.builds.Build(ctx, request, report)
	if err != nil || built.ID != "" || len(request.Tags) == 0 {
		return built, err
	}
	// Old engines do not say what they made.
	found, err := c.InspectImage(ctx, request.Tags[0])
	return engine.BuiltImage{ID: found.ID}, err
}

// CheckBuild implements [engine.Builds].
func (c *Client) CheckBuild(ctx context.Context, request engine.BuildImage) ([]engine.BuildFinding, error) {
	return c.builds.Check(ctx, request)
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
