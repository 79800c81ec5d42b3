package docker

import (
	"os"
	"strings"

	"github.com/docker/docker/api/types/mount"

	"github.com/muster-dev/muster/project"
)

// hostMounts says each mount in the form that docker compose chooses, because it shows in an inspect: the bind string where
// that can say everything, the mount struct where an option needs it. Labels of SELinux only the string has.
func (c *Client) hostMounts(wanted []project.Mount) (binds []string, mounts []mount.Mount, err error) {
	for _, m := range wanted {
		switch {
		case m.Type == project.MountBind && (isLabelled(m) || !bindNeedsStruct(m)):
			if err := c.checkSource(m); err != nil {
				return nil, nil, err
			}
			binds = append(binds, bindString(m))
		case m.Type == project.MountVolume && m.Source != "" && !volumeNeedsStruct(m):
			binds = append(binds, bindString(m))
		default:
			converted, err := mountStruct(m)
			if err != nil {
				return nil, nil, err
			}
			mounts = append(mounts, converted)
		}
	}
	return binds, mounts, nil
}

// isLabelled says whether the engine is to label what is mounted for SELinux.
func isLabelled(m project.Mount) bool { return m.Bind != nil && m.Bind.SELinux != "" }

func bindNeedsStruct(m project.Mount) bool {
	bind := m.Bind
	return bind != nil && (!bool(bind.CreateHostPath) || bind.Propagation != "" || bind.Recursive != "")
}

func volumeNeedsStruct(m project.Mount) bool {
	volume := m.Volume
	return volume != nil && (len(volume.Labels) > 0 || volume.NoCopy || volume.Subpath != "")
}

// checkSource refuses a bind string whose source must not be made up by the engine, as a string would have it, and is not there.
// That can only be seen on an engine's own host.
func (c *Client) checkSource(m project.Mount) error {
	if !isLabelled(m) || bool(m.Bind.CreateHostPath) || !c.endpoint.isHere() {
		return nil
	}
	if _, err := os.Stat(m.Source); err != nil {
		return invalid("mount at %q: bind source path does not exist: %s", m.Target, m.Source)
	}
	return nil
}

// bindString is source:target:options, which creates a missing source on the host.
func bindString(m project.Mount) string {
	access := "rw"
	if m.ReadOnly {
		access = "ro"
	}
	options := []string{access}
	if isLabelled(m) {
		options = append(options, m.Bind.SELinux)
		if m.Bind.Propagation != "" {
			options = append(options, m.Bind.Propagation)
		}
	}
	return m.Source + ":" + m.Target + ":" + strings.Join(options, ",")
}

func mountStruct(m project.Mount) (mount.Mount, error) {
	converted := mount.Mount{
		Type: mount.Type(m.Type), Source: m.Source, Target: m.Target,
		ReadOnly: m.ReadOnly, Consistency: mount.Consistency(m.Consistency),
	}
	switch m.Type {
	case project.MountBind:
		converted.BindOptions = bindOptions(m)
	case project.MountVolume:
		if v := m.Volume; v != nil {
			converted.VolumeOptions = &mount.VolumeOptions{NoCopy: v.NoCopy, Labels: v.Labels, Subpath: v.Subpath}
		}
	case project.MountTmpfs:
		if t := m.Tmpfs; t != nil {
			converted.TmpfsOptions = &mount.TmpfsOptions{SizeBytes: int64(t.Size), Mode: os.FileMode(t.Mode)}
		}
	case project.MountImage:
		if i := m.Image; i != nil {
			converted.ImageOptions = &mount.ImageOptions{Subpath: i.SubPath}
		}
	case project.MountCluster:
	default:
		return mount.Mount{}, invalid("mount at %q: type %q does not exist on this engine", m.Target, m.Type)
	}
	return converted, nil
}

func bindOptions(m project.Mount) *mount.BindOptions {
	if m.Bind == nil {
		return nil
	}
	options := &mount.BindOptions{
		Propagation:      mount.Propagation(m.Bind.Propagation),
		CreateMountpoint: bool(m.Bind.CreateHostPath),
	}
	switch m.Bind.Recursive {
	case "disabled":
		options.NonRecursive = true
	case "writable":
		options.ReadOnlyNonRecursive = true
	case "readonly":
		options.ReadOnlyForceRecursive = true
	}
	return options
}
