package docker

import (
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// networkMode is the primary network's name, or where else the container's network comes from.
func networkMode(request engine.CreateContainer) container.NetworkMode {
	if request.NetworkMode != "" {
		return container.NetworkMode(request.NetworkMode)
	}
	if len(request.Networks) > 0 {
		return container.NetworkMode(request.Networks[0].Network)
	}
	return network.NetworkNone
}

// networkingConfig puts all endpoints into the request, or only the primary one where the API takes no more: the others are
// then connected before the first start.
func networkingConfig(request engine.CreateContainer, onlyOne bool) (*network.NetworkingConfig, []engine.Endpoint) {
	if len(request.Networks) == 0 {
		return nil, nil
	}
	now, later := request.Networks, []engine.Endpoint(nil)
	if onlyOne {
		now, later = request.Networks[:1], request.Networks[1:]
	}
	config := &network.NetworkingConfig{EndpointsConfig: make(map[string]*network.EndpointSettings, len(now))}
	for i, endpoint := range now {
		settings := endpointSettings(endpoint)
		settings.Links = request.Links
		if i == 0 && settings.MacAddress == "" && !onlyOne {
			settings.MacAddress = request.Service.MacAddress
		}
		config.EndpointsConfig[endpoint.Network] = settings
	}
	return config, later
}

func endpointSettings(endpoint engine.Endpoint) *network.EndpointSettings {
	settings := &network.EndpointSettings{Aliases: endpoint.Aliases}
	options := endpoint.Options
	if options == nil {
		return settings
	}
	settings.MacAddress = options.MacAddress
	settings.GwPriority = options.GatewayPriority
	settings.DriverOpts = options.DriverOpts
	if options.InterfaceName != "" {
		settings.DriverOpts = withInterfaceName(options.DriverOpts, options.InterfaceName)
	}
	if options.Ipv4Address != "" || options.Ipv6Address != "" || len(options.LinkLocalIPs) > 0 {
		settings.IPAMConfig = &network.EndpointIPAMConfig{
			IPv4Address: options.Ipv4Address, IPv6Address: options.Ipv6Address, LinkLocalIPs: options.LinkLocalIPs,
		}
	}
	return settings
}

// askedEndpoints are what was asked for of an inspect's endpoints. The address of the interface is not among it: an inspect does
// not tell whether the engine has chosen it.
func askedEndpoints(endpoints map[string]*network.EndpointSettings) []engine.Endpoint {
	var asked []engine.Endpoint
	for _, name := range sortedCopy(endpoints) {
		settings := endpoints[name]
		if settings == nil {
			continue
		}
		options := project.Endpoint{DriverOpts: settings.DriverOpts, GatewayPriority: settings.GwPriority}
		if addresses := settings.IPAMConfig; addresses != nil {
			options.Ipv4Address, options.Ipv6Address = addresses.IPv4Address, addresses.IPv6Address
			options.LinkLocalIPs = addresses.LinkLocalIPs
		}
		asked = append(asked, engine.Endpoint{Network: name, Aliases: settings.Aliases, Options: &options})
	}
	return asked
}

// withInterfaceName adds the engine's own driver option for the name of the interface (libnetwork, netlabel.Ifname).
func withInterfaceName(options map[string]string, name string) map[string]string {
	extended := map[string]string{"com.docker.network.endpoint.ifname": name}
	for key, value := range options {
		extended[key] = value
	}
	return extended
}

// exposedPorts are the targets of `ports` and the entries of `expose`, ranges taken apart.
func exposedPorts(service project.Service) (nat.PortSet, error) {
	exposed := nat.PortSet{}
	for _, port := range service.Ports {
		exposed[containerPort(port)] = struct{}{}
	}
	for _, entry := range service.Expose {
		ports, protocol, _ := strings.Cut(entry, "/")
		if protocol == "" {
			protocol = "tcp"
		}
		first, last, err := nat.ParsePortRangeToInt(ports)
		if err != nil {
			return nil, invalid("expose %q: %v", entry, err)
		}
		for number := first; number <= last; number++ {
			exposed[nat.Port(strconv.Itoa(number)+"/"+protocol)] = struct{}{}
		}
	}
	return exposed, nil
}

func portBindings(service project.Service) nat.PortMap {
	bindings := nat.PortMap{}
	for _, port := range service.Ports {
		key := containerPort(port)
		bindings[key] = append(bindings[key], nat.PortBinding{HostIP: port.HostIP, HostPort: port.Published})
	}
	return bindings
}

func containerPort(port project.Port) nat.Port {
	protocol := port.Protocol
	if protocol == "" {
		protocol = "tcp"
	}
	return nat.Port(strconv.Itoa(int(port.Target)) + "/" + protocol)
}
