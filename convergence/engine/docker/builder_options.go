package docker

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/go-units"
)

// config is how the container is made. A driver option that is not known here is one for buildx.
func (b *builderContainer) config() (*container.Config, *container.HostConfig, error) {
	useInit := true
	config := &container.Config{Image: builderImage, Cmd: slices.Clone(b.node.Flags)}
	if _, given := b.node.Files[builderConfig]; given {
		config.Cmd = append([]string{"--config", path.Join(builderEtc, builderFolder, builderConfig)}, config.Cmd...)
	}
	host := &container.HostConfig{Privileged: true, Init: &useInit, Mounts: []mount.Mount{
		{Type: mount.TypeVolume, Source: b.name() + builderState, Target: builderStatePath},
	}}
	for _, name := range slices.Sorted(maps.Keys(b.node.DriverOpts)) {
		if err := setDriverOption(config, host, name, b.node.DriverOpts[name]); err != nil {
			return nil, nil, fmt.Errorf("driver option %s=%s: %w", name, b.node.DriverOpts[name], err)
		}
	}
	return config, host, nil
}

func setDriverOption(config *container.Config, host *container.HostConfig, name, value string) error {
	if variable, ok := strings.CutPrefix(name, "env."); ok && variable != "" {
		config.Env = append(config.Env, variable+"="+value)
		return nil
	}
	numbers := map[string]*int64{
		"memory": &host.Memory, "memory-swap": &host.MemorySwap,
		"cpu-period": &host.CPUPeriod, "cpu-quota": &host.CPUQuota, "cpu-shares": &host.CPUShares,
	}
	texts := map[string]*string{
		"image": &config.Image, "network": (*string)(&host.NetworkMode), "cgroup-parent": &host.CgroupParent,
		"cpuset-cpus": &host.CpusetCpus, "cpuset-mems": &host.CpusetMems,
	}
	var err error
	switch {
	case texts[name] != nil:
		*texts[name] = value
		if name == "network" && value == "host" {
			config.Cmd = append(config.Cmd, "--allow-insecure-entitlement=network.host")
		}
	case strings.HasPrefix(name, "memory") && numbers[name] != nil:
		*numbers[name], err = units.RAMInBytes(value)
	case numbers[name] != nil:
		*numbers[name], err = strconv.ParseInt(value, 10, 64)
	case name == "restart-policy":
		host.RestartPolicy, err = restartPolicyOf(value)
	case name == optDefault, name == "provenance-add-gha": // for what buildx makes of a build
	default:
		err = errors.New("it is not known here")
	}
	return err
}

func restartPolicyOf(text string) (container.RestartPolicy, error) {
	name, count, limited := strings.Cut(text, ":")
	policy := container.RestartPolicy{Name: container.RestartPolicyMode(name)}
	if !limited {
		return policy, nil
	}
	var err error
	policy.MaximumRetryCount, err = strconv.Atoi(count)
	return policy, err
}

// files are BuildKit's configuration as a tar for [builderEtc].
func (b *builderContainer) files() io.Reader {
	const readable = 0o644
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for _, name := range slices.Sorted(maps.Keys(b.node.Files)) {
		content := b.node.Files[name]
		// Into memory; a name that is none comes out as one that the engine refuses.
		_ = writer.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: path.Join(builderFolder, path.Clean("/"+name)), Mode: readable, Size: int64(len(content)),
		})
		_, _ = writer.Write(content)
	}
	_ = writer.Close()
	return &archive
}
