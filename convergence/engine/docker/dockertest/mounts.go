package dockertest

import (
	"cmp"
	"maps"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"
	apimount "github.com/docker/docker/api/types/mount"
	apivolume "github.com/docker/docker/api/types/volume"

	"github.com/muster-dev/muster/project"
)

// mount is something mounted in a container.
type mount struct {
	point   apicontainer.MountPoint
	subpath string
	files   *files // nil for a bind: the host's
	noCopy  bool
	auto    bool // an anonymous volume, which goes with the container if asked
}

// mounter collects the mounts of a container that is being created.
type mounter struct {
	e      *Engine
	id     string // of the container
	mounts []*mount
}

// makeMounts resolves all that a create request mounts and makes the volumes that are missing. Called with the mutex held.
func (e *Engine) makeMounts(c *container) ([]*mount, error) {
	m := &mounter{e: e, id: c.id}
	for _, step := range []func(*container) error{m.addBinds, m.addMounts} {
		if err := step(c); err != nil {
			return nil, err
		}
	}
	if err := m.addVolumesFrom(c); err != nil {
		return nil, err
	}
	for _, target := range slices.Sorted(maps.Keys(c.config.Volumes)) {
		if m.at(target) != nil {
			continue
		}
		if err := m.addVolume(apimount.Mount{Target: target}, ""); err != nil {
			return nil, err
		}
	}
	for target := range c.host.Tmpfs {
		c.tmpfs = append(c.tmpfs, newTmpfs(target, true))
	}
	return m.mounts, nil
}

func newTmpfs(target string, writable bool) *mount {
	return &mount{files: newFiles(), point: apicontainer.MountPoint{Type: apimount.TypeTmpfs, Destination: target, RW: writable}}
}

func (m *mounter) at(target string) *mount {
	for _, known := range m.mounts {
		if path.Clean(known.point.Destination) == path.Clean(target) {
			return known
		}
	}
	return nil
}

func (m *mounter) add(added *mount) error {
	if m.at(added.point.Destination) != nil {
		return fail(http.StatusBadRequest, "Duplicate mount point: %s", added.point.Destination)
	}
	m.mounts = append(m.mounts, added)
	return nil
}

// addBinds reads the strings "source:target[:options]". A host folder that is missing is left to whoever uses it.
func (m *mounter) addBinds(c *container) error {
	for _, text := range c.host.Binds {
		source, rest, ok := strings.Cut(text, ":")
		if !ok {
			return fail(http.StatusBadRequest, "invalid volume specification: '%s'", text)
		}
		target, options, _ := strings.Cut(rest, ":")
		readOnly := slices.Contains(strings.Split(options, ","), "ro")
		if path.IsAbs(source) {
			bind := apicontainer.MountPoint{
				Type: apimount.TypeBind, Source: source, Destination: target, Mode: options, RW: !readOnly, Propagation: "rprivate",
			}
			if err := m.add(&mount{point: bind}); err != nil {
				return err
			}
			continue
		}
		if err := m.addVolume(apimount.Mount{Source: source, Target: target, ReadOnly: readOnly}, options); err != nil {
			return err
		}
	}
	return nil
}

func (m *mounter) addMounts(c *container) error {
	for _, wanted := range c.host.Mounts {
		var err error
		switch wanted.Type {
		case apimount.TypeVolume:
			err = m.addVolume(wanted, "z")
		case apimount.TypeBind:
			err = m.addBind(wanted)
		case apimount.TypeTmpfs:
			err = m.add(newTmpfs(wanted.Target, !wanted.ReadOnly))
		case apimount.TypeImage:
			err = m.addImage(wanted)
		default:
			err = fail(http.StatusBadRequest, "invalid mount config for type %q: mount type unknown", wanted.Type)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *mounter) addBind(wanted apimount.Mount) error {
	createsSource := wanted.BindOptions != nil && wanted.BindOptions.CreateMountpoint
	if _, err := os.Stat(wanted.Source); err != nil && !createsSource {
		return fail(http.StatusBadRequest, "invalid mount config for type \"bind\": bind source path does not exist: %s", wanted.Source)
	}
	return m.add(&mount{point: apicontainer.MountPoint{
		Type: apimount.TypeBind, Source: wanted.Source, Destination: wanted.Target, RW: !wanted.ReadOnly, Propagation: "rprivate",
	}})
}

func (m *mounter) addImage(wanted apimount.Mount) error {
	i, err := m.e.findImage(wanted.Source)
	if err != nil {
		return err
	}
	store := newFiles()
	store.fill(i.Files)
	return m.add(&mount{files: store, point: apicontainer.MountPoint{Type: wanted.Type, Source: i.id, Destination: wanted.Target}})
}

// addVolume mounts a named volume, or a new anonymous one where no name is given.
func (m *mounter) addVolume(wanted apimount.Mount, mode string) error {
	options := wanted.VolumeOptions
	if options == nil {
		options = &apimount.VolumeOptions{}
	}
	request := apivolume.CreateOptions{Name: wanted.Source, Labels: options.Labels}
	if options.DriverConfig != nil {
		request.Driver, request.DriverOpts = options.DriverConfig.Name, options.DriverConfig.Options
	}
	anonymous := wanted.Source == ""
	if anonymous {
		for setting, set := range map[string]bool{"ReadOnly mode": wanted.ReadOnly, "Subpath": options.Subpath != ""} {
			if set {
				return fail(http.StatusBadRequest, `invalid mount config for type "volume": must not set %s when using anonymous volumes`, setting)
			}
		}
		request.Name = hexDigest("anonymous volume", m.id, wanted.Target)
		request.Labels = map[string]string{project.LabelAnonymous: ""}
		maps.Copy(request.Labels, options.Labels)
	}
	v, err := m.e.makeVolume(request)
	if err != nil {
		return err
	}
	return m.add(&mount{
		subpath: options.Subpath, files: v.files, noCopy: options.NoCopy, auto: anonymous,
		point: apicontainer.MountPoint{
			Type: apimount.TypeVolume, Name: v.name, Source: v.mountpoint(), Destination: wanted.Target,
			Driver: "local", Mode: mode, RW: !wanted.ReadOnly,
		},
	})
}

// addVolumesFrom mounts what other containers mount, where nothing else is mounted.
func (m *mounter) addVolumesFrom(c *container) error {
	for _, from := range c.host.VolumesFrom {
		ref, mode, _ := strings.Cut(from, ":")
		other, err := m.e.findContainer(ref)
		if err != nil {
			return err
		}
		for _, theirs := range other.mounts {
			if m.at(theirs.point.Destination) != nil {
				continue
			}
			shared := *theirs
			shared.auto = false
			shared.point.RW = shared.point.RW && mode != "ro"
			m.mounts = append(m.mounts, &shared)
		}
	}
	return nil
}

// brokenSubpath is the engine's complaint about a part of a volume that is to be mounted and is not there; empty where there is
// none. It is looked for at a start, and when files are put into the container, but not when that is made.
func (c *container) brokenSubpath() string {
	for _, m := range c.mounts {
		if place := path.Join("/", m.subpath); m.subpath != "" && !m.files.has(place) {
			place = path.Join(m.point.Source, place)
			return "cannot access path " + place + ": lstat " + place + ": no such file or directory"
		}
	}
	return ""
}

// mountAll is what a start does with the mounts: volumes are filled, temporary ones emptied, and events tell of volumes.
func (e *Engine) mountAll(c *container) {
	for _, m := range append(slices.Clone(c.mounts), c.tmpfs...) {
		switch v := e.volumes[m.point.Name]; {
		case m.point.Type == apimount.TypeTmpfs:
			m.files = newFiles()
		case v != nil:
			if !m.noCopy && m.subpath == "" {
				v.files.fill(below(c.image.Files, m.point.Destination))
			}
			e.volumeEvent(v, "mount", map[string]string{
				"container": c.id, "destination": m.point.Destination, "read/write": boolWord(m.point.RW), "propagation": "",
			})
		}
	}
}

func (e *Engine) unmountAll(c *container) {
	for _, m := range c.mounts {
		if v := e.volumes[m.point.Name]; v != nil {
			e.volumeEvent(v, "unmount", map[string]string{"container": c.id})
		}
	}
}

// below are the files in a folder, by their path from there.
func below(content map[string][]byte, folder string) map[string][]byte {
	found := map[string][]byte{}
	for name, bytes := range content {
		if rest, ok := strings.CutPrefix(name, strings.TrimSuffix(folder, "/")+"/"); ok {
			found["/"+rest] = bytes
		}
	}
	return found
}

func boolWord(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// points are the mounts as the API tells them: a list in an order of its own, which callers must not rely on.
func (c *container) points() []apicontainer.MountPoint {
	points := make([]apicontainer.MountPoint, 0, len(c.mounts))
	for _, m := range c.mounts {
		points = append(points, m.point)
	}
	slices.SortFunc(points, func(a, b apicontainer.MountPoint) int { return cmp.Compare(b.Destination, a.Destination) })
	return points
}
