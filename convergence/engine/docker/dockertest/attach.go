package dockertest

import (
	"net/http"
	"net/netip"
	"slices"
)

// checkAddresses says whether the network can give the addresses that are asked for.
func (n *network) checkAddresses(p *endpoint) error {
	for _, asked := range p.fixed() {
		if !slices.ContainsFunc(n.pools, func(pool *pool) bool { return pool.asked }) {
			return fail(http.StatusBadRequest, "invalid config for network %s: invalid endpoint settings:\n"+
				"user specified IP address is supported only when connecting to networks with user configured subnets", n.name)
		}
		if !slices.ContainsFunc(n.pools, func(pool *pool) bool { return pool.subnet.Contains(asked) }) {
			return fail(http.StatusBadRequest, "invalid config for network %s: invalid endpoint settings:\n"+
				"no configured subnet or ip-range contain the IP address %s", n.name, asked)
		}
	}
	return nil
}

// fixed are the addresses that were asked for.
func (p *endpoint) fixed() []netip.Addr {
	var addresses []netip.Addr
	if p.asked.IPAMConfig == nil {
		return nil
	}
	for _, text := range []string{p.asked.IPAMConfig.IPv4Address, p.asked.IPAMConfig.IPv6Address} {
		if address, err := netip.ParseAddr(text); err == nil {
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// joinAll attaches a container that starts to its networks; none stays when one cannot be had.
func (e *Engine) joinAll(c *container) error {
	for i, p := range c.endpoints {
		if err := e.join(c, p); err != nil {
			for _, joined := range c.endpoints[:i] {
				e.leave(c, joined)
			}
			return err
		}
	}
	return nil
}

// join attaches a running container to a network. The network is looked for by name, as the engine does: one that was removed
// and made again since is found too.
func (e *Engine) join(c *container, p *endpoint) error {
	n, err := e.findNetwork(p.key)
	if err != nil {
		return fail(http.StatusNotFound, "failed to set up container networking: %v", err)
	}
	addresses, err := n.takeAddresses(p)
	if err != nil {
		return err
	}
	p.networkID, p.addresses, p.id = n.id, addresses, e.newID("endpoint", c.id+" "+n.id)
	if n.driver != "host" && n.driver != "null" {
		p.mac = p.asked.MacAddress
		if p.mac == "" {
			p.mac = macAddress(hexDigest(c.id, n.id))
		}
	}
	if !n.builtin {
		p.dnsNames = append(append([]string{c.name}, p.asked.Aliases...), shortID(c.id))
	}
	n.members[c.id] = c
	e.networkEvent(n, "connect", c)
	return nil
}

// takeAddresses gives an endpoint one address of each pool; none, where one cannot be had.
func (n *network) takeAddresses(p *endpoint) (map[*pool]netip.Addr, error) {
	addresses := map[*pool]netip.Addr{}
	for _, pool := range n.pools {
		address, err := pool.take(p.fixedIn(pool))
		if err != nil {
			for taken, given := range addresses {
				taken.release(given)
			}
			return nil, err
		}
		addresses[pool] = address
	}
	return addresses, nil
}

// fixedIn is the address of a pool that was asked for; the zero address where none was.
func (p *endpoint) fixedIn(pool *pool) netip.Addr {
	for _, address := range p.fixed() {
		if pool.subnet.Contains(address) {
			return address
		}
	}
	return netip.Addr{}
}

// macAddress is a locally administered address made of hexadecimal digits.
func macAddress(digits string) string {
	return "02:" + digits[0:2] + ":" + digits[2:4] + ":" + digits[4:6] + ":" + digits[6:8] + ":" + digits[8:10]
}

// leave detaches a container. The network may be gone by force; then only the endpoint is cleared.
func (e *Engine) leave(c *container, p *endpoint) {
	if n, ok := e.networks[p.networkID]; ok && p.id != "" {
		delete(n.members, c.id)
		e.networkEvent(n, "disconnect", c)
	}
	for pool, address := range p.addresses {
		pool.release(address)
	}
	p.id, p.mac, p.addresses, p.dnsNames = "", "", nil, nil
}
