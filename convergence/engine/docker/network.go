package docker

import (
	"cmp"
	"context"
	"slices"

	"github.com/docker/docker/api/types/network"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// ListNetworks implements [engine.Networks].
func (c *Client) ListNetworks(ctx context.Context) ([]engine.Network, error) {
	answer, err := c.api.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		return nil, c.wrap(err)
	}
	networks := make([]engine.Network, len(answer))
	for i := range answer {
		found := &answer[i]
		networks[i] = engine.Network{ID: found.ID, Name: found.Name, Labels: found.Labels, Settings: networkSettings(found)}
	}
	slices.SortFunc(networks, func(a, b engine.Network) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return networks, nil
}

func networkSettings(found *network.Summary) project.Network {
	settings := project.Network{
		Name: found.Name, Driver: found.Driver, DriverOpts: found.Options,
		Internal: found.Internal, Attachable: found.Attachable,
	}
	if found.EnableIPv6 {
		settings.EnableIPv6 = &found.EnableIPv6
	}
	if found.IPAM.Driver != defaultIPAM {
		settings.Ipam.Driver = found.IPAM.Driver
	}
	settings.Ipam.Options = found.IPAM.Options
	for _, pool := range found.IPAM.Config {
		settings.Ipam.Config = append(settings.Ipam.Config, &project.IPAMPool{
			Subnet: pool.Subnet, Gateway: pool.Gateway, IPRange: pool.IPRange, AuxiliaryAddresses: pool.AuxAddress,
		})
	}
	return settings
}

// defaultIPAM is the engine's name for its own address management.
const defaultIPAM = "default"

// CreateNetwork implements [engine.Networks].
func (c *Client) CreateNetwork(ctx context.Context, request engine.CreateNetwork) (string, error) {
	answer, err := c.api.NetworkCreate(ctx, request.Name, networkOptions(request))
	return answer.ID, c.wrapAs(err, engine.ErrDenied, engine.ErrConflict)
}

func networkOptions(request engine.CreateNetwork) network.CreateOptions {
	wanted := request.Network
	options := network.CreateOptions{
		Driver: wanted.Driver, Options: wanted.DriverOpts, Labels: request.Labels,
		Internal: wanted.Internal, Attachable: wanted.Attachable,
		EnableIPv4: wanted.EnableIPv4, EnableIPv6: wanted.EnableIPv6,
	}
	ipam := wanted.Ipam
	if ipam.Driver == "" && len(ipam.Config) == 0 && len(ipam.Options) == 0 {
		return options
	}
	options.IPAM = &network.IPAM{Driver: ipam.Driver, Options: ipam.Options}
	for _, pool := range ipam.Config {
		options.IPAM.Config = append(options.IPAM.Config, network.IPAMConfig{
			Subnet: pool.Subnet, IPRange: pool.IPRange, Gateway: pool.Gateway, AuxAddress: pool.AuxiliaryAddresses,
		})
	}
	return options
}

// RemoveNetwork implements [engine.Networks].
func (c *Client) RemoveNetwork(ctx context.Context, ref string) error {
	return c.wrapAs(c.api.NetworkRemove(ctx, ref), engine.ErrDenied, engine.ErrInUse)
}

// ConnectNetwork implements [engine.Networks].
func (c *Client) ConnectNetwork(ctx context.Context, containerRef string, endpoint engine.Endpoint) error {
	err := c.api.NetworkConnect(ctx, endpoint.Network, containerRef, endpointSettings(endpoint))
	return c.wrapAs(err, engine.ErrDenied, engine.ErrConflict)
}

// DisconnectNetwork implements [engine.Networks].
func (c *Client) DisconnectNetwork(ctx context.Context, containerRef, networkRef string) error {
	const force = true
	err := c.wrap(c.api.NetworkDisconnect(ctx, networkRef, containerRef, force))
	return wrapWords(err, engine.ErrNotFound, "is not connected to")
}
