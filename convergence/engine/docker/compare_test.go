package docker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/go-connections/nat"
)

// texts are attributes, sorted.
func texts(a map[string]string) string {
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(a)) {
		lines = append(lines, path+"="+a[path])
	}
	return strings.Join(lines, "; ")
}

func TestMountsHaveOneForm(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("0a", 32)
	for want, host := range map[string]container.HostConfig{
		"volumes./b=bind /a":                           {Binds: []string{"/a:/b"}},
		"volumes./b=bind / read-only":                  {Binds: []string{"/:/b:ro"}},
		"volumes./b=volume a":                          {Binds: []string{"a:/b:rw"}},
		"volumes./b=volume a nocopy=true":              {Binds: []string{"a:/b:nocopy"}},
		"volumes./b=volume":                            {Binds: []string{id + ":/b:rw"}},
		"volumes./b=bind /a propagation=rshared,z":     {Binds: []string{"/a:/b:rw,z,rshared"}},
		"tmpfs./t=size=1m; tmpfs./u=mounted":           {Tmpfs: map[string]string{"/t": "size=1m", "/u": ""}},
		"volumes./c=bind /a non-recursive=true":        {Mounts: []mount.Mount{{Type: "bind", Source: "/a", Target: "/c", BindOptions: &mount.BindOptions{NonRecursive: true}}}},
		"volumes./c=bind /a":                           {Mounts: []mount.Mount{{Type: "bind", Source: "/a", Target: "/c", BindOptions: &mount.BindOptions{CreateMountpoint: true, Propagation: "rprivate"}}}},
		`volumes./c=tmpfs tmpfs={"SizeBytes":1048576}`: {Mounts: []mount.Mount{{Type: "tmpfs", Target: "/c", TmpfsOptions: &mount.TmpfsOptions{SizeBytes: 1 << 20}}}},
		"": {Mounts: []mount.Mount{{Type: "volume", Target: "/declared"}}, Binds: []string{id + ":/declared"}},
	} {
		got := attributes{}
		got.mounts(host, map[string]struct{}{"/declared": {}})
		if texts(got) != want {
			t.Errorf("%+v: %s, want %s", host, texts(got), want)
		}
	}
	if m := parseBind(`C:\a:D:\x:ro`); m.Source != `C:\a` || m.Type != mount.TypeBind {
		t.Errorf("on Windows: %+v", m)
	}
}

func TestTheImageGivesWhatIsLeftOpen(t *testing.T) {
	t.Parallel()
	base := container.Config{
		User: "u", WorkingDir: "/w", StopSignal: "INT", Entrypoint: []string{"e"}, Cmd: []string{"c"}, Env: []string{"A=1", "B=2"},
		Labels: map[string]string{"a": "1", "b": "2"}, ExposedPorts: nat.PortSet{"80/tcp": {}},
		Healthcheck: &container.HealthConfig{Test: []string{"CMD", "x"}, Interval: time.Second, Retries: 4},
	}
	for _, c := range []struct {
		asked container.Config
		want  string
	}{
		{container.Config{}, "u /w INT [e] [c] [A=1 B=2] map[a:1 b:2] map[80/tcp:{}] [CMD x] 1s 4"},
		{
			container.Config{
				User: "v", Cmd: []string{"d"}, Env: []string{"B=3"}, Labels: map[string]string{"b": "3"},
				Healthcheck: &container.HealthConfig{Retries: 5},
			},
			"v /w INT [e] [d] [B=3 A=1] map[a:1 b:3] map[80/tcp:{}] [CMD x] 1s 5",
		},
		{container.Config{Entrypoint: []string{"f"}, Env: []string{"A"}}, "u /w INT [f] [] [A B=2] map[a:1 b:2] map[80/tcp:{}] [CMD x] 1s 4"},
		{container.Config{Entrypoint: []string{""}}, "u /w INT [] [] [A=1 B=2] map[a:1 b:2] map[80/tcp:{}] [CMD x] 1s 4"},
	} {
		m := withImage(c.asked, base)
		got := fmt.Sprint(m.User, " ", m.WorkingDir, " ", m.StopSignal, " ", m.Entrypoint, " ", m.Cmd, " ", m.Env, " ", m.Labels, " ", m.ExposedPorts,
			" ", m.Healthcheck.Test, " ", m.Healthcheck.Interval, " ", m.Healthcheck.Retries)
		if got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	if base.Labels["b"] != "2" || len(base.Env) != 2 {
		t.Error("the image's own settings were changed")
	}
}

// What an engine puts in, and what it leaves out, is no difference; the same value in a request that asks for it is none either.
func TestWhatTheEngineAddsIsNoDifference(t *testing.T) {
	t.Parallel()
	yes, no, none := true, false, int64(-1)
	made := container.HostConfig{
		ShmSize: defaultShm, IpcMode: "private", CgroupnsMode: "private", Runtime: "runc", NetworkMode: "default", Isolation: "default",
		LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1m"}}, SecurityOpt: []string{"label=disable"},
		RestartPolicy: container.RestartPolicy{Name: "no"}, MaskedPaths: []string{"/proc/kcore"}, ReadonlyPaths: []string{"/proc/sys"},
		CapAdd: []string{"CAP_NET_ADMIN"}, ConsoleSize: [2]uint{80, 25},
		Resources: container.Resources{
			Memory: 1 << 20, MemorySwap: 2 << 20, MemorySwappiness: &none, OomKillDisable: &no, PidsLimit: &none,
			Devices: []container.DeviceMapping{{PathOnHost: "/dev/a", PathInContainer: "/dev/a", CgroupPermissions: "rwm"}},
		},
	}
	wanted := container.HostConfig{
		NetworkMode: "bridge", CapAdd: []string{"net_admin"},
		Resources: container.Resources{
			Memory: 1 << 20, OomKillDisable: &yes, CPUPercent: 5, BlkioWeight: 7,
			Devices: []container.DeviceMapping{{PathOnHost: "/dev/a", PathInContainer: "/dev/a"}},
		},
	}
	id := strings.Repeat("0a", 32)
	want := makeup{host: wanted}
	have := makeup{id: id, host: made, config: container.Config{Hostname: id[:12]}}
	level(&want, &have)
	if found := differences(want.attributes(), have.attributes()); len(found) > 0 {
		t.Errorf("differences %+v", found)
	}
	want.host.IpcMode, want.host.LogConfig.Type, want.host.Runtime = "shareable", "local", "runsc"
	have.host = made
	level(&want, &have)
	if found := differences(want.attributes(), have.attributes()); len(found) != 3 {
		t.Errorf("differences %+v", found)
	}
}
