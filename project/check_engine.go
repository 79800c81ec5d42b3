package project

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// ContainerPrefix starts the value of network_mode, ipc, pid and volumes_from when it names a container of the engine.
const ContainerPrefix = "container:"

// checkNamespaces checks the modes that engines know. They share the namespaces of user IDs and of the host's name with their own
// host only, whatever the specification says.
func (c *checker) checkNamespaces(service Service) {
	path := "services." + service.Name + "."
	for _, mode := range []struct {
		key, value string
		known      []string
		shared     bool // with other containers
	}{
		{"ipc", service.Ipc, []string{"none", "private", "shareable", "host"}, true},
		{"pid", service.Pid, []string{"host"}, true},
		{"uts", service.Uts, []string{"host"}, false},
		{"userns_mode", service.UserNSMode, []string{"host"}, false},
	} {
		isShared := strings.HasPrefix(mode.value, ServicePrefix) || strings.HasPrefix(mode.value, ContainerPrefix)
		switch {
		case mode.value == "" || c.unknown(mode.value) || slices.Contains(mode.known, mode.value) || mode.shared && isShared:
		case isShared:
			c.report(path+mode.key, "no engine shares it with another container", `say "host", or leave it out`)
		case mode.shared:
			c.report(path+mode.key, fmt.Sprintf("mode %s is none of %s, container:NAME, service:NAME", quote(mode.value), strings.Join(mode.known, ", ")),
				didYouMean(nearest(mode.value, mode.known)))
		default:
			c.report(path+mode.key, fmt.Sprintf(`mode %s does not exist: it can only be "host"`, quote(mode.value)), "")
		}
	}
	c.checkSharedNetwork(service)
}

// attribute is one that may be set.
type attribute struct {
	path string
	set  bool
}

// checkSharedNetwork checks what a container that shares another one's network cannot have: all that belongs to the other one.
func (c *checker) checkSharedNetwork(service Service) {
	mode := service.NetworkMode
	if !strings.HasPrefix(mode, ServicePrefix) && !strings.HasPrefix(mode, ContainerPrefix) {
		return
	}
	for _, attribute := range []attribute{
		{"hostname", service.Hostname != ""},
		{"mac_address", service.MacAddress != ""},
		{"ports", len(service.Ports) > 0},
		{"expose", len(service.Expose) > 0},
		{"dns", len(service.DNS) > 0},
		{"extra_hosts", len(service.ExtraHosts) > 0},
		{"links", len(service.Links)+len(service.ExternalLinks) > 0},
	} {
		if attribute.set {
			c.report("services."+service.Name+"."+attribute.path,
				fmt.Sprintf("a container with the network of another one (network_mode %s) cannot have this", quote(mode)),
				"write it where the network is")
		}
	}
}

// bounds are the least and the most that an engine takes for a number; 0 is always taken, as what is not set.
type bounds struct {
	key         string
	value       int64
	least, most int64
}

const (
	unbounded   = int64(^uint64(0) >> 1)
	leastMemory = 6 << 20
)

// checkNumbers checks limits that engines refuse.
func (c *checker) checkNumbers(service Service) {
	list := []bounds{
		{"cpu_period", service.CPUPeriod, 1000, 1_000_000},
		{"cpu_quota", max(service.CPUQuota, 0), 1000, unbounded}, // a negative one is none
		{"cpu_shares", service.CPUShares, 0, unbounded},
		{"mem_limit", int64(service.MemLimit), leastMemory, unbounded},
		{"mem_reservation", int64(service.MemReservation), leastMemory, unbounded},
		{"mem_swappiness", int64(service.MemSwappiness), -1, 100},
		{"shm_size", int64(service.ShmSize), 0, unbounded},
	}
	if service.CPUS < 0 {
		c.report("services."+service.Name+".cpus", "must not be less than 0", "")
	}
	if io := service.BlkioConfig; io != nil {
		const least, most = 10, 1000
		list = append(list, bounds{"blkio_config.weight", int64(io.Weight), least, most})
		for i, device := range io.WeightDevice {
			list = append(list, bounds{fmt.Sprintf("blkio_config.weight_device[%d].weight", i), int64(device.Weight), least, most})
		}
	}
	if deploy := service.Deploy; deploy != nil {
		if limits := deploy.Resources.Limits; limits != nil {
			list = append(list, bounds{"deploy.resources.limits.memory", int64(limits.MemoryBytes), leastMemory, unbounded})
		}
		if reserved := deploy.Resources.Reservations; reserved != nil {
			list = append(list, bounds{"deploy.resources.reservations.memory", int64(reserved.MemoryBytes), leastMemory, unbounded})
		}
	}
	for _, number := range list {
		c.checkBounds("services."+service.Name+".", number)
	}
	c.checkNumberPairs(service)
}

func (c *checker) checkBounds(prefix string, number bounds) {
	switch {
	case number.value == 0 || number.value >= number.least && number.value <= number.most:
	case number.least == leastMemory:
		c.report(prefix+number.key, "is less than the 6 MB that a container needs", "")
	case number.most == unbounded:
		c.report(prefix+number.key, fmt.Sprintf("%d is less than %d", number.value, number.least), "")
	default:
		c.report(prefix+number.key, fmt.Sprintf("%d is not between %d and %d", number.value, number.least, number.most), "")
	}
}

// checkNumberPairs checks limits that contradict each other.
func (c *checker) checkNumberPairs(service Service) {
	path := "services." + service.Name + "."
	memory, reserved, swap := service.MemLimit, service.MemReservation, service.MemSwapLimit
	if service.Deploy != nil {
		if limits := service.Deploy.Resources.Limits; limits != nil && limits.MemoryBytes > 0 {
			memory = limits.MemoryBytes
		}
	}
	for _, contradiction := range []struct {
		found              bool
		key, message, hint string
	}{
		{memory > 0 && reserved > memory, "mem_reservation", "is more than the memory limit", ""},
		{swap > 0 && memory == 0, "memswap_limit", "needs a memory limit: it is memory and swap together", `add "mem_limit"`},
		{swap > 0 && memory > swap, "memswap_limit", "is less than the memory limit, which it includes", ""},
		{service.CPUS > 0 && (service.CPUPeriod > 0 || service.CPUQuota > 0), "cpus", `excludes "cpu_period" and "cpu_quota"`, "say it once"},
	} {
		if contradiction.found {
			c.report(path+contradiction.key, contradiction.message, contradiction.hint)
		}
	}
	c.checkUlimits(service)
}

func (c *checker) checkUlimits(service Service) {
	for _, name := range keys(service.Ulimits) {
		limit := service.Ulimits[name]
		if limit.Single == 0 && limit.Hard >= 0 && (limit.Soft > limit.Hard || limit.Soft < 0) {
			c.report("services."+service.Name+".ulimits."+name, fmt.Sprintf("the soft limit %d is more than the hard limit %d", limit.Soft, limit.Hard), "")
		}
	}
}

// checkMountTypes checks what a mount cannot be or have.
func (c *checker) checkMountTypes(service Service) {
	for _, mount := range service.Volumes {
		path := "services." + service.Name + ".volumes." + mount.Target
		switch {
		case mount.Target != "" && !c.unknown(mount.Target) && !absolutePath.MatchString(mount.Target):
			c.report(path, "target "+quote(mount.Target)+" is not an absolute path", "")
		case mount.Bind != nil && mount.Bind.SELinux != "" && mount.Bind.Recursive != "":
			c.report(path, `"selinux" and "recursive" exclude each other: no engine takes both for one mount`, "")
		case mount.Type == MountTmpfs && mount.Source != "" && !c.unknown(mount.Source):
			c.report(path, "a tmpfs has no source", `leave "source" out`)
		case mount.Type == MountImage && mount.Source == "":
			c.report(path, `key "source" is missing: the image to be mounted`, "")
		}
	}
}

// checkHosts checks the addresses and names that a container is given.
func (c *checker) checkHosts(service Service) {
	path := "services." + service.Name
	for i, server := range service.DNS {
		if !c.unknown(server) && !isAddress(server) {
			c.report(fmt.Sprintf("%s.dns[%d]", path, i), quote(server)+" is not an IP address", "")
		}
	}
	for _, name := range keys(service.ExtraHosts) {
		for _, address := range service.ExtraHosts[name] {
			if !c.unknown(address) && address != "host-gateway" && !isAddress(strings.Trim(address, "[]")) {
				c.report(path+".extra_hosts."+name, fmt.Sprintf("%s is neither an IP address nor host-gateway", quote(address)), "")
			}
		}
	}
	if address := service.MacAddress; address != "" && !c.unknown(address) && !isHardwareAddress(address) {
		c.report(path+".mac_address", quote(address)+` is not an address like "02:42:ac:11:00:02"`, "")
	}
}

func isHardwareAddress(text string) bool {
	const octets = 6
	address, err := net.ParseMAC(text)
	return err == nil && len(address) == octets
}

// subnets are those that a network of the file has, as far as they can be read.
func subnets(network Network) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, pool := range network.Ipam.Config {
		if prefix, err := netip.ParsePrefix(pool.Subnet); err == nil {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}
