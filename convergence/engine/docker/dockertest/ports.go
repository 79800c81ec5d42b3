package dockertest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
)

// hostPort is a port of the engine's host.
type hostPort struct {
	ip       string // 0.0.0.0 for all addresses
	port     int
	protocol string
}

// binding is what a published host port leads to.
type binding struct {
	target nat.Port
	allIPs bool // asked for without an address: IPv6 too
}

// firstEphemeral is where the search for a free host port begins.
const firstEphemeral = 32768

// everywhere is the address that stands for all.
const everywhere = "0.0.0.0"

// TakePort makes a TCP port of the host taken by a process that is no container, until the function that it returns is called.
func (e *Engine) TakePort(port int) (release func()) {
	key := hostPort{everywhere, port, "tcp"}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.hostPorts[key] = nil
	return func() {
		e.mutex.Lock()
		defer e.mutex.Unlock()
		delete(e.hostPorts, key)
	}
}

// publish takes the host ports that a container asks for.
func (e *Engine) publish(c *container) error {
	c.ports = map[hostPort]binding{}
	if c.host.NetworkMode.IsHost() || !hasNetwork(c.host.NetworkMode) {
		return nil
	}
	for _, target := range slices.Sorted(maps.Keys(c.host.PortBindings)) {
		for _, wanted := range c.host.PortBindings[target] {
			if err := e.bind(c, target, wanted); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) bind(c *container, target nat.Port, wanted nat.PortBinding) error {
	ip := cmp.Or(wanted.HostIP, everywhere)
	first, last, _ := nat.ParsePortRangeToInt(cmp.Or(wanted.HostPort, "0"))
	if first == 0 {
		const highest = 60999
		first, last = firstEphemeral, highest
	}
	var taken error
	for port := first; port <= last; port++ {
		key := hostPort{ip, port, target.Proto()}
		if taken = e.portTaken(c, key, target); taken == nil {
			e.hostPorts[key] = c
			c.ports[key] = binding{target: target, allIPs: wanted.HostIP == ""}
			return nil
		}
	}
	return taken
}

// portTaken is the engine's complaint about a host port that somebody has already.
func (e *Engine) portTaken(c *container, wanted hostPort, target nat.Port) error {
	for key, owner := range e.hostPorts {
		sameIP := key.ip == wanted.ip || key.ip == everywhere || wanted.ip == everywhere
		if key.port != wanted.port || key.protocol != wanted.protocol || !sameIP {
			continue
		}
		place := c.endpoints[0]
		reason := "Bind for " + wanted.ip + ":" + strconv.Itoa(wanted.port) + " failed: port is already allocated"
		if owner == nil {
			reason = "failed to bind host port for " + wanted.ip + ":" + strconv.Itoa(wanted.port) + ":" +
				place.settings().IPAddress + ":" + string(target) + ": address already in use"
		}
		return fail(http.StatusInternalServerError, "failed to set up container networking: driver failed programming external "+
			"connectivity on endpoint %s (%s): %s", c.name, place.id, reason)
	}
	return nil
}

// portMap is what an inspect says of a running container's ports: those exposed, with where each is reached.
func (c *container) portMap() nat.PortMap {
	ports := nat.PortMap{}
	if c.run == nil {
		return ports
	}
	for target := range c.config.ExposedPorts {
		ports[target] = nil
	}
	for key, bound := range c.ports {
		number := strconv.Itoa(key.port)
		ports[bound.target] = append(ports[bound.target], nat.PortBinding{HostIP: key.ip, HostPort: number})
		if bound.allIPs {
			ports[bound.target] = append(ports[bound.target], nat.PortBinding{HostIP: "::", HostPort: number})
		}
	}
	for _, bindings := range ports {
		slices.SortFunc(bindings, func(a, b nat.PortBinding) int {
			return cmp.Or(cmp.Compare(a.HostIP, b.HostIP), cmp.Compare(a.HostPort, b.HostPort))
		})
	}
	return ports
}

// portList is the same as a list says it.
func (c *container) portList() []apicontainer.Port {
	list := []apicontainer.Port{}
	ports := c.portMap()
	for _, target := range slices.Sorted(maps.Keys(ports)) {
		if len(ports[target]) == 0 {
			list = append(list, apicontainer.Port{PrivatePort: uint16(target.Int()), Type: target.Proto()})
		}
		for _, bound := range ports[target] {
			number, _ := strconv.Atoi(bound.HostPort)
			list = append(list, apicontainer.Port{
				IP: bound.HostIP, PrivatePort: uint16(target.Int()), PublicPort: uint16(number), Type: target.Proto(),
			})
		}
	}
	return list
}
