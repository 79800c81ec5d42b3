package docker

import (
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/muster-dev/muster/convergence/engine"
)

// createParts are the structs of a create call, and the networks that an old API can only connect afterwards.
type createParts struct {
	config       *container.Config
	host         *container.HostConfig
	networking   *network.NetworkingConfig
	platform     *ocispec.Platform
	connectLater []engine.Endpoint
}

// severalEndpoints is the API from which a create request takes more than one network.
const severalEndpoints = "1.44"

// translate is pure but for what the client knows: the API version and the proxies that the docker CLI's configuration adds.
// Each concern has a file: config.go the process, host.go the host's side, resources.go limits and devices, mounts.go what is
// mounted, networking.go networks and ports.
func (c *Client) translate(request engine.CreateContainer) (createParts, error) {
	config, err := containerConfig(request, c.proxies)
	if err != nil {
		return createParts{}, err
	}
	host, err := c.hostConfig(request)
	if err != nil {
		return createParts{}, err
	}
	platform, err := parsePlatform(request.Service.Platform)
	if err != nil {
		return createParts{}, err
	}
	parts := createParts{config: config, host: host, platform: platform}
	parts.networking, parts.connectLater = networkingConfig(request, c.olderThan(severalEndpoints))
	return parts, nil
}

// parsePlatform reads os[/arch[/variant]]; nil leaves the choice to the engine.
func parsePlatform(text string) (*ocispec.Platform, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, "/")
	const most = 3
	if len(parts) > most || parts[0] == "" {
		return nil, fmt.Errorf("platform %q is not os/arch or os/arch/variant: %w", text, engine.ErrInvalid)
	}
	parts = append(parts, "", "")
	return &ocispec.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}, nil
}
