package enginetest

import (
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func containerCases() []testCase {
	return []testCase{
		{"a created container is listed with its facts", createdIsListed},
		{"labels say whose a container is", labelsSayWhose},
		{"a list is filtered by project and sorted by name", listIsFiltered},
		{"an inspect takes a name or an ID", inspectByNameOrID},
		{"an inspect tells what was asked for", inspectTells},
		{"environment reaches the process", environmentReaches},
		{"the image adds what the request leaves open", imageAdds},
		{"what is not there is not found", containerNotFound},
		{"a create that fails leaves nothing", createFails},
		{"a name is taken once", nameIsTaken},
		{"rename", rename},
		{"remove", remove},
		{"ports are listed", portsAreListed},
		{"a port that is taken is a conflict", portIsTaken},
	}
}

func createdIsListed(f *fixture) {
	before := time.Now().Add(-2 * time.Second) // the engine's list has whole seconds
	id := f.create(f.request("web", "-out", "hello"))
	c := f.listed("web")
	equal(f, "ID", c.ID, id)
	equal(f, "state", c.State, engine.StateCreated)
	equal(f, "status", c.Status, "Created")
	equal(f, "health", c.Health, engine.HealthNone)
	equal(f, "image", c.Image, f.harness.Box)
	equal(f, "network mode", c.NetworkMode, "none")
	equal(f, "running", c.Running(), false)
	if c.Created.Before(before) {
		f.Errorf("created: got %v, want about now", c.Created)
	}
	if !strings.HasSuffix(c.Command, "-out hello") {
		f.Errorf("command: got %q, want it to end with the arguments", c.Command)
	}
	image, err := f.InspectImage(f.ctx, f.harness.Box)
	f.must(err, "inspect image")
	equal(f, "image ID", c.ImageID, image.ID)
	details := f.inspect(id)
	equal(f, "image ID of inspect", details.ImageID, image.ID)
	equal(f, "state of inspect", details.State, engine.StateCreated)
	equal(f, "never started", details.StartedAt.IsZero(), true)
}

func labelsSayWhose(f *fixture) {
	request := f.request("web")
	request.Labels[project.LabelNumber] = "3"
	request.Labels["own"] = "a=b c"
	oneOff := f.request("job")
	oneOff.Labels[project.LabelOneOff] = "True"
	delete(oneOff.Labels, project.LabelNumber)
	f.create(request)
	f.create(oneOff)
	for _, c := range []engine.Container{f.listed("web"), f.inspect(f.own("web")).Container} {
		equal(f, "project", c.Project, f.name)
		equal(f, "service", c.Service, "web")
		equal(f, "number", c.Number, 3)
		equal(f, "one-off", c.OneOff, false)
		equal(f, "own label", c.Labels["own"], "a=b c")
	}
	c := f.listed("job")
	equal(f, "one-off of one-off", c.OneOff, true)
	equal(f, "number of one-off", c.Number, 0)
}

func listIsFiltered(f *fixture) {
	other := f.request("other")
	other.Labels[project.LabelProject] = f.name + "-x" // longer: a filter by prefix would find it
	none := f.request("none")
	none.Labels = nil
	for _, request := range []engine.CreateContainer{f.request("b"), f.request("a"), other, none} {
		f.create(request)
	}
	names := func(filter engine.ContainerFilter) []string {
		containers, err := f.ListContainers(f.ctx, filter)
		f.must(err, "list containers")
		var names []string
		for _, c := range containers {
			if strings.HasPrefix(c.Name, f.name) {
				names = append(names, strings.TrimPrefix(c.Name, f.name+"-"))
			}
		}
		return names
	}
	equal(f, "project", strings.Join(names(engine.ContainerFilter{Project: f.name}), " "), "a b")
	equal(f, "any project", strings.Join(names(engine.ContainerFilter{AnyProject: true}), " "), "a b other")
	equal(f, "all", strings.Join(names(engine.ContainerFilter{}), " "), "a b none other")
}

func inspectByNameOrID(f *fixture) {
	id := f.create(f.request("web"))
	for _, ref := range []string{id, f.own("web")} {
		details := f.inspect(ref)
		equal(f, "ID", details.ID, id)
		equal(f, "name", details.Name, f.own("web"))
	}
}

func inspectTells(f *fixture) {
	request := f.request("web", "-stay")
	request.Service.Environment = map[string]*string{"LEVEL": ptr("debug"), "EMPTY": ptr("")}
	request.Service.Tty = true
	request.Service.Restart = "on-failure:4"
	request.Service.HealthCheck = &project.HealthCheck{Test: []string{"CMD", "/testbox", "probe"}, Retries: ptr(uint64(7))}
	details := f.inspect(f.create(request))
	equal(f, "LEVEL", details.Environment["LEVEL"], "debug")
	value, set := details.Environment["EMPTY"]
	equal(f, "EMPTY", value, "")
	equal(f, "EMPTY is set", set, true)
	equal(f, "terminal", details.Tty, true)
	equal(f, "restart", details.Restart, engine.RestartPolicy{Name: "on-failure", MaxRetries: 4})
	equal(f, "restart count", details.RestartCount, 0)
	request.Name = f.own("second")
	details = f.inspect(f.start(request))
	if details.HealthCheck == nil {
		f.Fatal("health check: none, want one")
	}
	equal(f, "retries", details.HealthCheck.Retries, 7)
	equal(f, "health", details.HealthCheck.Status, engine.HealthStarting)
}

func environmentReaches(f *fixture) {
	request := f.request("web", "-env", "LEVEL", "-env", "EMPTY", "-env", "NOBODY")
	request.Service.Environment = map[string]*string{"LEVEL": ptr("debug"), "EMPTY": ptr("")}
	details := f.finish(request)
	equal(f, "output", f.output(details.ID), "LEVEL=debug\nEMPTY=\nNOBODY is not set\n")
}

func imageAdds(f *fixture) {
	request := f.request("web", "-env", "DECLARED", "-stay")
	request.Image = f.harness.Declaring
	request.Service.Environment = map[string]*string{"OWN": ptr("1")}
	id := f.start(request)
	details := f.inspect(id)
	equal(f, "variable", details.Environment["DECLARED"], "yes")
	equal(f, "label", details.Labels["dev.muster.test"], "declared")
	equal(f, "has a health check", details.HealthCheck != nil, true)
	equal(f, "mounts the volume", slices.ContainsFunc(details.Mounts, func(m engine.MountPoint) bool {
		return m.Type == "volume" && m.Target == "/declared" && m.Name != ""
	}), true)
}

func containerNotFound(f *fixture) {
	nobody := f.own("nobody")
	_, err := f.InspectContainer(f.ctx, nobody)
	f.wants(err, engine.ErrNotFound, "inspect")
	f.wants(f.StartContainer(f.ctx, nobody), engine.ErrNotFound, "start")
	f.wants(f.StopContainer(f.ctx, nobody, nil), engine.ErrNotFound, "stop")
	f.wants(f.KillContainer(f.ctx, nobody, ""), engine.ErrNotFound, "kill")
	f.wants(f.RemoveContainer(f.ctx, nobody, engine.RemoveContainer{Force: true}), engine.ErrNotFound, "remove")
	f.wants(f.RenameContainer(f.ctx, nobody, f.own("other")), engine.ErrNotFound, "rename")
	f.wants(f.SetRestartPolicy(f.ctx, nobody, engine.RestartPolicy{Name: "always"}), engine.ErrNotFound, "set restart policy")
	f.wants(f.Logs(f.ctx, nobody, engine.LogOptions{Tail: -1}, func(engine.Frame) error { return nil }), engine.ErrNotFound, "logs")
}

func createFails(f *fixture) {
	for _, c := range []struct {
		name     string
		change   func(*engine.CreateContainer)
		sentinel error
	}{
		{"image", func(r *engine.CreateContainer) { r.Image = f.name + "/nothing:1" }, engine.ErrNotFound},
		{"image reference", func(r *engine.CreateContainer) { r.Image = "UPPER" }, engine.ErrInvalid},
		{"name", func(r *engine.CreateContainer) { r.Name = f.own("b@d") }, engine.ErrInvalid},
		{"restart policy", func(r *engine.CreateContainer) { r.Service.Restart = "sometimes" }, engine.ErrInvalid},
		{"bind source", func(r *engine.CreateContainer) {
			bind := project.Mount{Type: project.MountBind, Source: "/nothing/here", Target: "/x"}
			fill(&bind.Bind) // its zero says that a missing source is an error
			r.Mounts = []project.Mount{bind}
		}, engine.ErrInvalid},
		{"two mounts in one place", func(r *engine.CreateContainer) {
			r.Mounts = []project.Mount{{Type: project.MountTmpfs, Target: "/x"}, {Type: project.MountTmpfs, Target: "/x"}}
		}, engine.ErrInvalid},
		{"platform", func(r *engine.CreateContainer) { r.Service.Platform = "a/b/c/d" }, engine.ErrInvalid},
	} {
		request := f.request("web")
		c.change(&request)
		_, err := f.CreateContainer(f.ctx, request)
		f.wants(err, c.sentinel, "create with a wrong "+c.name)
	}
	containers, err := f.ListContainers(f.ctx, engine.ContainerFilter{Project: f.name})
	f.must(err, "list containers")
	equal(f, "containers left", len(containers), 0)
}

func nameIsTaken(f *fixture) {
	f.create(f.request("web"))
	_, err := f.CreateContainer(f.ctx, f.request("web"))
	f.wants(err, engine.ErrConflict, "create a second one of the name")
}

func rename(f *fixture) {
	stopped, running := f.create(f.request("a")), f.start(f.request("b", "-stay"))
	f.must(f.RenameContainer(f.ctx, stopped, f.own("a2")), "rename by ID")
	f.must(f.RenameContainer(f.ctx, f.own("b"), f.own("b2")), "rename a running one by name")
	equal(f, "name", f.inspect(stopped).Name, f.own("a2"))
	equal(f, "name of the running one", f.listed("b2").ID, running)
	f.wants(f.RenameContainer(f.ctx, running, f.own("a2")), engine.ErrConflict, "rename to a name that is taken")
	f.wants(f.RenameContainer(f.ctx, running, "b@d"), engine.ErrInvalid, "rename to no name")
	_, err := f.InspectContainer(f.ctx, f.own("a"))
	f.wants(err, engine.ErrNotFound, "inspect by the old name")
	f.create(f.request("a"))
}

func remove(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	f.wants(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{}), engine.ErrConflict, "remove while it runs")
	equal(f, "state", f.inspect(id).State, engine.StateRunning)
	f.must(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{Force: true}), "remove by force")
	_, err := f.InspectContainer(f.ctx, id)
	f.wants(err, engine.ErrNotFound, "inspect what was removed")
	f.wants(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{}), engine.ErrNotFound, "remove again")
	created := f.create(f.request("web"))
	f.must(f.RemoveContainer(f.ctx, created, engine.RemoveContainer{}), "remove one that never ran")
}

func portsAreListed(f *fixture) {
	f.network("net", project.Network{})
	request := f.request("web", "-serve", ":8080")
	request.NetworkMode, request.Networks = "", []engine.Endpoint{{Network: f.own("net")}}
	request.Service.Ports = []project.Port{{Target: 8080, HostIP: "127.0.0.1"}}
	request.Service.Expose = []string{"9090"}
	id := f.start(request)
	for _, c := range []engine.Container{f.listed("web"), f.inspect(id).Container} {
		if len(c.Ports) != 2 {
			f.Fatalf("ports: got %v, want two", c.Ports)
		}
		published, exposed := c.Ports[0], c.Ports[1]
		if published.HostPort == 0 {
			f.Errorf("host port: got 0, want one that the engine chose")
		}
		equal(f, "published", published, engine.PublishedPort{HostIP: "127.0.0.1", HostPort: published.HostPort, Port: 8080, Protocol: "tcp"})
		equal(f, "exposed", exposed, engine.PublishedPort{Port: 9090, Protocol: "tcp"})
	}
}

func portIsTaken(f *fixture) {
	f.network("net", project.Network{})
	first := f.request("a", "-serve", ":8080")
	first.NetworkMode, first.Networks = "", []engine.Endpoint{{Network: f.own("net")}}
	first.Service.Ports = []project.Port{{Target: 8080, HostIP: "127.0.0.1"}}
	f.start(first)
	second := first
	second.Name = f.own("b")
	second.Labels = f.request("b").Labels
	second.Service.Ports = []project.Port{{Target: 8080, HostIP: "127.0.0.1", Published: portText(f.listed("a").Ports[0].HostPort)}}
	id := f.create(second)
	err := f.StartContainer(f.ctx, id)
	f.wants(err, engine.ErrConflict, "start on a port that is taken")
	details := f.inspect(id)
	equal(f, "state", details.State, engine.StateCreated)
	if !strings.Contains(details.Error, "port is already allocated") {
		f.Errorf("error in the container: got %q, want the engine's words", details.Error)
	}
	f.must(f.StopContainer(f.ctx, f.own("a"), nil), "stop the first")
	f.must(f.StartContainer(f.ctx, id), "start once the port is free")
	equal(f, "error after a start that went well", f.inspect(id).Error, "")
}
