package docker

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
)

// makeup is what a container is created with: what a request says, or what an engine tells of one that is there.
type makeup struct {
	id        string // of one that is there
	config    container.Config
	host      container.HostConfig
	endpoints map[string]*network.EndpointSettings
	volumes   map[string]struct{} // the targets that the image declares
}

// attributes are everything that tells containers apart, in the words of the Compose Specification where it has some: path -> value.
// What is not set has none.
func (m makeup) attributes() map[string]string {
	a := attributes{}
	a.process(m.config)
	a.labels(m.config)
	a.ports(m.config.ExposedPorts, m.host.PortBindings)
	a.mounts(m.host, m.volumes)
	for name, endpoint := range m.endpoints {
		a.endpoint("networks."+name, endpoint, m.id)
	}
	a.host(m.host)
	return a
}

type attributes map[string]string

// set adds an attribute that has a value: a text as it is, anything else as JSON without what is empty.
func (a attributes) set(path string, value any) {
	data, _ := json.Marshal(value) // of plain values, which always can be
	var tree any
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if decoder.Decode(&tree) != nil {
		return
	}
	switch tree := pruned(tree).(type) {
	case nil:
	case string:
		a[path] = tree
	default:
		data, _ := json.Marshal(tree)
		a[path] = string(data)
	}
}

// pruned is a JSON tree without what is empty; nil where all of it is. It changes the tree.
func pruned(tree any) any {
	switch value := tree.(type) {
	case map[string]any:
		return prunedObject(value)
	case []any:
		return prunedList(value)
	case string, bool, json.Number:
		if slices.Contains([]any{"", false, json.Number("0")}, tree) {
			return nil
		}
	}
	return tree
}

func prunedObject(object map[string]any) any {
	for key, child := range object {
		if object[key] = pruned(child); object[key] == nil {
			delete(object, key)
		}
	}
	if len(object) == 0 {
		return nil
	}
	return object
}

// prunedList leaves the items of a list, for their places may tell.
func prunedList(list []any) any {
	if len(list) == 0 {
		return nil
	}
	for i, child := range list {
		if object, ok := child.(map[string]any); ok {
			list[i] = prunedObject(object)
		}
	}
	return list
}

func (a attributes) process(config container.Config) {
	for path, value := range map[string]any{
		"hostname": config.Hostname, "domainname": config.Domainname, "user": config.User, "image": config.Image,
		"working_dir": strings.TrimSuffix(config.WorkingDir, "/"), "stop_signal": config.StopSignal, "tty": config.Tty,
		"stdin_open": config.OpenStdin, "command": []string(config.Cmd), "entrypoint": []string(config.Entrypoint),
	} {
		a.set(path, value)
	}
	if config.StopTimeout != nil {
		a["stop_grace_period"] = strconv.Itoa(*config.StopTimeout) + "s"
	}
	for _, entry := range config.Env {
		name, value, hasValue := strings.Cut(entry, "=")
		if a["environment."+name] = value; !hasValue {
			a["environment."+name] = "(unset)"
		}
	}
	check := config.Healthcheck
	if check == nil {
		return
	}
	a.set("healthcheck.test", check.Test)
	a.set("healthcheck.retries", check.Retries)
	for path, span := range map[string]fmt.Stringer{
		"interval": check.Interval, "timeout": check.Timeout, "start_period": check.StartPeriod, "start_interval": check.StartInterval,
	} {
		if text := span.String(); text != "0s" {
			a["healthcheck."+path] = text
		}
	}
}

// labels are those that say something of the container itself, and not of who made it.
func (a attributes) labels(config container.Config) {
	for name, value := range config.Labels {
		if !strings.HasPrefix(name, "com.docker.compose.") && !strings.HasPrefix(name, "dev.muster.") {
			a["labels."+name] = value
		}
	}
}

func (a attributes) ports(exposed nat.PortSet, bindings nat.PortMap) {
	for port := range exposed {
		if _, published := bindings[port]; !published {
			a["expose."+string(port)] = "exposed"
		}
	}
	for port, hosts := range bindings {
		var places []string
		for _, host := range hosts {
			places = append(places, strings.TrimPrefix(host.HostIP+":"+host.HostPort, ":"))
		}
		slices.Sort(places)
		a["ports."+string(port)] = strings.Join(places, ", ")
	}
}

// numberedAlias ends the aliases of links that tell replicas apart, whose numbers docker compose and Muster choose differently.
var numberedAlias = regexp.MustCompile(`-\d+$`)

func (a attributes) endpoint(path string, endpoint *network.EndpointSettings, id string) {
	a[path] = "attached"
	if endpoint == nil {
		return
	}
	aliases := slices.DeleteFunc(slices.Sorted(slices.Values(endpoint.Aliases)), func(alias string) bool {
		return alias != "" && strings.HasPrefix(id, alias) // engines add the ID
	})
	links := slices.DeleteFunc(slices.Sorted(slices.Values(endpoint.Links)), numberedAlias.MatchString)
	a.set(path+".aliases", slices.Compact(aliases))
	a.set(path+".links", slices.Compact(links))
	a.set(path+".driver_opts", endpoint.DriverOpts)
	a.set(path+".gw_priority", endpoint.GwPriority)
	a.set(path+".mac_address", strings.ToLower(endpoint.MacAddress))
	if addresses := endpoint.IPAMConfig; addresses != nil {
		a.set(path+".ipv4_address", addresses.IPv4Address)
		a.set(path+".ipv6_address", addresses.IPv6Address)
		a.set(path+".link_local_ips", addresses.LinkLocalIPs)
	}
}

// mounts are all mounts, whether they were given as a text or as a struct. An anonymous volume that the image declares is nobody's wish,
// and whether a missing folder was to be made says nothing of a container that is there.
func (a attributes) mounts(host container.HostConfig, declared map[string]struct{}) {
	for _, bind := range host.Binds {
		a.mount(parseBind(bind), declared)
	}
	for _, m := range host.Mounts {
		a.mount(m, declared)
	}
	for target, options := range host.Tmpfs {
		a["tmpfs."+target] = orElse(options, "mounted")
	}
}

func (a attributes) mount(m mount.Mount, declared map[string]struct{}) {
	if m.Type == mount.TypeVolume && isID(m.Source) {
		m.Source = ""
	}
	if _, ok := declared[m.Target]; ok && m.Type == mount.TypeVolume && m.Source == "" {
		return
	}
	words := []string{string(m.Type)}
	if m.Source != "" {
		words = append(words, m.Source)
	}
	if m.ReadOnly {
		words = append(words, "read-only")
	}
	options := attributes{}
	if bind := m.BindOptions; bind != nil {
		if bind.Propagation != mount.PropagationRPrivate { // which is what none means
			options.set("propagation", bind.Propagation)
		}
		options.set("non-recursive", bind.NonRecursive)
		options.set("read-only non-recursive", bind.ReadOnlyNonRecursive)
		options.set("read-only recursive", bind.ReadOnlyForceRecursive)
	}
	if volume := m.VolumeOptions; volume != nil {
		options.set("nocopy", volume.NoCopy)
		options.set("subpath", volume.Subpath)
		options.set("labels", volume.Labels)
		options.set("driver", volume.DriverConfig)
	}
	options.set("tmpfs", m.TmpfsOptions)
	options.set("image", m.ImageOptions)
	options.set("cluster", m.ClusterOptions)
	for _, name := range sortedCopy(options) {
		words = append(words, name+"="+options[name])
	}
	a["volumes."+m.Target] = strings.Join(words, " ")
}

// parseBind reads source:target[:options]. On Windows a path begins with a letter and a colon.
func parseBind(bind string) mount.Mount {
	drive := 0
	if len(bind) > 2 && bind[1:3] == `:\` {
		drive = 2
	}
	source, rest, _ := strings.Cut(bind[drive:], ":")
	source = bind[:drive] + source
	target, words, _ := strings.Cut(rest, ":")
	parsed := mount.Mount{Type: mount.TypeVolume, Source: source, Target: target}
	if drive > 0 || strings.HasPrefix(source, "/") {
		parsed.Type = mount.TypeBind
	}
	var propagation []string
	for word := range strings.SplitSeq(words, ",") {
		switch word {
		case "ro":
			parsed.ReadOnly = true
		case "nocopy":
			parsed.VolumeOptions = &mount.VolumeOptions{NoCopy: true}
		case "", "rw", "cached", "delegated", "consistent", "default", string(mount.PropagationRPrivate):
		default: // a propagation, or a label of SELinux's
			propagation = append(propagation, word)
		}
	}
	if len(propagation) > 0 {
		slices.Sort(propagation)
		parsed.BindOptions = &mount.BindOptions{Propagation: mount.Propagation(strings.Join(propagation, ","))}
	}
	return parsed
}

// host are the attributes of the host's side that are not said elsewhere.
func (a attributes) host(host container.HostConfig) {
	a.set("logging.driver", host.LogConfig.Type)
	a.set("logging.options", host.LogConfig.Config)
	restart := string(host.RestartPolicy.Name)
	if retries := host.RestartPolicy.MaximumRetryCount; retries > 0 {
		restart += ":" + strconv.Itoa(retries)
	}
	a.set("restart", restart)
	if host.MaskedPaths != nil && len(host.MaskedPaths) == 0 {
		a["security_opt.systempaths"] = "unconfined"
	}
	a.set("security_opt", slices.Sorted(slices.Values(host.SecurityOpt)))
	a.set("extra_hosts", slices.Sorted(slices.Values(host.ExtraHosts)))
	host.Binds, host.Mounts, host.Tmpfs, host.PortBindings, host.LogConfig = nil, nil, nil, nil, container.LogConfig{}
	host.RestartPolicy, host.MaskedPaths, host.ReadonlyPaths, host.SecurityOpt = container.RestartPolicy{}, nil, nil, nil
	host.ExtraHosts, host.ConsoleSize = nil, [2]uint{}
	host.Ulimits = slices.SortedFunc(slices.Values(host.Ulimits), func(a, b *container.Ulimit) int { return cmp.Compare(a.Name, b.Name) })
	data, _ := json.Marshal(host) // of plain values, which always can be
	var rest map[string]json.RawMessage
	_ = json.Unmarshal(data, &rest)
	for key, value := range rest {
		a.set(attributeOf(key), value)
	}
}

// attributeOf is the attribute that sets a field of the engine's; the field's name where there is none.
func attributeOf(field string) string {
	return cmp.Or(map[string]string{
		"NanoCpus": "cpus", "Memory": "mem_limit", "MemoryReservation": "mem_reservation", "MemorySwap": "memswap_limit",
		"MemorySwappiness": "mem_swappiness", "CpuShares": "cpu_shares", "CpuQuota": "cpu_quota", "CpuPeriod": "cpu_period",
		"CpusetCpus": "cpuset", "CpuRealtimePeriod": "cpu_rt_period", "CpuRealtimeRuntime": "cpu_rt_runtime", "CpuCount": "cpu_count",
		"CpuPercent": "cpu_percent", "PidsLimit": "pids_limit", "Ulimits": "ulimits", "Devices": "devices",
		"DeviceRequests": "gpus", "DeviceCgroupRules": "device_cgroup_rules", "CgroupParent": "cgroup_parent", "CgroupnsMode": "cgroup",
		"CapAdd": "cap_add", "CapDrop": "cap_drop", "Dns": "dns", "DnsOptions": "dns_opt", "DnsSearch": "dns_search",
		"GroupAdd": "group_add", "IpcMode": "ipc", "PidMode": "pid", "UsernsMode": "userns_mode", "UTSMode": "uts",
		"NetworkMode": "network_mode", "Privileged": "privileged", "ReadonlyRootfs": "read_only", "Init": "init", "Runtime": "runtime",
		"ShmSize": "shm_size", "StorageOpt": "storage_opt", "Sysctls": "sysctls", "Annotations": "annotations", "OomScoreAdj": "oom_score_adj",
		"OomKillDisable": "oom_kill_disable", "Isolation": "isolation", "VolumesFrom": "volumes_from", "BlkioWeight": "blkio_config.weight",
		"BlkioWeightDevice":  "blkio_config.weight_device",
		"BlkioDeviceReadBps": "blkio_config.device_read_bps", "BlkioDeviceReadIOps": "blkio_config.device_read_iops",
		"BlkioDeviceWriteBps": "blkio_config.device_write_bps", "BlkioDeviceWriteIOps": "blkio_config.device_write_iops",
	}[field], field)
}
