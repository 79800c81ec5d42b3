package docker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/muster-dev/muster/convergence/engine"
)

// CompareContainer implements [engine.Containers].
func (c *Client) CompareContainer(ctx context.Context, ref string, request engine.CreateContainer) ([]engine.Difference, error) {
	parts, err := c.translate(request)
	if err != nil {
		return nil, err
	}
	found, err := c.api.ContainerInspect(ctx, ref)
	if err != nil {
		return nil, c.wrap(err)
	}
	base, err := c.imageConfig(ctx, found.Image)
	if err != nil {
		return nil, err
	}
	wanted := makeup{config: withImage(*parts.config, base), host: *parts.host, endpoints: askedOf(request), volumes: base.Volumes}
	made := makeup{id: found.ID, volumes: base.Volumes}
	if found.Config != nil && found.HostConfig != nil && found.NetworkSettings != nil {
		made.config, made.host, made.endpoints = *found.Config, *found.HostConfig, found.NetworkSettings.Networks
	}
	for _, host := range []*container.HostConfig{&wanted.host, &made.host} {
		if err := c.nameByID(ctx, host); err != nil {
			return nil, err
		}
	}
	level(&wanted, &made)
	return differences(wanted.attributes(), made.attributes()), nil
}

// imageConfig is what the image of a container gives to it; nothing where the image is gone.
func (c *Client) imageConfig(ctx context.Context, id string) (container.Config, error) {
	answer, err := c.api.ImageInspect(ctx, id)
	switch {
	case err != nil && errors.Is(c.wrap(err), engine.ErrNotFound):
		return container.Config{}, nil
	case err != nil || answer.Config == nil:
		return container.Config{}, c.wrap(err)
	}
	from := answer.Config
	config := container.Config{
		User: from.User, Env: from.Env, Entrypoint: from.Entrypoint, Cmd: from.Cmd, Volumes: from.Volumes, WorkingDir: from.WorkingDir,
		Labels: from.Labels, StopSignal: from.StopSignal, ExposedPorts: portSet(from.ExposedPorts), Healthcheck: from.Healthcheck,
	}
	return config, nil
}

// askedOf are the settings of all endpoints of a request, by network.
func askedOf(request engine.CreateContainer) map[string]*network.EndpointSettings {
	config, _ := networkingConfig(request, false)
	if config == nil {
		return nil
	}
	return config.EndpointsConfig
}

// nameByID puts IDs in place of the names of containers: an engine keeps what it is given for some attributes, and not for others.
func (c *Client) nameByID(ctx context.Context, host *container.HostConfig) error {
	network, ipc, pid := string(host.NetworkMode), string(host.IpcMode), string(host.PidMode)
	for _, mode := range []*string{&network, &ipc, &pid} {
		name, ok := strings.CutPrefix(*mode, "container:")
		if !ok {
			continue
		}
		id, err := c.containerID(ctx, name)
		if err != nil {
			return err
		}
		*mode = "container:" + id
	}
	host.NetworkMode, host.IpcMode, host.PidMode = container.NetworkMode(network), container.IpcMode(ipc), container.PidMode(pid)
	sources := slices.Clone(host.VolumesFrom)
	for i, source := range sources {
		name, access, _ := strings.Cut(source, ":")
		id, err := c.containerID(ctx, name)
		if err != nil {
			return err
		}
		if sources[i] = id; access != "" && access != "rw" {
			sources[i] += ":" + access
		}
	}
	slices.Sort(sources)
	host.VolumesFrom = sources
	return nil
}

// containerID is the ID of a container; the name itself where there is none of that name.
func (c *Client) containerID(ctx context.Context, ref string) (string, error) {
	if isID(ref) {
		return ref, nil
	}
	found, err := c.api.ContainerInspect(ctx, ref)
	switch err = c.wrap(err); {
	case errors.Is(err, engine.ErrNotFound):
		return ref, nil
	case err != nil:
		return "", err
	}
	return found.ID, nil
}

// isID says whether a text is a whole ID, as those of containers are, and the names of anonymous volumes.
func isID(text string) bool {
	const length = 64
	return len(text) == length && strings.Trim(text, "0123456789abcdef") == ""
}

// differences are the attributes that are not the same, sorted.
func differences(wanted, made map[string]string) []engine.Difference {
	var all []engine.Difference
	paths := maps.Clone(made)
	maps.Copy(paths, wanted)
	for _, path := range sortedCopy(paths) {
		want, asked := wanted[path]
		had, has := made[path]
		if asked != has || want != had {
			all = append(all, engine.Difference{Path: path, Made: had, Wanted: want, Added: !has, Removed: !asked})
		}
	}
	return all
}
