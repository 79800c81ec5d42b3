package project

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// checkEndpoints checks the addresses that a service is to have in its networks.
func (c *checker) checkEndpoints(service Service) {
	for _, key := range keys(service.Networks) {
		endpoint := service.Networks[key]
		if endpoint == nil {
			continue
		}
		path := "services." + service.Name + ".networks." + key
		if c.checkAddress(path+".ipv4_address", endpoint.Ipv4Address, netip.Addr.Is4, "IPv4") {
			c.checkStatic(key, path+".ipv4_address", endpoint.Ipv4Address)
		}
		if c.checkAddress(path+".ipv6_address", endpoint.Ipv6Address, netip.Addr.Is6, "IPv6") {
			c.checkStatic(key, path+".ipv6_address", endpoint.Ipv6Address)
		}
		for i, address := range endpoint.LinkLocalIPs {
			c.checkAddress(fmt.Sprintf("%s.link_local_ips[%d]", path, i), address, netip.Addr.IsValid, "IP")
		}
		if address := endpoint.MacAddress; address != "" && !c.unknown(address) && !isHardwareAddress(address) {
			c.report(path+".mac_address", quote(address)+` is not an address like "02:42:ac:11:00:02"`, "")
		}
	}
}

// checkAddress says whether there is an address, of the right kind.
func (c *checker) checkAddress(path, text string, isKind func(netip.Addr) bool, kind string) bool {
	if text == "" || c.unknown(text) {
		return false
	}
	if address, err := netip.ParseAddr(text); err != nil || !isKind(address) {
		c.report(path, fmt.Sprintf("%s is not an %s address", quote(text), kind), "")
		return false
	}
	return true
}

// checkStatic checks that a network can give a static address.
func (c *checker) checkStatic(key, path, text string) {
	network, known := c.model.Networks[key]
	address, err := netip.ParseAddr(text)
	if !known || err != nil || bool(network.External) {
		return
	}
	prefixes := subnets(network)
	sameKind := slices.DeleteFunc(slices.Clone(prefixes), func(p netip.Prefix) bool { return p.Addr().Is4() != address.Is4() })
	switch {
	case len(network.Ipam.Config) == 0:
		c.report(path, fmt.Sprintf("network %s has no subnet of its own, so it gives no address that is asked for", quote(key)),
			fmt.Sprintf("give the network one: networks.%s.ipam.config", key))
	case len(prefixes) == len(network.Ipam.Config) &&
		!slices.ContainsFunc(sameKind, func(p netip.Prefix) bool { return p.Contains(address) }):
		c.report(path, fmt.Sprintf("%s is in no subnet of network %s", quote(text), quote(key)), subnetHint(prefixes))
	}
}

func subnetHint(prefixes []netip.Prefix) string {
	texts := make([]string, len(prefixes))
	for i, prefix := range prefixes {
		texts[i] = prefix.String()
	}
	return "its subnets are " + strings.Join(texts, ", ")
}

// checkPools checks the address pools of a network.
func (c *checker) checkPools(key string, network Network) {
	for i, pool := range network.Ipam.Config {
		path := fmt.Sprintf("networks.%s.ipam.config[%d]", key, i)
		if pool.Subnet == "" || c.unknown(pool.Subnet) {
			continue
		}
		subnet, err := netip.ParsePrefix(pool.Subnet)
		if err != nil {
			c.report(path+".subnet", quote(pool.Subnet)+` is not a subnet like "10.1.0.0/16"`, "")
			continue
		}
		if part, err := netip.ParsePrefix(pool.IPRange); pool.IPRange != "" && !c.unknown(pool.IPRange) &&
			(err != nil || part.Bits() < subnet.Bits() || !subnet.Contains(part.Addr())) {
			c.report(path+".ip_range", fmt.Sprintf("%s is not a part of subnet %s", quote(pool.IPRange), subnet), "")
		}
		c.checkInSubnet(path+".gateway", pool.Gateway, subnet)
		for _, name := range keys(pool.AuxiliaryAddresses) {
			c.checkInSubnet(path+".aux_addresses."+name, pool.AuxiliaryAddresses[name], subnet)
		}
	}
}

func (c *checker) checkInSubnet(path, text string, subnet netip.Prefix) {
	if address, err := netip.ParseAddr(text); text != "" && !c.unknown(text) && (err != nil || !subnet.Contains(address)) {
		c.report(path, fmt.Sprintf("%s is not an address of subnet %s", quote(text), subnet), "")
	}
}
