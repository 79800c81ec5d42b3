package docker

import (
	"cmp"
	"context"
	"slices"

	"github.com/docker/docker/api/types/volume"

	"github.com/muster-dev/muster/convergence/engine"
)

// ListVolumes implements [engine.Volumes].
func (c *Client) ListVolumes(ctx context.Context) ([]engine.Volume, error) {
	answer, err := c.api.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		return nil, c.wrap(err)
	}
	volumes := make([]engine.Volume, len(answer.Volumes))
	for i, found := range answer.Volumes {
		volumes[i] = fromVolume(found)
	}
	slices.SortFunc(volumes, func(a, b engine.Volume) int { return cmp.Compare(a.Name, b.Name) })
	return volumes, nil
}

func fromVolume(v *volume.Volume) engine.Volume {
	return engine.Volume{Name: v.Name, Driver: v.Driver, Mountpoint: v.Mountpoint, Labels: v.Labels, Options: v.Options}
}

// CreateVolume implements [engine.Volumes].
func (c *Client) CreateVolume(ctx context.Context, request engine.CreateVolume) (engine.Volume, error) {
	answer, err := c.api.VolumeCreate(ctx, volumeOptions(request))
	if err != nil {
		return engine.Volume{}, c.wrap(err)
	}
	return fromVolume(&answer), nil
}

func volumeOptions(request engine.CreateVolume) volume.CreateOptions {
	return volume.CreateOptions{
		Name: request.Name, Driver: request.Volume.Driver, DriverOpts: request.Volume.DriverOpts, Labels: request.Labels,
	}
}

// RemoveVolume implements [engine.Volumes].
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	const force = false
	return c.wrapAs(c.api.VolumeRemove(ctx, name, force), engine.ErrConflict, engine.ErrInUse)
}
