package enginetest

import (
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func volumeCases() []testCase {
	return []testCase{
		{"a volume is listed with its facts", volumeIsListed},
		{"a second create gives the first one's labels", volumeTestAndSet},
		{"a volume that cannot be made", volumeIsInvalid},
		{"a volume in use stays", volumeInUse},
		{"a volume is made by the container that mounts it", volumeIsMadeByMount},
	}
}

func volumeIsListed(f *fixture) {
	request := engine.CreateVolume{
		Name: f.own("b"), Labels: map[string]string{"x": "y"},
		Volume: project.Volume{Driver: "local", DriverOpts: map[string]string{"type": "tmpfs", "device": "tmpfs"}},
	}
	created, err := f.CreateVolume(f.ctx, request)
	f.must(err, "create volume")
	f.volume("a")
	volumes, err := f.ListVolumes(f.ctx)
	f.must(err, "list volumes")
	for i, v := range volumes {
		if i > 0 && volumes[i-1].Name > v.Name {
			f.Errorf("list volumes: %s stands before %s", volumes[i-1].Name, v.Name)
		}
		if v.Name != f.own("b") {
			continue
		}
		for _, v := range []engine.Volume{created, v} {
			equal(f, "name", v.Name, f.own("b"))
			equal(f, "driver", v.Driver, "local")
			equal(f, "label", v.Labels["x"], "y")
			equal(f, "option", v.Options["type"], "tmpfs")
			equal(f, "has a place", v.Mountpoint != "", true)
		}
		return
	}
	f.Errorf("list volumes: %s is not there", f.own("b"))
}

func volumeTestAndSet(f *fixture) {
	const contenders = 8
	var (
		mutex   sync.Mutex
		winners = map[string]int{}
		group   errgroup.Group
	)
	for i := range contenders {
		group.Go(func() error {
			created, err := f.CreateVolume(f.ctx, engine.CreateVolume{
				Name: f.own("lock"), Labels: map[string]string{"holder": string(rune('a' + i))},
			})
			mutex.Lock()
			defer mutex.Unlock()
			winners[created.Labels["holder"]]++
			return err
		})
	}
	f.must(group.Wait(), "create volume")
	equal(f, "winners", len(winners), 1)
	again, err := f.CreateVolume(f.ctx, engine.CreateVolume{Name: f.own("lock"), Labels: map[string]string{"holder": "late"}})
	f.must(err, "create once more")
	equal(f, "the winner keeps it", winners[again.Labels["holder"]], contenders)
}

func volumeIsInvalid(f *fixture) {
	for _, c := range []struct {
		what     string
		request  engine.CreateVolume
		sentinel error
	}{
		{"a name that is none", engine.CreateVolume{Name: "b@d name"}, engine.ErrInvalid},
		{"an option that the driver does not have", engine.CreateVolume{
			Name: f.own("v"), Volume: project.Volume{DriverOpts: map[string]string{"nothing": "x"}},
		}, engine.ErrInvalid},
	} {
		_, err := f.CreateVolume(f.ctx, c.request)
		f.wants(err, c.sentinel, "create volume with "+c.what)
	}
	f.wants(f.RemoveVolume(f.ctx, f.own("v")), engine.ErrNotFound, "remove what is not there")
}

func volumeInUse(f *fixture) {
	request := f.request("web")
	request.Mounts = []project.Mount{{Type: project.MountVolume, Source: f.volume("data"), Target: "/data"}}
	id := f.create(request)
	f.wants(f.RemoveVolume(f.ctx, f.own("data")), engine.ErrInUse, "remove while a container, running or not, mounts it")
	f.must(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{Volumes: true}), "remove the container")
	f.must(f.RemoveVolume(f.ctx, f.own("data")), "remove once nobody mounts it")
	_, left := f.volumeLabels(f.own("data"))
	equal(f, "left", left, false)
}

func volumeIsMadeByMount(f *fixture) {
	mount := project.Mount{Type: project.MountVolume, Source: f.own("data"), Target: "/data"}
	fill(&mount.Volume)
	mount.Volume.Labels = map[string]string{"x": "y"}
	request := f.request("web")
	request.Mounts = []project.Mount{mount, {Type: project.MountVolume, Source: f.own("plain"), Target: "/plain"}}
	f.create(request)
	labels, there := f.volumeLabels(f.own("data"))
	equal(f, "is there", there, true)
	equal(f, "label", labels["x"], "y")
	_, there = f.volumeLabels(f.own("plain"))
	equal(f, "the plain one is there", there, true)
}
