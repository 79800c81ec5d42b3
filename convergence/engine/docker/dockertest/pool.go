package dockertest

import (
	"fmt"
	"net/http"
	"net/netip"

	apinetwork "github.com/docker/docker/api/types/network"
)

// pool is a range of addresses of a network.
type pool struct {
	subnet  netip.Prefix
	gateway netip.Addr
	within  netip.Prefix // where addresses nobody asked for come from
	asked   bool         // by the user, so that fixed addresses are allowed
	taken   map[netip.Addr]bool
	aux     map[string]string
}

func newPool(subnet netip.Prefix) *pool {
	p := &pool{subnet: subnet, gateway: subnet.Addr().Next(), within: subnet, taken: map[netip.Addr]bool{}}
	p.taken[subnet.Addr()], p.taken[p.gateway] = true, true
	return p
}

func (p *pool) config() apinetwork.IPAMConfig {
	config := apinetwork.IPAMConfig{Subnet: p.subnet.String(), Gateway: p.gateway.String(), AuxAddress: p.aux}
	if p.within != p.subnet {
		config.IPRange = p.within.String()
	}
	return config
}

// take gives an address: the one asked for, or the first that is free.
func (p *pool) take(asked netip.Addr) (netip.Addr, error) {
	if asked.IsValid() {
		if p.taken[asked] {
			return netip.Addr{}, fail(http.StatusForbidden, "failed to set up container networking: Address already in use")
		}
		p.taken[asked] = true
		return asked, nil
	}
	for address := p.within.Addr(); p.within.Contains(address); address = address.Next() {
		if !p.taken[address] {
			p.taken[address] = true
			return address, nil
		}
	}
	return netip.Addr{}, fail(http.StatusForbidden, "failed to set up container networking: no available IPv4 addresses on this network's address pools")
}

func (p *pool) release(address netip.Addr) { delete(p.taken, address) }

// defaultPools are where networks without a subnet of their own get one, in this order.
func defaultPools() []netip.Prefix {
	var pools []netip.Prefix
	for i := byte(18); i < 32; i++ {
		pools = append(pools, netip.PrefixFrom(netip.AddrFrom4([4]byte{172, i, 0, 0}), 16))
	}
	for i := 0; i < 256; i += 16 {
		pools = append(pools, netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, byte(i), 0}), 20))
	}
	return pools
}

// allocatePools finds subnets for a new network.
func (e *Engine) allocatePools(request apinetwork.CreateRequest) ([]*pool, error) {
	var pools []*pool
	if request.IPAM != nil {
		for _, config := range request.IPAM.Config {
			p, err := e.poolFrom(config)
			if err != nil {
				return nil, err
			}
			pools = append(pools, p)
		}
	}
	if len(pools) > 0 {
		return pools, nil
	}
	for _, subnet := range defaultPools() {
		if !e.overlaps(subnet) {
			pools = append(pools, newPool(subnet))
			break
		}
	}
	if len(pools) == 0 {
		return nil, fail(http.StatusBadRequest, "all predefined address pools have been fully subnetted")
	}
	if request.EnableIPv6 != nil && *request.EnableIPv6 {
		pools = append(pools, newPool(netip.MustParsePrefix(fmt.Sprintf("fd00:%x::/64", len(e.networks)))))
	}
	return pools, nil
}

func (e *Engine) poolFrom(config apinetwork.IPAMConfig) (*pool, error) {
	subnet, err := netip.ParsePrefix(config.Subnet)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "invalid network config:\ninvalid subnet %s: invalid CIDR block notation", config.Subnet)
	}
	if e.overlaps(subnet) {
		return nil, fail(http.StatusForbidden, "invalid pool request: Pool overlaps with other one on this address space")
	}
	p := newPool(subnet.Masked())
	p.asked, p.aux = true, config.AuxAddress
	if config.Gateway != "" {
		gateway, err := netip.ParseAddr(config.Gateway)
		if err != nil || !subnet.Contains(gateway) {
			return nil, fail(http.StatusBadRequest, "invalid network config:\ninvalid gateway %s: parent subnet is %s", config.Gateway, subnet)
		}
		delete(p.taken, p.gateway)
		p.gateway, p.taken[gateway] = gateway, true
	}
	if config.IPRange != "" {
		if p.within, err = netip.ParsePrefix(config.IPRange); err != nil {
			return nil, fail(http.StatusBadRequest, "invalid network config:\ninvalid ip-range %s: invalid CIDR block notation", config.IPRange)
		}
	}
	for _, address := range config.AuxAddress {
		if reserved, err := netip.ParseAddr(address); err == nil {
			p.taken[reserved] = true
		}
	}
	return p, nil
}

func (e *Engine) overlaps(subnet netip.Prefix) bool {
	for _, n := range e.networks {
		for _, p := range n.pools {
			if p.subnet.Overlaps(subnet) {
				return true
			}
		}
	}
	return false
}
