package enginetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func lifecycleCases() []testCase {
	return []testCase{
		{"a container runs and ends", runsAndEnds},
		{"a start of a running container does nothing", startTwice},
		{"a container can be started again", startAgain},
		{"a start without the command is invalid and kept", startWithoutCommand},
		{"a start without the network is not found", startWithoutNetwork},
		{"stop ends a container in its own way", stopGracefully},
		{"stop kills after the timeout", stopKills},
		{"stop takes the container's own timeout and signal", stopOwn},
		{"stop of one that does not run does nothing", stopStopped},
		{"stop goes on without its caller", stopWithoutCaller},
		{"kill", kill},
		{"pause and unpause", pauseAndUnpause},
		{"out of memory", outOfMemory},
	}
}

func runsAndEnds(f *fixture) {
	w := f.watch(f.name)
	id := f.start(f.request("web", "-sleep", "200ms", "-exit", "3"))
	c := f.listed("web")
	equal(f, "state", c.State, engine.StateRunning)
	equal(f, "running", c.Running(), true)
	if !strings.HasPrefix(c.Status, "Up ") {
		f.Errorf("status: got %q, want it to begin with Up", c.Status)
	}
	event := w.await(id, "die")
	equal(f, "exit code of the event", event.ExitCode, 3)
	c = f.listed("web")
	equal(f, "state", c.State, engine.StateExited)
	equal(f, "exit code", c.ExitCode, 3)
	details := f.inspect(id)
	equal(f, "exit code of inspect", details.ExitCode, 3)
	if details.FinishedAt.Before(details.StartedAt) || details.StartedAt.IsZero() {
		f.Errorf("times: started %v, finished %v", details.StartedAt, details.FinishedAt)
	}
	equal(f, "restart policy", details.Restart.Name, "no")
}

func startTwice(f *fixture) {
	id := f.start(f.request("web", "-stay"))
	started := f.inspect(id).StartedAt
	f.must(f.StartContainer(f.ctx, id), "start a running container")
	equal(f, "started at", f.inspect(id).StartedAt, started)
}

func startAgain(f *fixture) {
	details := f.finish(f.request("web", "-exit", "3"))
	w := f.watch(f.name)
	f.must(f.StartContainer(f.ctx, details.ID), "start again")
	w.await(details.ID, "start")
	w.await(details.ID, "die")
	if again := f.inspect(details.ID); !again.StartedAt.After(details.StartedAt) {
		f.Errorf("started at: got %v again", again.StartedAt)
	}
}

func startWithoutCommand(f *fixture) {
	request := f.request("web")
	request.Service.Entrypoint = []string{"/nothing"}
	id := f.create(request)
	err := f.StartContainer(f.ctx, id)
	f.wants(err, engine.ErrInvalid, "start without the command")
	if err == nil || !strings.Contains(err.Error(), "/nothing") {
		f.Errorf("error: got %v, want it to name the command", err)
	}
	details := f.inspect(id)
	equal(f, "state", details.State, engine.StateCreated)
	equal(f, "exit code", details.ExitCode, 127)
	if !strings.Contains(details.Error, "/nothing") {
		f.Errorf("error in the container: got %q, want it to name the command", details.Error)
	}
}

func startWithoutNetwork(f *fixture) {
	request := f.request("web", "-stay")
	request.NetworkMode, request.Networks = "", []engine.Endpoint{{Network: f.own("later")}}
	id := f.create(request) // the engine only looks when it starts
	f.wants(f.StartContainer(f.ctx, id), engine.ErrNotFound, "start without the network")
	equal(f, "state", f.inspect(id).State, engine.StateCreated)
	f.network("later", project.Network{})
	f.must(f.StartContainer(f.ctx, id), "start with the network")
}

func stopGracefully(f *fixture) {
	id := f.start(f.request("web", "-term-exit", "5", "-out", "ready", "-stay"))
	f.awaitOutput(id, "ready\n")
	f.must(f.StopContainer(f.ctx, id, nil), "stop")
	c := f.listed("web") // it has ended when stop returns
	equal(f, "state", c.State, engine.StateExited)
	equal(f, "exit code", c.ExitCode, 5)
}

func stopKills(f *fixture) {
	id := f.start(f.request("web", "-ignore-term", "-out", "ready", "-stay"))
	f.awaitOutput(id, "ready\n")
	f.must(f.StopContainer(f.ctx, id, ptr(time.Second)), "stop")
	equal(f, "exit code", f.inspect(id).ExitCode, 137)
	f.must(f.StartContainer(f.ctx, id), "start again")
	f.must(f.StopContainer(f.ctx, id, ptr(time.Duration(0))), "stop without any time")
	equal(f, "state", f.inspect(id).State, engine.StateExited)
}

func stopOwn(f *fixture) {
	request := f.request("web", "-ignore-term", "-out", "ready", "-stay")
	request.Service.StopSignal = "SIGUSR1"
	request.Service.StopGracePeriod = ptr(project.Duration(time.Second))
	id := f.start(request)
	f.awaitOutput(id, "ready\n")
	f.must(f.StopContainer(f.ctx, id, nil), "stop")
	equal(f, "exit code", f.inspect(id).ExitCode, 137)
	if output := f.output(id); !strings.Contains(output, "signal user defined signal 1") {
		f.Errorf("output: got %q, want it to tell of the signal", output)
	}
}

func stopStopped(f *fixture) {
	created := f.create(f.request("created"))
	f.must(f.StopContainer(f.ctx, created, nil), "stop one that never ran")
	equal(f, "state", f.inspect(created).State, engine.StateCreated)
	ended := f.finish(f.request("ended", "-exit", "0"))
	f.must(f.StopContainer(f.ctx, ended.ID, nil), "stop one that has ended")
}

func stopWithoutCaller(f *fixture) {
	w := f.watch(f.name)
	id := f.start(f.request("web", "-ignore-term", "-out", "ready", "-stay"))
	f.awaitOutput(id, "ready\n")
	ctx, cancel := context.WithCancel(f.ctx)
	var group errgroup.Group
	group.Go(func() error { return f.StopContainer(ctx, id, ptr(2*time.Second)) })
	w.await(id, "kill")
	cancel()
	f.wants(group.Wait(), context.Canceled, "stop whose caller goes away")
	equal(f, "exit code", w.await(id, "die").ExitCode, 137)
}

func kill(f *fixture) {
	id := f.start(f.request("web", "-out", "ready", "-stay"))
	f.awaitOutput(id, "ready\n")
	f.must(f.KillContainer(f.ctx, id, "SIGHUP"), "kill with a signal that does not end it")
	f.awaitOutput(id, "ready\nsignal hangup\n")
	f.wants(f.KillContainer(f.ctx, id, "SIGNOTHING"), engine.ErrInvalid, "kill with no signal")
	equal(f, "state", f.inspect(id).State, engine.StateRunning)
	f.must(f.KillContainer(f.ctx, id, ""), "kill")
	details := f.inspect(id)
	equal(f, "state", details.State, engine.StateExited)
	equal(f, "exit code", details.ExitCode, 137)
	f.wants(f.KillContainer(f.ctx, id, ""), engine.ErrConflict, "kill one that does not run")
}

func outOfMemory(f *fixture) {
	const limit = 20 << 20
	request := f.request("web", "-grow", "100", "-stay")
	request.Service.MemLimit = limit
	request.Service.MemSwapLimit = limit
	details := f.finish(request)
	equal(f, "exit code", details.ExitCode, 137)
	if !details.OOMKilled {
		f.Log("the engine has not noticed why the container was killed: it may, later or never")
	}
}

// output is all that a container has written so far, both streams in one.
func (f *fixture) output(id string) string {
	f.Helper()
	var text strings.Builder
	err := f.Logs(f.ctx, id, engine.LogOptions{Tail: -1}, func(frame engine.Frame) error {
		text.Write(frame.Data)
		return nil
	})
	f.must(err, "logs of "+id)
	return text.String()
}

// errEnough ends a stream that a test has seen enough of.
var errEnough = errors.New("enough")

// awaitOutput follows a container until all that it wrote is the text.
func (f *fixture) awaitOutput(id, text string) {
	f.Helper()
	var got strings.Builder
	err := f.Logs(f.ctx, id, engine.LogOptions{Tail: -1, Follow: true}, func(frame engine.Frame) error {
		got.Write(frame.Data)
		if got.String() == text {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		f.Fatalf("logs of %s: ended with %v after %q, want %q", id, err, got.String(), text)
	}
}

func pauseAndUnpause(f *fixture) {
	w := f.watch(f.name)
	id := f.start(f.request("web", "-stay"))
	f.wants(f.UnpauseContainer(f.ctx, id), engine.ErrConflict, "unpause what runs")
	f.must(f.PauseContainer(f.ctx, f.own("web")), "pause")
	w.await(id, "pause")
	c := f.listed("web")
	equal(f, "state", c.State, engine.StatePaused)
	equal(f, "running", c.Running(), true)
	f.wants(f.PauseContainer(f.ctx, id), engine.ErrConflict, "pause what is paused")
	f.must(f.UnpauseContainer(f.ctx, id), "unpause")
	w.await(id, "unpause")
	equal(f, "state", f.inspect(id).State, engine.StateRunning)
	f.must(f.StopContainer(f.ctx, id, nil), "stop")
	f.wants(f.PauseContainer(f.ctx, id), engine.ErrConflict, "pause what has ended")
	f.wants(f.PauseContainer(f.ctx, f.own("nobody")), engine.ErrNotFound, "pause nothing")
	f.wants(f.UnpauseContainer(f.ctx, f.own("nobody")), engine.ErrNotFound, "unpause nothing")
}
