package enginetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func eventCases() []testCase {
	return []testCase{
		{"a container's life in order", eventsInOrder},
		{"an event says whose container it is", eventsSayWhose},
		{"a project sees its containers' events only", eventsOfProject},
		{"networks and volumes", eventsOfOthers},
		{"a volume's events only", eventsOfVolume},
		{"since brings what the engine remembers", eventsSince},
		{"until ends the subscription", eventsUntil},
		{"an error ends the subscription", eventsEnd},
		{"a probe and its outcome", eventsOfProbes},
		{"nothing is lost after ready", eventsReady},
	}
}

func eventsInOrder(f *fixture) {
	w := f.watch(f.name)
	id := f.start(f.request("web", "-out", "ready", "-stay"))
	f.awaitOutput(id, "ready\n")
	f.must(f.RenameContainer(f.ctx, id, f.own("web2")), "rename")
	f.must(f.SetRestartPolicy(f.ctx, id, engine.RestartPolicy{Name: "always"}), "set restart policy")
	f.must(f.StopContainer(f.ctx, id, nil), "stop")
	f.must(f.StartContainer(f.ctx, id), "start again")
	f.must(f.KillContainer(f.ctx, id, "SIGKILL"), "kill")
	f.must(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{}), "remove")
	w.await(id, "destroy")
	var actions []string
	for i, event := range w.seen {
		equal(f, "ID", event.ID, id)
		equal(f, "kind", event.Kind, engine.EventContainer)
		if i > 0 && event.Time.Before(w.seen[i-1].Time) {
			f.Errorf("time of %s: %v, before the one ahead of it", event.Action, event.Time)
		}
		actions = append(actions, event.Action)
	}
	// An engine tells of the stop and of the end in either order.
	told := strings.Replace(strings.Join(actions, " "), "stop die", "die stop", 1)
	equal(f, "actions", told, "create start rename update kill die stop start kill die destroy")
	equal(f, "name after the rename", w.seen[2].Name, f.own("web2"))
	equal(f, "exit code of the kill", w.seen[9].ExitCode, 137)
}

func eventsSayWhose(f *fixture) {
	w := f.watch(f.name)
	before := time.Now()
	request := f.request("web")
	request.Labels[project.LabelNumber] = "2"
	request.Labels[project.LabelOneOff] = "True"
	event := w.await(f.create(request), "create")
	equal(f, "name", event.Name, f.own("web"))
	equal(f, "project", event.Project, f.name)
	equal(f, "service", event.Service, "web")
	equal(f, "number", event.Number, 2)
	equal(f, "one-off", event.OneOff, true)
	const skew = time.Minute // of the engine's clock, where it is on another machine
	if distance := event.Time.Sub(before); distance < -skew || distance > skew {
		f.Errorf("time: got %v, want about %v", event.Time, before)
	}
}

func eventsOfProject(f *fixture) {
	w := f.watch(f.name)
	stranger := f.request("stranger")
	stranger.Labels[project.LabelProject] = f.name + "-x"
	f.create(stranger)
	f.network("net", project.Network{})
	f.volume("data")
	w.await(f.create(f.request("web")), "create")
	equal(f, "events", w.actions(), "container create") // the engine puts no labels on the others' events
}

func eventsOfOthers(f *fixture) {
	w := f.watch("")
	network := f.network("net", project.Network{})
	w.await(network, "create")
	volume := f.volume("data")
	equal(f, "kind", w.await(volume, "create").Kind, engine.EventVolume)
	request := f.inNetwork(f.request("web", "-stay"), engine.Endpoint{Network: f.own("net")})
	request.Mounts = []project.Mount{{Type: project.MountVolume, Source: volume, Target: "/data"}}
	id := f.start(request)
	w.await(volume, "mount")
	equal(f, "kind", w.await(network, "connect").Kind, engine.EventNetwork)
	f.must(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{Force: true}), "remove")
	w.await(network, "disconnect")
	w.await(volume, "unmount")
	f.must(f.RemoveNetwork(f.ctx, network), "remove network")
	w.await(network, "destroy")
	f.must(f.RemoveVolume(f.ctx, volume), "remove volume")
	w.await(volume, "destroy")
}

func eventsOfVolume(f *fixture) {
	w := f.watchFilter(engine.EventFilter{Volume: f.own("data")})
	f.volume("data-too") // whose name begins like it
	f.create(f.request("web"))
	f.must(f.RemoveVolume(f.ctx, f.volume("data")), "remove volume")
	w.await(f.own("data"), "destroy")
	equal(f, "events", w.actions(), "volume create, volume destroy")
}

func eventsSince(f *fixture) {
	w := f.watch(f.name)
	id := f.create(f.request("a"))
	first := w.await(id, "create")
	second := w.await(f.create(f.request("b")), "create")
	late := f.watchFilter(engine.EventFilter{Project: f.name, Since: first.Time})
	late.await(first.ID, "create") // the moment itself is included
	late.await(second.ID, "create")
	equal(f, "events", late.actions(), "container create, container create")
	later := f.watchFilter(engine.EventFilter{Project: f.name, Since: second.Time})
	later.await(second.ID, "create")
	now := f.watch(f.name)
	third := f.create(f.request("c"))
	now.await(third, "create")
	equal(f, "events without since", now.actions(), "container create")
	later.await(third, "create") // and it goes on with what comes
}

func eventsEnd(f *fixture) {
	err := f.Events(f.ctx, engine.EventFilter{Project: f.name}, func() { f.create(f.request("web")) },
		func(engine.Event) error { return errEnough })
	if !errors.Is(err, errEnough) {
		f.Errorf("events: ended with %v, want the error that was returned", err)
	}
	ctx, cancel := context.WithCancel(f.ctx)
	err = f.Events(ctx, engine.EventFilter{}, cancel, func(engine.Event) error { return nil })
	f.wants(err, context.Canceled, "events whose caller goes away")
	err = f.Events(ctx, engine.EventFilter{}, func() { f.Error("ready was called") }, func(engine.Event) error { return nil })
	f.wants(err, context.Canceled, "events whose caller has gone away")
}

func eventsOfProbes(f *fixture) {
	w := f.watch(f.name)
	request := f.request("web", "-stay")
	request.Service.HealthCheck = check(3)
	id := f.start(request)
	w.await(id, "start")
	w.await(id, "exec_create")
	w.await(id, "exec_start")
	equal(f, "exit code", w.await(id, "exec_die").ExitCode, 0)
	w.awaitHealth(id, engine.HealthHealthy)
}

func eventsReady(f *fixture) {
	for i := range 10 {
		name := string(rune('a' + i))
		w := f.watch(f.name)
		w.await(f.create(f.request(name)), "create")
	}
}

func eventsUntil(f *fixture) {
	before := time.Now()
	id := f.start(f.request("web", "-stay"))
	w := f.watch(f.name)
	f.must(f.PauseContainer(f.ctx, id), "pause")
	until := w.await(id, "pause").Time
	f.must(f.UnpauseContainer(f.ctx, id), "unpause")
	w.await(id, "unpause")
	var actions []string
	f.must(f.Events(f.ctx, engine.EventFilter{Project: f.name, Since: before, Until: until}, nil, func(event engine.Event) error {
		actions = append(actions, event.Action)
		equal(f, "attribute", event.Attributes["name"], f.own("web"))
		return nil
	}), "events until a moment that is over")
	equal(f, "actions", strings.Join(actions, " "), "create start pause")
}
