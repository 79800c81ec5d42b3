package dockertest

import (
	"cmp"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	apievents "github.com/docker/docker/api/types/events"
	apinetwork "github.com/docker/docker/api/types/network"
)

// network is a network of the engine. Containers are attached while they run.
type network struct {
	id      string
	name    string
	driver  string
	created time.Time
	builtin bool
	options apinetwork.CreateOptions
	pools   []*pool
	members map[string]*container // by ID
}

func (e *Engine) addBuiltinNetworks() {
	for name, driver := range map[string]string{
		apinetwork.NetworkBridge: "bridge", apinetwork.NetworkHost: "host", apinetwork.NetworkNone: "null",
	} {
		n := &network{
			id: e.newID("network", name), name: name, driver: driver, created: e.clock.now(), builtin: true,
			members: map[string]*container{},
		}
		if driver == "bridge" {
			n.pools = []*pool{newPool(netip.MustParsePrefix("172.17.0.0/16"))}
		}
		e.networks[n.id] = n
	}
}

// findNetwork resolves an ID, a name, or the beginning of an ID.
func (e *Engine) findNetwork(ref string) (*network, error) {
	if found, ok := e.networks[ref]; ok {
		return found, nil
	}
	var byID []*network
	for _, candidate := range e.networks {
		if candidate.name == ref {
			return candidate, nil
		}
		if ref != "" && strings.HasPrefix(candidate.id, ref) {
			byID = append(byID, candidate)
		}
	}
	if len(byID) == 1 {
		return byID[0], nil
	}
	return nil, fail(http.StatusNotFound, "network %s not found", ref)
}

func (e *Engine) networkEvent(n *network, action string, c *container) {
	attributes := map[string]string{"name": n.name, "type": n.driver}
	if c != nil {
		attributes["container"] = c.id
	}
	e.events.publish(apievents.NetworkEventType, action, n.id, attributes)
}

// inspect is the network as the API tells it; a list leaves the members out.
func (n *network) inspect(withMembers bool) apinetwork.Inspect {
	answer := apinetwork.Inspect{
		Name: n.name, ID: n.id, Created: n.created, Scope: "local", Driver: n.driver,
		EnableIPv4: n.options.EnableIPv4 == nil || *n.options.EnableIPv4,
		EnableIPv6: n.options.EnableIPv6 != nil && *n.options.EnableIPv6,
		IPAM:       apinetwork.IPAM{Driver: "default", Config: []apinetwork.IPAMConfig{}},
		Internal:   n.options.Internal, Attachable: n.options.Attachable,
		Containers: map[string]apinetwork.EndpointResource{},
		Options:    n.options.Options, Labels: n.options.Labels,
	}
	if answer.Options == nil {
		answer.Options = map[string]string{}
	}
	if answer.Labels == nil {
		answer.Labels = map[string]string{}
	}
	if n.options.IPAM != nil {
		answer.IPAM.Driver, answer.IPAM.Options = cmp.Or(n.options.IPAM.Driver, "default"), n.options.IPAM.Options
	}
	for _, p := range n.pools {
		answer.IPAM.Config = append(answer.IPAM.Config, p.config())
	}
	if withMembers {
		for id, member := range n.members {
			answer.Containers[id] = member.endpointOn(n).resource(member)
		}
	}
	return answer
}

func (e *Engine) sortedNetworks() []*network {
	return slices.SortedFunc(maps.Values(e.networks), func(a, b *network) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id))
	})
}

// endpoint is a container's place in a network: what was asked for, and, while it runs, what it got.
type endpoint struct {
	asked     apinetwork.EndpointSettings
	key       string // the network as the request names it
	networkID string // since the first start
	id        string // while it runs, and so are the rest
	mac       string
	addresses map[*pool]netip.Addr
	dnsNames  []string
}

// settings are the endpoint as the API tells it.
func (p *endpoint) settings() *apinetwork.EndpointSettings {
	answer := p.asked
	answer.NetworkID, answer.EndpointID, answer.DNSNames = p.networkID, p.id, p.dnsNames
	if p.mac != "" {
		answer.MacAddress = p.mac
	}
	for pool, address := range p.addresses {
		if address.Is4() {
			answer.IPAddress, answer.IPPrefixLen, answer.Gateway = address.String(), pool.subnet.Bits(), pool.gateway.String()
		} else {
			answer.GlobalIPv6Address, answer.GlobalIPv6PrefixLen, answer.IPv6Gateway = address.String(), pool.subnet.Bits(), pool.gateway.String()
		}
	}
	return &answer
}

func (p *endpoint) resource(c *container) apinetwork.EndpointResource {
	resource := apinetwork.EndpointResource{Name: c.name, EndpointID: p.id, MacAddress: p.mac}
	for pool, address := range p.addresses {
		text := netip.PrefixFrom(address, pool.subnet.Bits()).String()
		if address.Is4() {
			resource.IPv4Address = text
		} else {
			resource.IPv6Address = text
		}
	}
	return resource
}

// endpointOn is the container's endpoint on a network, nil where it has none.
func (c *container) endpointOn(n *network) *endpoint {
	for _, candidate := range c.endpoints {
		if candidate.networkID == n.id || candidate.networkID == "" && (candidate.key == n.name || candidate.key == n.id) {
			return candidate
		}
	}
	return nil
}

// hasNetwork says whether containers of this mode are attached to networks at all.
func hasNetwork(mode apicontainer.NetworkMode) bool { return !mode.IsContainer() }
