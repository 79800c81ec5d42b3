package plan

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// checkConflicts refuses what two containers of the project cannot both have: a port of the host, or an address in a network. The
// engine would tell only when the second one is started.
func (r *reconciler) checkConflicts() {
	conflicts := conflicts{r, map[string][]publisher{}, map[string]string{}}
	for _, name := range sortedKeys(r.Project.Services) {
		service := r.Project.Services[name]
		if service.GetScale() > 0 {
			conflicts.checkPorts(&service)
			conflicts.checkAddresses(&service)
		}
	}
}

type conflicts struct {
	*reconciler
	published map[string][]publisher // by "80/tcp"
	addresses map[string]string      // services by network and address
}

// publisher is who publishes a port of the host, and at which address of it.
type publisher struct{ service, address string }

// checkPorts looks at single ports: of a range the engine picks a free one. With the host's network nothing is published.
func (c conflicts) checkPorts(service *project.Service) {
	for i, port := range service.Ports {
		number, err := strconv.ParseUint(port.Published, 10, 16)
		if err != nil || number == 0 || service.NetworkMode == "host" {
			continue
		}
		key := port.Published + "/" + cmp.Or(port.Protocol, "tcp")
		if other := c.publishes(key, port.HostIP); other != "" && other != service.Name {
			c.refuse(service, fmt.Sprintf("ports[%d]", i),
				fmt.Sprintf("port %s of the host is published by service %q and by service %q", key, other, service.Name),
				"publish another port, or leave the choice to the engine")
		} else if service.GetScale() > 1 {
			c.refuse(service, fmt.Sprintf("ports[%d]", i),
				fmt.Sprintf("port %s of the host is for one container, but service %q has %d", key, service.Name, service.GetScale()),
				"publish a range of ports, or leave the choice to the engine")
		}
		c.published[key] = append(c.published[key], publisher{service.Name, port.HostIP})
	}
}

// publishes is the service that has a port of the host at an address; empty where none has.
func (c conflicts) publishes(key, address string) string {
	for _, other := range c.published[key] {
		if overlap(other.address, address) {
			return other.service
		}
	}
	return ""
}

// overlap says whether two addresses of the host have an interface in common: the unspecified ones have all of their kind.
func overlap(one, other string) bool {
	isAll := func(address string) bool { return address == "0.0.0.0" || address == "::" }
	is6 := func(address string) bool { return strings.Contains(address, ":") }
	switch {
	case one == other, one == "", other == "":
		return true
	case is6(one) != is6(other):
		return false
	}
	return isAll(one) || isAll(other)
}

func (c conflicts) checkAddresses(service *project.Service) {
	for _, key := range sortedKeys(service.Networks) {
		endpoint := service.Networks[key]
		if endpoint == nil {
			continue
		}
		c.checkAddress(service, key, "ipv4_address", endpoint.Ipv4Address)
		c.checkAddress(service, key, "ipv6_address", endpoint.Ipv6Address)
	}
}

func (c conflicts) checkAddress(service *project.Service, network, attribute, address string) {
	path, taken := "networks."+network+"."+attribute, network+" "+address
	other, known := c.addresses[taken]
	switch {
	case address == "":
		return
	case known:
		c.refuse(service, path,
			fmt.Sprintf("address %s in network %q is that of service %q and of service %q", address, network, other, service.Name), "")
	case service.GetScale() > 1:
		c.refuse(service, path,
			fmt.Sprintf("address %s is for one container, but service %q has %d", address, service.Name, service.GetScale()), "")
	}
	c.addresses[taken] = service.Name
}

func (c conflicts) refuse(service *project.Service, path, message, try string) {
	c.problem(Problem{
		Ref: graph.Service(service.Name), Position: c.Project.Place("services." + service.Name + "." + path), Message: message, Try: try,
	})
}
