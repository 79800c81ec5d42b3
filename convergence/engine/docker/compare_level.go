package docker

import (
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/strslice"
	"github.com/docker/go-connections/nat"
)

func portSet(ports map[string]struct{}) nat.PortSet {
	set := nat.PortSet{}
	for port := range ports {
		set[nat.Port(port)] = struct{}{}
	}
	return set
}

// withImage is a request with what an engine takes from the image where the request leaves it open (moby, daemon/commit.go).
func withImage(config, base container.Config) container.Config {
	config.User = orElse(config.User, base.User)
	config.WorkingDir = orElse(config.WorkingDir, base.WorkingDir)
	config.StopSignal = orElse(config.StopSignal, base.StopSignal)
	if len(config.Entrypoint) == 0 {
		if len(config.Cmd) == 0 {
			config.Cmd = base.Cmd
		}
		if config.Entrypoint == nil {
			config.Entrypoint = base.Entrypoint
		}
	}
	if len(config.Entrypoint) == 1 && config.Entrypoint[0] == "" {
		config.Entrypoint = strslice.StrSlice{}
	}
	config.ExposedPorts = union(config.ExposedPorts, base.ExposedPorts)
	config.Labels = union(config.Labels, base.Labels)
	config.Healthcheck = healthWithImage(config.Healthcheck, base.Healthcheck)
	set := map[string]bool{}
	for _, entry := range config.Env {
		set[variable(entry)] = true
	}
	config.Env = slices.Clone(config.Env)
	for _, entry := range base.Env {
		if !set[variable(entry)] {
			config.Env = append(config.Env, entry)
		}
	}
	return config
}

func variable(entry string) string {
	name, _, _ := strings.Cut(entry, "=")
	return name
}

func orElse[V comparable](value, otherwise V) V {
	var zero V
	if value == zero {
		return otherwise
	}
	return value
}

// union is the first map with what only the second one has.
func union[M ~map[K]V, K comparable, V any](first, second M) M {
	both := maps.Clone(second)
	if both == nil {
		return first
	}
	maps.Copy(both, first)
	return both
}

func healthWithImage(check, base *container.HealthConfig) *container.HealthConfig {
	if check == nil || base == nil {
		return orElse(check, base)
	}
	merged := *check
	if len(merged.Test) == 0 {
		merged.Test = base.Test
	}
	merged.Interval = orElse(merged.Interval, base.Interval)
	merged.Timeout = orElse(merged.Timeout, base.Timeout)
	merged.StartPeriod = orElse(merged.StartPeriod, base.StartPeriod)
	merged.StartInterval = orElse(merged.StartInterval, base.StartInterval)
	merged.Retries = orElse(merged.Retries, base.Retries)
	return &merged
}

// level takes out of both sides what does not tell them apart: what an engine puts in where a request says nothing, and what
// it drops where it cannot do it.
func level(wanted, made *makeup) {
	levelNames(wanted, made)
	want, have := &wanted.host, &made.host
	takeDefault(want.IpcMode, &have.IpcMode, "private", "shareable")
	takeDefault(want.CgroupnsMode, &have.CgroupnsMode, "private", "host")
	takeDefault(want.Runtime, &have.Runtime, "runc", "io.containerd.runc.v2")
	takeDefault(want.MemorySwap, &have.MemorySwap, 2*have.Memory) // an engine lets a container swap as much as it has
	takeDefault(want.RestartPolicy.Name, &have.RestartPolicy.Name, container.RestartPolicyDisabled)
	takeDefault(have.RestartPolicy.Name, &want.RestartPolicy.Name, container.RestartPolicyDisabled)
	levelLimits(want)
	levelLimits(have)
	dropUnsupported(want, have)
	if want.LogConfig.Type == "" { // the engine's configuration says how; nobody else can
		have.LogConfig = container.LogConfig{}
	}
	maps.DeleteFunc(have.LogConfig.Config, func(option, _ string) bool { _, asked := want.LogConfig.Config[option]; return !asked })
	isLabel := func(option string) bool { return strings.HasPrefix(option, "label") }
	if !slices.ContainsFunc(want.SecurityOpt, isLabel) { // what shares a namespace of the host is given one
		have.SecurityOpt = slices.DeleteFunc(slices.Clone(have.SecurityOpt), isLabel)
	}
	if len(wanted.endpoints) == 0 { // a container without networks has an endpoint that is called by its mode
		made.endpoints = nil
	}
	for name, endpoint := range made.endpoints {
		asked := wanted.endpoints[name]
		if endpoint == nil || asked == nil {
			continue
		}
		seen := *endpoint
		if asked.MacAddress == "" || seen.MacAddress == "" { // which of the two has chosen it is not told, nor before the start
			seen.MacAddress = asked.MacAddress
		}
		made.endpoints[name] = &seen
	}
}

// levelNames takes out the host names that an engine makes up.
func levelNames(wanted, made *makeup) {
	const short = 12
	mode := made.host.NetworkMode
	if wanted.config.Hostname == "" && len(made.id) > short && made.config.Hostname == made.id[:short] {
		made.config.Hostname = ""
	}
	if mode.IsHost() || mode.IsContainer() || made.host.UTSMode.IsHost() {
		made.config.Hostname = orElse(wanted.config.Hostname, "")
		made.config.Domainname = wanted.config.Domainname
	}
}

// takeDefault takes out a value that a container has although nobody asked for it.
func takeDefault[V comparable](wanted V, made *V, defaults ...V) {
	var zero V
	if wanted == zero && slices.Contains(defaults, *made) {
		*made = zero
	}
}

// defaultShm is how much memory processes may share where nobody says.
const defaultShm = 64 << 20

// levelLimits gives limits that are none one form.
func levelLimits(host *container.HostConfig) {
	if host.PidsLimit != nil && *host.PidsLimit <= 0 {
		host.PidsLimit = nil
	}
	if host.MemorySwappiness != nil && *host.MemorySwappiness < 0 {
		host.MemorySwappiness = nil
	}
	if host.OomKillDisable != nil && !*host.OomKillDisable {
		host.OomKillDisable = nil
	}
	if host.ShmSize == defaultShm {
		host.ShmSize = 0
	}
	if host.Isolation.IsDefault() {
		host.Isolation = ""
	}
	if host.NetworkMode.IsDefault() {
		host.NetworkMode = "bridge"
	}
	host.Devices = slices.Clone(host.Devices)
	for i := range host.Devices {
		host.Devices[i].CgroupPermissions = orElse(host.Devices[i].CgroupPermissions, "rwm")
	}
	host.CapAdd, host.CapDrop = capabilities(host.CapAdd), capabilities(host.CapDrop)
}

// capabilities are their names as kernels have them, in order.
func capabilities(names strslice.StrSlice) strslice.StrSlice {
	var known strslice.StrSlice
	for _, name := range names {
		name = strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		known = append(known, name)
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// dropUnsupported takes out limits that engines leave away where their kernel or their system does not have them.
func dropUnsupported(wanted, made *container.HostConfig) {
	if made.MemorySwappiness == nil {
		wanted.MemorySwappiness = nil
	}
	if made.OomKillDisable == nil {
		wanted.OomKillDisable = nil
	}
	if len(made.BlkioWeightDevice) == 0 {
		wanted.BlkioWeightDevice = nil
	}
	for want, had := range map[*int64]int64{
		&wanted.CPUCount: made.CPUCount, &wanted.CPUPercent: made.CPUPercent,
		&wanted.CPURealtimePeriod: made.CPURealtimePeriod, &wanted.CPURealtimeRuntime: made.CPURealtimeRuntime,
	} {
		if had == 0 {
			*want = 0
		}
	}
	if made.BlkioWeight == 0 {
		wanted.BlkioWeight = 0
	}
}
