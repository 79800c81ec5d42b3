package enginetest

import (
	"github.com/muster-dev/muster/convergence/engine"
)

func restartCases() []testCase {
	return []testCase{
		{"on-failure restarts as often as it says", restartOnFailure},
		{"on-failure leaves a success alone", restartNotOnSuccess},
		{"always restarts until it is stopped", restartAlways},
		{"a kill ends the restarts", restartKilled},
		{"a signal ends the restarts unless another is the stop signal", restartSignalled},
		{"the policy can be changed", restartChanged},
		{"a container that waits for its restart can be removed and is listed", restartWaits},
	}
}

func restartOnFailure(f *fixture) {
	w := f.watch(f.name)
	request := f.request("web", "-exit", "3")
	request.Service.Restart = "on-failure:2"
	id := f.start(request)
	for range 3 {
		equal(f, "exit code", w.await(id, "die").ExitCode, 3)
	}
	details := f.inspect(id)
	equal(f, "state", details.State, engine.StateExited)
	equal(f, "restarts", details.RestartCount, 2)
}

func restartNotOnSuccess(f *fixture) {
	request := f.request("web", "-exit", "0")
	request.Service.Restart = "on-failure"
	details := f.finish(request)
	equal(f, "state", details.State, engine.StateExited)
	equal(f, "restarts", details.RestartCount, 0)
}

func restartAlways(f *fixture) {
	w := f.watch(f.name)
	request := f.request("web", "-exit", "0")
	request.Service.Restart = "always"
	id := f.start(request)
	for range 3 {
		w.await(id, "start")
		w.await(id, "die")
	}
	f.must(f.StopContainer(f.ctx, id, nil), "stop")
	details := f.inspect(id)
	equal(f, "state", details.State, engine.StateExited)
	if details.RestartCount < 2 {
		f.Errorf("restarts: got %d, want at least 2", details.RestartCount)
	}
	f.must(f.StartContainer(f.ctx, id), "start again")
	equal(f, "restarts after a start", f.inspect(id).RestartCount < 2, true)
}

func restartKilled(f *fixture) {
	request := f.request("web", "-stay")
	request.Service.Restart = "unless-stopped"
	id := f.start(request)
	f.must(f.KillContainer(f.ctx, id, ""), "kill")
	details := f.inspect(id)
	equal(f, "state", details.State, engine.StateExited)
	equal(f, "restarts", details.RestartCount, 0)
}

func restartSignalled(f *fixture) {
	w := f.watch(f.name)
	for name, stopSignal := range map[string]string{"any": "", "other": "SIGTERM"} {
		request := f.request(name, "-out", "ready", "-sleep", "1s", "-exit", "2")
		request.Service.Restart, request.Service.StopSignal = "always", stopSignal
		id := f.start(request)
		f.awaitOutput(id, "ready\n")
		f.must(f.KillContainer(f.ctx, id, "SIGHUP"), "kill with SIGHUP")
		w.await(id, "die")
		if stopSignal != "" {
			w.await(id, "start")
			continue
		}
		equal(f, "state", f.inspect(id).State, engine.StateExited)
	}
}

func restartChanged(f *fixture) {
	w := f.watch(f.name)
	request := f.request("web", "-exit", "1")
	request.Service.Restart = "no"
	id := f.create(request)
	f.must(f.SetRestartPolicy(f.ctx, id, engine.RestartPolicy{Name: "on-failure", MaxRetries: 1}), "set restart policy")
	equal(f, "policy", f.inspect(id).Restart, engine.RestartPolicy{Name: "on-failure", MaxRetries: 1})
	w.await(id, "update")
	f.must(f.StartContainer(f.ctx, id), "start")
	w.await(id, "die")
	w.await(id, "die")
	f.must(f.SetRestartPolicy(f.ctx, id, engine.RestartPolicy{Name: "no"}), "set restart policy to no")
	equal(f, "policy", f.inspect(id).Restart, engine.RestartPolicy{Name: "no"})
	f.wants(f.SetRestartPolicy(f.ctx, id, engine.RestartPolicy{Name: "sometimes"}), engine.ErrInvalid, "set no policy")
	f.wants(f.SetRestartPolicy(f.ctx, id, engine.RestartPolicy{Name: "always", MaxRetries: 3}), engine.ErrInvalid, "set retries of always")
}

func restartWaits(f *fixture) {
	w := f.watch(f.name)
	request := f.request("web", "-exit", "4")
	request.Service.Restart = "always"
	id := f.start(request)
	for range 5 { // then the engine waits more than a second
		w.await(id, "die")
	}
	c := f.listed("web")
	equal(f, "state", c.State, engine.StateRestarting)
	equal(f, "running", c.Running(), true)
	equal(f, "exit code", c.ExitCode, 4)
	f.wants(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{}), engine.ErrConflict, "remove one that waits for its restart")
	f.must(f.StartContainer(f.ctx, id), "start one that waits for its restart")
	f.must(f.RemoveContainer(f.ctx, id, engine.RemoveContainer{Force: true}), "remove by force")
}
