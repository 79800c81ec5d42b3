package docker

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// hostConfig is the part of a create request that belongs to the engine's host: namespaces, security, logging, limits, mounts.
func (c *Client) hostConfig(request engine.CreateContainer) (*container.HostConfig, error) {
	service := request.Service
	binds, mounts, err := c.hostMounts(request.Mounts)
	if err != nil {
		return nil, err
	}
	security, unmasked, err := securityOptions(service)
	if err != nil {
		return nil, err
	}
	if c.system == "windows" {
		security = append(security, credentialSpec(service)...)
	}
	host := &container.HostConfig{
		Annotations:    service.Annotations,
		AutoRemove:     request.AutoRemove,
		ConsoleSize:    firstSize(request),
		Binds:          binds,
		Mounts:         mounts,
		Tmpfs:          tmpfs(service),
		VolumesFrom:    request.VolumesFrom,
		NetworkMode:    networkMode(request),
		PortBindings:   portBindings(service),
		RestartPolicy:  restartPolicy(project.RestartPolicy(service)),
		CapAdd:         service.CapAdd,
		CapDrop:        service.CapDrop,
		CgroupnsMode:   container.CgroupnsMode(service.Cgroup),
		DNS:            service.DNS,
		DNSOptions:     service.DNSOpts,
		DNSSearch:      service.DNSSearch,
		ExtraHosts:     service.ExtraHosts.AsList(":"),
		GroupAdd:       service.GroupAdd,
		Init:           service.Init,
		IpcMode:        container.IpcMode(request.IPC),
		Isolation:      container.Isolation(service.Isolation),
		LogConfig:      logConfig(service),
		OomScoreAdj:    int(service.OomScoreAdj),
		PidMode:        container.PidMode(request.PID),
		Privileged:     service.Privileged,
		ReadonlyRootfs: service.ReadOnly,
		Resources:      resources(service),
		Runtime:        service.Runtime,
		SecurityOpt:    security,
		ShmSize:        int64(service.ShmSize),
		StorageOpt:     service.StorageOpt,
		Sysctls:        service.Sysctls,
		UsernsMode:     container.UsernsMode(service.UserNSMode),
		UTSMode:        container.UTSMode(service.Uts),
	}
	slices.Sort(host.ExtraHosts)
	if unmasked {
		host.MaskedPaths, host.ReadonlyPaths = []string{}, []string{}
	}
	return host, nil
}

func restartPolicy(name string, maxRetries int) container.RestartPolicy {
	return container.RestartPolicy{Name: container.RestartPolicyMode(name), MaximumRetryCount: maxRetries}
}

func logConfig(service project.Service) container.LogConfig {
	if service.Logging == nil {
		return container.LogConfig{}
	}
	return container.LogConfig{Type: service.Logging.Driver, Config: service.Logging.Options}
}

// tmpfs is target -> options of the `tmpfs` entries, "path[:options]".
func tmpfs(service project.Service) map[string]string {
	if len(service.Tmpfs) == 0 {
		return nil
	}
	targets := make(map[string]string, len(service.Tmpfs))
	for _, entry := range service.Tmpfs {
		target, options, _ := strings.Cut(entry, ":")
		targets[target] = options
	}
	return targets
}

// securityOptions are the file's, with the content of a seccomp profile in place of its path, as the engine wants it.
// unmasked says that `systempaths=unconfined` was among them, which is not an option of the API but two empty lists.
func securityOptions(service project.Service) (options []string, unmasked bool, err error) {
	for _, option := range service.SecurityOpt {
		if option == "systempaths=unconfined" || option == "systempaths:unconfined" {
			unmasked = true
			continue
		}
		if path, ok := project.SeccompProfile(option); ok {
			profile, err := readProfile(path)
			if err != nil {
				return nil, false, err
			}
			option = "seccomp=" + profile
		}
		options = append(options, option)
	}
	return options, unmasked, nil
}

// readProfile reads a seccomp profile, as the compact JSON that docker compose sends.
func readProfile(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", invalid("security_opt: read seccomp profile: %v", err)
	}
	var profile bytes.Buffer
	if err := json.Compact(&profile, content); err != nil {
		return "", invalid("security_opt: seccomp profile %s is no JSON: %v", path, err)
	}
	return profile.String(), nil
}

// credentialSpec is the security option by which engines on Windows find the identity of a container; others refuse it.
func credentialSpec(service project.Service) []string {
	spec := service.CredentialSpec
	switch {
	case spec == nil:
		return nil
	case spec.File != "":
		return []string{"credentialspec=file://" + spec.File}
	case spec.Registry != "":
		return []string{"credentialspec=registry://" + spec.Registry}
	}
	return []string{"credentialspec=config://" + spec.Config}
}

// sortedCopy is a list of the map's keys in order; nil for none.
func sortedCopy[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
