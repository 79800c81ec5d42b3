package enginetest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

func callCases() []testCase {
	return []testCase{
		{"the engine says who it is", sayWho},
		{"every call ends with its context", callsEnd},
		{"calls from many goroutines at once", callsAtOnce},
		{"a stop ends with its context", stopEnds},
	}
}

func sayWho(f *fixture) {
	version, err := f.Version(f.ctx)
	f.must(err, "version")
	equal(f, "OS", version.OS, "linux")
	if version.Engine == "" || version.Arch == "" || !strings.Contains(version.API, ".") {
		f.Errorf("version: got %+v, want all of it", version)
	}
	equal(f, "version of the component", version.Components["Engine"], version.Engine)
	info, err := f.Info(f.ctx)
	f.must(err, "info")
	equal(f, "API", info.API, version.API)
	equal(f, "engine", info.Engine, version.Engine)
	equal(f, "OS", info.OS, version.OS)
	equal(f, "architecture", info.Arch, version.Arch)
	if info.CPUs == 0 || info.Memory == 0 || info.ID == "" || info.Host == "" {
		f.Errorf("info: got %+v, want all of it", info)
	}
	if later := time.Since(info.Time).Abs(); later > time.Hour {
		f.Errorf("the engine's time is %v, %v from here", info.Time, later)
	}
}

func callsEnd(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	for name, call := range map[string]func() error{
		"list containers":    func() error { _, err := f.ListContainers(ctx, engine.ContainerFilter{}); return err },
		"inspect container":  func() error { _, err := f.InspectContainer(ctx, id); return err },
		"create container":   func() error { _, err := f.CreateContainer(ctx, f.request("other")); return err },
		"start container":    func() error { return f.StartContainer(ctx, id) },
		"stop container":     func() error { return f.StopContainer(ctx, id, nil) },
		"kill container":     func() error { return f.KillContainer(ctx, id, "") },
		"remove container":   func() error { return f.RemoveContainer(ctx, id, engine.RemoveContainer{}) },
		"rename container":   func() error { return f.RenameContainer(ctx, id, f.own("other")) },
		"set restart policy": func() error { return f.SetRestartPolicy(ctx, id, engine.RestartPolicy{Name: "always"}) },
		"list networks":      func() error { _, err := f.ListNetworks(ctx); return err },
		"create network":     func() error { _, err := f.CreateNetwork(ctx, engine.CreateNetwork{Name: f.own("n")}); return err },
		"remove network":     func() error { return f.RemoveNetwork(ctx, f.own("n")) },
		"connect network":    func() error { return f.ConnectNetwork(ctx, id, engine.Endpoint{Network: f.own("n")}) },
		"disconnect network": func() error { return f.DisconnectNetwork(ctx, id, f.own("n")) },
		"list volumes":       func() error { _, err := f.ListVolumes(ctx); return err },
		"create volume":      func() error { _, err := f.CreateVolume(ctx, engine.CreateVolume{Name: f.own("v")}); return err },
		"remove volume":      func() error { return f.RemoveVolume(ctx, f.own("v")) },
		"list images":        func() error { _, err := f.ListImages(ctx); return err },
		"inspect image":      func() error { _, err := f.InspectImage(ctx, f.harness.Box); return err },
		"pull image": func() error {
			return f.PullImage(ctx, engine.PullImage{Ref: f.harness.Absent}, func(engine.PullProgress) {})
		},
		"remote digest": func() error { _, err := f.RemoteDigest(ctx, f.harness.Absent); return err },
		"logs": func() error {
			return f.Logs(ctx, id, engine.LogOptions{Follow: true}, func(engine.Frame) error { return nil })
		},
		"exec": func() error {
			_, err := f.Exec(ctx, id, box(), func(engine.Frame) error { return nil })
			return err
		},
		"attach": func() error {
			return f.Attach(ctx, id, engine.Console{}, nil, func(engine.Frame) error { return nil })
		},
		"version": func() error { _, err := f.Version(ctx); return err },
		"info":    func() error { _, err := f.Info(ctx); return err },
	} {
		f.wants(call(), context.Canceled, name)
	}
	equal(f, "state", f.inspect(id).State, engine.StateRunning)
}

func stopEnds(f *fixture) {
	id := f.start(f.request("web", "-ignore-term", "-out", "ready", "-stay"))
	f.awaitOutput(id, "ready\n")
	ctx, cancel := context.WithTimeout(f.ctx, 100*time.Millisecond)
	defer cancel()
	f.wants(f.StopContainer(ctx, id, ptr(time.Hour)), context.DeadlineExceeded, "stop")
	f.must(f.KillContainer(f.ctx, id, ""), "kill")
}

func callsAtOnce(f *fixture) {
	const containers = 8
	var group errgroup.Group
	for i := range containers {
		group.Go(func() error {
			created, err := f.CreateContainer(f.ctx, f.request(fmt.Sprintf("web%d", i), "-stay"))
			if err != nil {
				return err
			}
			if err := f.StartContainer(f.ctx, created.ID); err != nil {
				return err
			}
			if _, err := f.InspectContainer(f.ctx, created.ID); err != nil {
				return err
			}
			if _, err := f.ListContainers(f.ctx, engine.ContainerFilter{Project: f.name}); err != nil {
				return err
			}
			return f.StopContainer(f.ctx, created.ID, nil)
		})
	}
	f.must(group.Wait(), "calls")
	found, err := f.ListContainers(f.ctx, engine.ContainerFilter{Project: f.name})
	f.must(err, "list containers")
	equal(f, "containers", len(found), containers)
	for _, c := range found {
		equal(f, "state of "+c.Name, c.State, engine.StateExited)
	}
}
