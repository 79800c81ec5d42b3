package enginetest

import (
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

func healthCases() []testCase {
	return []testCase{
		{"health goes from starting to healthy to unhealthy", healthGoes},
		{"failures in the start period do not count", healthStartPeriod},
		{"health begins again with a start", healthBeginsAgain},
		{"a probe that takes too long fails", healthTimeout},
		{"a probe that cannot be run fails", healthMissing},
		{"a check can be disabled", healthDisabled},
	}
}

// check is a health check by testbox that the fixture's engine runs every 100 ms.
func check(retries uint64, arguments ...string) *project.HealthCheck {
	interval, timeout := project.Duration(100*time.Millisecond), project.Duration(10*time.Second)
	return &project.HealthCheck{
		Test: append([]string{"CMD", "/testbox", "probe"}, arguments...), Interval: &interval, Timeout: &timeout, Retries: &retries,
	}
}

func healthGoes(f *fixture) {
	w := f.watch(f.name)
	const retries = 100 // more failures than there can be before it is told to be healthy
	request := f.request("web", "-starting", "-stay")
	request.Service.HealthCheck = check(retries)
	request.Service.HealthCheck.Interval = ptr(project.Duration(20 * time.Millisecond))
	id := f.start(request)
	c := f.listed("web")
	equal(f, "health", c.Health, engine.HealthStarting)
	equal(f, "exit code of a failed probe", w.await(id, "exec_die").ExitCode, 1)
	f.must(f.KillContainer(f.ctx, id, "SIGUSR1"), "make it healthy")
	w.awaitHealth(id, engine.HealthHealthy)
	equal(f, "health", f.listed("web").Health, engine.HealthHealthy)
	details := f.inspect(id)
	equal(f, "failures in a row", details.HealthCheck.FailingStreak, 0)
	last := details.HealthCheck.Probes[len(details.HealthCheck.Probes)-1]
	equal(f, "exit code", last.ExitCode, 0)
	equal(f, "output", last.Output, "healthy\n")
	if last.End.Before(last.Start) || last.Start.Before(details.StartedAt) {
		f.Errorf("times of the probe: %v to %v", last.Start, last.End)
	}
	f.must(f.KillContainer(f.ctx, id, "SIGUSR2"), "make it unhealthy")
	w.awaitHealth(id, engine.HealthUnhealthy)
	equal(f, "health", f.listed("web").Health, engine.HealthUnhealthy)
	details = f.inspect(id)
	equal(f, "health of inspect", details.Health, engine.HealthUnhealthy)
	equal(f, "probes kept", len(details.HealthCheck.Probes), 5)
	equal(f, "output", details.HealthCheck.Probes[4].Output, "unhealthy\n")
	if details.HealthCheck.FailingStreak < retries {
		f.Errorf("failures in a row: got %d, want at least %d", details.HealthCheck.FailingStreak, retries)
	}
	f.must(f.StopContainer(f.ctx, id, nil), "stop")
	equal(f, "health of one that does not run", f.listed("web").Health, engine.HealthNone)
}

func healthStartPeriod(f *fixture) {
	w := f.watch(f.name)
	request := f.request("web", "-starting", "-stay")
	request.Service.HealthCheck = check(1)
	request.Service.HealthCheck.StartPeriod = ptr(project.Duration(30 * time.Second))
	request.Service.HealthCheck.StartInterval = ptr(project.Duration(200 * time.Millisecond))
	if f.olderThan("1.44") {
		_, err := f.CreateContainer(f.ctx, request)
		f.wants(err, engine.ErrUnsupported, "create with a start interval")
		return
	}
	id := f.start(request)
	for range 2 {
		equal(f, "exit code of a failed probe", w.await(id, "exec_die").ExitCode, 1)
	}
	f.must(f.KillContainer(f.ctx, id, "SIGUSR1"), "make it healthy")
	event := w.awaitThat("health", func(event engine.Event) bool { return event.Action == "health_status" })
	equal(f, "first health", event.Health, engine.HealthHealthy)
}

func healthBeginsAgain(f *fixture) {
	w := f.watch(f.name)
	request := f.request("web", "-stay")
	request.Service.HealthCheck = check(3)
	id := f.start(request)
	w.awaitHealth(id, engine.HealthHealthy)
	f.must(f.StopContainer(f.ctx, id, nil), "stop")
	request.Service.HealthCheck = nil
	f.must(f.StartContainer(f.ctx, id), "start")
	w.await(id, "start")
	w.awaitHealth(id, engine.HealthHealthy)
}

func healthTimeout(f *fixture) {
	w := f.watch(f.name)
	request := f.request("web", "-stay")
	request.Service.HealthCheck = check(1, "-sleep", "1m")
	request.Service.HealthCheck.Timeout = ptr(project.Duration(100 * time.Millisecond))
	id := f.start(request)
	w.awaitHealth(id, engine.HealthUnhealthy)
	probe := f.inspect(id).HealthCheck.Probes[0]
	equal(f, "exit code", probe.ExitCode, -1)
	equal(f, "output", probe.Output, "Health check exceeded timeout (100ms)")
}

func healthMissing(f *fixture) {
	w := f.watch(f.name)
	request := f.request("web", "-stay")
	request.Service.HealthCheck = check(2)
	request.Service.HealthCheck.Test = []string{"CMD", "/nothing"}
	id := f.start(request)
	w.awaitHealth(id, engine.HealthUnhealthy)
	probe := f.inspect(id).HealthCheck.Probes[0]
	equal(f, "exit code", probe.ExitCode, -1)
	equal(f, "output", probe.Output, "OCI runtime exec failed: exec failed: unable to start container process: "+
		"exec: \"/nothing\": stat /nothing: no such file or directory")
}

func healthDisabled(f *fixture) {
	request := f.request("web", "-stay")
	request.Image = f.harness.Declaring
	request.Service.HealthCheck = &project.HealthCheck{Disable: true}
	id := f.start(request)
	equal(f, "health", f.listed("web").Health, engine.HealthNone)
	if details := f.inspect(id); details.HealthCheck != nil {
		f.Errorf("health check: got %v, want none", details.HealthCheck)
	}
}
