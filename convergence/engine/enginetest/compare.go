package enginetest

import (
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func compareCases() []testCase {
	return []testCase{
		{"a container is what its request asked for", sameAsItsRequest},
		{"what a container was made with otherwise is told", otherwiseIsTold},
		{"the same mount in another form is the same", mountFormsAreTheSame},
		{"who shares with others by name shares by ID", sharedByName},
	}
}

// rich is a request that asks for something of every kind.
func (f *fixture) rich() engine.CreateContainer {
	request := f.request("web", "-stay")
	request.Image = f.harness.Declaring
	request.Labels["org.example.own"] = "1"
	service := &request.Service
	service.Environment = map[string]*string{"OWN": ptr("1"), "UNSET": nil}
	service.Restart = "on-failure:3"
	service.StopSignal = "SIGINT"
	service.CapAdd = []string{"net_admin", "CAP_CHOWN"}
	service.DNS = []string{"192.0.2.1"}
	service.ExtraHosts = map[string][]string{"db": {"192.0.2.2"}, "api": {"192.0.2.3"}}
	service.MemLimit = 64 << 20
	service.Init = ptr(true)
	service.Sysctls = map[string]string{"net.core.somaxconn": "512"}
	service.Tmpfs = []string{"/tmp:size=1m"}
	service.Ports = []project.Port{{Target: 80, Protocol: "tcp", Published: "", HostIP: "127.0.0.1"}}
	service.HealthCheck = &project.HealthCheck{Test: []string{"CMD", "/testbox", "probe"}, Retries: ptr(uint64(7))}
	request.NetworkMode = ""
	request.Networks = []engine.Endpoint{{Network: f.own("front"), Aliases: []string{"www", "web"}}}
	request.Mounts = []project.Mount{
		{Type: project.MountVolume, Source: f.own("data"), Target: "/data", ReadOnly: true},
		{Type: project.MountVolume, Target: "/cache"},
		{Type: project.MountVolume, Target: "/declared"},
		{Type: project.MountTmpfs, Target: "/scratch"},
	}
	return request
}

// compared are the paths that differ.
func (f *fixture) compared(ref string, request engine.CreateContainer) string {
	f.Helper()
	differences, err := f.CompareContainer(f.ctx, ref, request)
	f.must(err, "compare container "+ref)
	var paths []string
	for _, d := range differences {
		sign := "~"
		if d.Added {
			sign = "+"
		} else if d.Removed {
			sign = "-"
		}
		paths = append(paths, sign+d.Path)
	}
	return strings.Join(paths, " ")
}

func sameAsItsRequest(f *fixture) {
	f.network("front", project.Network{})
	f.volume("data")
	request := f.rich()
	id := f.create(request)
	equal(f, "differences when it is created", f.compared(id, request), "")
	f.must(f.StartContainer(f.ctx, id), "start container")
	equal(f, "differences when it runs", f.compared(f.own("web"), request), "")
	request.Labels = map[string]string{project.LabelProject: "other", "org.example.own": "1"}
	request.Name = f.own("elsewhere")
	equal(f, "differences of whose it is", f.compared(id, request), "")
	plain := f.request("plain")
	equal(f, "differences without anything", f.compared(f.create(plain), plain), "")
	_, err := f.CompareContainer(f.ctx, f.own("nobody"), request)
	f.wants(err, engine.ErrNotFound, "compare with nothing")
}

func otherwiseIsTold(f *fixture) {
	f.network("front", project.Network{})
	f.volume("data")
	id := f.create(f.rich())
	request := f.rich()
	delete(request.Labels, "org.example.own")
	request.Networks[0].Aliases = []string{"web"}
	service := &request.Service
	service.Environment = map[string]*string{"OWN": ptr("2"), "NEW": ptr("x")}
	service.Restart = ""
	service.CapAdd = []string{"NET_ADMIN"}
	service.DNS = nil
	service.MemLimit = 32 << 20
	service.ShmSize = 1 << 20
	service.Ports[0].HostIP = ""
	service.HealthCheck.Retries = ptr(uint64(8))
	service.User = "7"
	service.Command = []string{"-stay", "-out", "x"}
	request.Mounts[0].ReadOnly = false
	request.Mounts = slices.Delete(request.Mounts, 1, 2)
	front := "networks." + f.own("front")
	equal(f, "differences", f.compared(id, request), strings.Join([]string{
		"~cap_add", "~command", "-dns", "+environment.NEW", "~environment.OWN", "-environment.UNSET", "~healthcheck.retries",
		"-labels.org.example.own", "~mem_limit", "~" + front + ".aliases", "~ports.80/tcp", "-restart", "+shm_size", "+user",
		"-volumes./cache", "~volumes./data",
	}, " "))
	request = f.rich()
	request.Networks, request.NetworkMode, request.Service.Ports = nil, "none", nil
	equal(f, "differences of networks", f.compared(id, request), "~network_mode -ports.80/tcp")
}

func mountFormsAreTheSame(f *fixture) {
	request := f.request("web")
	short := project.Mount{Type: project.MountBind, Source: "/etc", Target: "/host", ReadOnly: true}
	fill(&short.Bind)
	long := short
	fill(&long.Bind)
	short.Bind.CreateHostPath = true
	long.Bind.Propagation = "rprivate"
	request.Mounts = []project.Mount{short}
	other := request
	other.Mounts = []project.Mount{long}
	id := f.create(request)
	equal(f, "differences of the long form from the short one", f.compared(id, other), "")
	other.Name = f.own("other")
	equal(f, "differences of the short form from the long one", f.compared(f.create(other), request), "")
	other.Mounts = []project.Mount{{Type: project.MountBind, Source: "/usr", Target: "/host", ReadOnly: true}}
	equal(f, "differences of another source", f.compared(id, other), "~volumes./host")
}

func sharedByName(f *fixture) {
	first := f.start(f.request("first", "-stay"))
	f.start(f.request("second", "-stay"))
	request := f.request("web", "-stay")
	request.NetworkMode, request.PID = "container:"+f.own("first"), "container:"+first
	request.VolumesFrom = []string{f.own("first") + ":rw"}
	id := f.start(request)
	equal(f, "differences", f.compared(id, request), "")
	request.VolumesFrom, request.PID = []string{first}, "container:"+f.own("first")
	equal(f, "differences the other way round", f.compared(id, request), "")
	request.NetworkMode = "container:" + f.own("second")
	equal(f, "differences of another one", f.compared(id, request), "~network_mode")
}
