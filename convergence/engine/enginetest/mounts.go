package enginetest

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func mountCases() []testCase {
	return []testCase{
		{"mounts are listed", mountsAreListed},
		{"a volume keeps data between containers", volumeKeeps},
		{"a bind shows the host's file, and read only keeps it", bindShows},
		{"anonymous volumes go with their container if asked", anonymousGo},
		{"an anonymous volume that is mounted by name stays", adoptedStays},
		{"volumes_from", volumesFrom},
	}
}

func mountsAreListed(f *fixture) {
	request := f.request("web", "-stay")
	request.Mounts = []project.Mount{
		{Type: project.MountVolume, Source: f.own("data"), Target: "/data"},
		{Type: project.MountVolume, Target: "/cache"},
		{Type: project.MountTmpfs, Target: "/scratch"},
		{Type: project.MountVolume, Source: f.own("config"), Target: "/config", ReadOnly: true},
	}
	id := f.create(request)
	for _, c := range []engine.Container{f.listed("web"), f.inspect(id).Container} {
		var lines []string
		for _, m := range c.Mounts {
			name := m.Name
			if m.Target == "/cache" {
				name = "anonymous"
				equal(f, "anonymous volume has a name", m.Name != "", true)
			}
			line := m.Type + " " + name + " " + m.Target
			if m.ReadOnly {
				line += " ro"
			}
			lines = append(lines, line)
		}
		equal(f, "mounts", strings.Join(lines, ", "), "volume anonymous /cache, volume "+f.own("config")+" /config ro, "+
			"volume "+f.own("data")+" /data, tmpfs  /scratch")
	}
}

func volumeKeeps(f *fixture) {
	mounts := []project.Mount{{Type: project.MountVolume, Source: f.volume("data"), Target: "/data"}}
	writer := f.request("writer", "-write", "/data/note=kept", "-cat", "/data/note")
	writer.Mounts = mounts
	equal(f, "output of the writer", f.output(f.finish(writer).ID), "kept")
	reader := f.request("reader", "-cat", "/data/note")
	reader.Mounts = mounts
	equal(f, "output of the reader", f.output(f.finish(reader).ID), "kept")
	spoiler := f.request("spoiler", "-write", "/data/note=spoilt")
	spoiler.Mounts = []project.Mount{{Type: project.MountVolume, Source: f.own("data"), Target: "/data", ReadOnly: true}}
	equal(f, "exit code of a write into a read only mount", f.finish(spoiler).ExitCode, 1)
}

func bindShows(f *fixture) {
	file := filepath.Join(f.TempDir(), "secret")
	f.must(os.WriteFile(file, []byte("from the host"), 0o600), "write file")
	request := f.request("web", "-cat", "/run/secrets/secret", "-write", "/run/secrets/secret=spoilt")
	request.Mounts = []project.Mount{{Type: project.MountBind, Source: file, Target: "/run/secrets/secret", ReadOnly: true}}
	details := f.finish(request)
	if output := f.output(details.ID); !strings.Contains(output, "from the host") {
		f.Errorf("output: got %q, want the file's content", output)
	}
	equal(f, "exit code", details.ExitCode, 1)
	equal(f, "mount", details.Mounts[0], engine.MountPoint{Type: "bind", Source: file, Target: "/run/secrets/secret", ReadOnly: true})
}

func anonymousGo(f *fixture) {
	for _, c := range []struct {
		remove engine.RemoveContainer
		left   bool
	}{{engine.RemoveContainer{}, true}, {engine.RemoveContainer{Volumes: true}, false}} {
		request := f.request("web")
		request.Mounts = []project.Mount{
			{Type: project.MountVolume, Target: "/cache"},
			{Type: project.MountVolume, Source: f.own("named"), Target: "/data"},
		}
		details := f.inspect(f.create(request))
		name := details.Mounts[0].Name
		f.must(f.RemoveContainer(f.ctx, details.ID, c.remove), "remove container")
		labels, left := f.volumeLabels(name)
		equal(f, "anonymous volume is left", left, c.left)
		if left {
			_, marked := labels[project.LabelAnonymous]
			equal(f, "anonymous volume is marked", marked, true)
			f.must(f.RemoveVolume(f.ctx, name), "remove volume")
		}
		_, left = f.volumeLabels(f.own("named"))
		equal(f, "named volume is left", left, true)
	}
}

// volumeLabels are the labels of a volume, and whether there is such a volume.
func (f *fixture) volumeLabels(name string) (map[string]string, bool) {
	f.Helper()
	volumes, err := f.ListVolumes(f.ctx)
	f.must(err, "list volumes")
	for _, v := range volumes {
		if v.Name == name {
			return v.Labels, true
		}
	}
	return nil, false
}

func adoptedStays(f *fixture) {
	request := f.request("old")
	request.Mounts = []project.Mount{{Type: project.MountVolume, Target: "/cache"}}
	old := f.inspect(f.create(request))
	name := old.Mounts[0].Name
	adopting := f.request("new")
	adopting.Mounts = []project.Mount{{Type: project.MountVolume, Source: name, Target: "/cache"}}
	adopter := f.create(adopting)
	f.must(f.RemoveContainer(f.ctx, old.ID, engine.RemoveContainer{Volumes: true}), "remove the old one")
	_, left := f.volumeLabels(name)
	equal(f, "left while somebody else mounts it", left, true)
	f.must(f.RemoveContainer(f.ctx, adopter, engine.RemoveContainer{Volumes: true}), "remove the new one")
	_, left = f.volumeLabels(name)
	equal(f, "left because it was mounted by name", left, true)
	f.must(f.RemoveVolume(f.ctx, name), "remove volume")
}

func volumesFrom(f *fixture) {
	owner := f.request("owner", "-write", "/data/note=shared")
	owner.Mounts = []project.Mount{{Type: project.MountVolume, Source: f.volume("data"), Target: "/data"}}
	f.finish(owner)
	guest := f.request("guest", "-cat", "/data/note")
	guest.VolumesFrom = []string{f.own("owner") + ":ro"}
	details := f.finish(guest)
	equal(f, "output", f.output(details.ID), "shared")
	equal(f, "mount is read only", details.Mounts[0].ReadOnly, true)
}
