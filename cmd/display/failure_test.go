package display

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph/dag"
)

func apiOf(service string) step.Target {
	return step.Target{Name: "shop-" + service + "-1", Service: service, Replica: 1}
}

// waitFailed is a wait that failed on shop-api-1, with what a test says about it.
func waitFailed(reason string, change func(*step.WaitError)) error {
	failed := &step.WaitError{
		Wait: step.Wait{Target: apiOf("api"), Goal: step.Healthy, Dependency: true}, Reason: reason,
		Details: engine.ContainerDetails{Container: engine.Container{State: engine.StateExited}},
		Log: []step.LogLine{
			{Time: noon().Add(7 * time.Second), Text: "cannot reach postgres: password authentication failed for \"app\"\r"},
			{Time: noon().Add(9 * time.Second), Text: "giving up \x1b[2Jafter 5 tries"},
		},
	}
	if change != nil {
		change(failed)
	}
	return &convergence.StepError{Node: 3, Step: failed.Wait, Err: failed}
}

func probed(failing int) *engine.HealthCheck {
	const retries = 5
	return &engine.HealthCheck{
		FailingStreak: failing, Retries: retries,
		Probes: []engine.ProbeResult{{End: noon(), ExitCode: 1, Output: "wget: server returned error: \x1b[31m500\x1b[0m\n"}},
	}
}

func startFailed(words string) error {
	return &convergence.StepError{
		Node: 2, Step: step.StartContainer{Target: apiOf("api")}, Err: errors.New("Error response from daemon: " + words),
	}
}

// lostEngine are the failures of steps that went on at once when the engine was lost, and one that has to do with it no more than by chance.
func lostEngine() error {
	lost := func(s step.Step, how string) *convergence.StepError {
		return &convergence.StepError{Node: 3, Step: s, Err: fmt.Errorf("lost the engine at unix:///run/engine.sock: %s%w", how, silent{engine.ErrUnavailable})}
	}
	create := lost(step.CreateContainer{Target: step.Target{Name: "0123456789ab_shop-api-1", Final: "shop-api-1", Service: "api", Replica: 1}}, "connection refused")
	create.Undone = &convergence.Undone{Group: "api", Err: errors.New("look at the container that ran before: lost the engine")}
	all := []error{startFailed("no such thing"), create}
	for _, service := range []string{"a", "b", "c", "d", "e"} {
		all = append(all, lost(step.StartContainer{Target: apiOf(service)}, "EOF"))
	}
	return errors.Join(all...)
}

// silent is a sentinel that says nothing.
type silent struct{ error }

func (silent) Error() string { return "" }

func (s silent) Unwrap() error { return s.error }

// held is a plan in which web waits for api, worker too, and proxy for web.
func held() *plan.Plan {
	s := &story{plan: &plan.Plan{Order: dag.New(cmp.Compare[plan.NodeID])}}
	pull := s.add(step.PullImage{Reference: "api:1"})
	create := s.add(step.CreateContainer{Target: apiOf("api")}, pull)
	api := s.add(step.StartContainer{Target: apiOf("api")}, create)
	wait := s.add(step.Wait{Target: apiOf("api"), Goal: step.Healthy}, api)
	web := s.add(step.StartContainer{Target: apiOf("web")}, wait)
	s.add(step.StartContainer{Target: apiOf("worker")}, wait)
	s.add(step.StartContainer{Target: apiOf("proxy")}, web)
	return s.plan
}

// Each failure as a person sees it, at 80 columns.
func TestFailures(t *testing.T) {
	t.Parallel()
	const taken = "failed to set up container networking: driver failed programming external connectivity on endpoint shop-api-1 " +
		"(0f8e1a7be12a3cf0a77e1ab7be9df7ac8be4f9a4b3f0c81e64b3a4b8f2a40a11): Bind for 0.0.0.0:8080 failed: port is already allocated"
	for name, err := range map[string]error{
		"unhealthy": waitFailed("is unhealthy", func(w *step.WaitError) {
			w.Details.State, w.Details.HealthCheck = engine.StateRunning, probed(5)
		}),
		"crashed": waitFailed("exited (139)", func(w *step.WaitError) { w.Details.ExitCode, w.Details.RestartCount = 139, 3 }),
		"memory":  waitFailed("exited (137)", func(w *step.WaitError) { w.Details.ExitCode, w.Details.OOMKilled = 137, true }),
		"killed":  waitFailed("exited (137)", func(w *step.WaitError) { w.Details.ExitCode, w.Log = 137, nil }),
		"loops": waitFailed("keeps ending: exit 127, restarted 5 times", func(w *step.WaitError) {
			w.Details.State, w.Details.ExitCode, w.Details.RestartCount = engine.StateRestarting, 127, 6
		}),
		"not-started": startFailed(taken),
		"no-command": startFailed(`failed to create task for container: failed to create shim task: OCI runtime create failed: runc create ` +
			`failed: unable to start container process: exec: "serve": executable file not found in $PATH`),
		"image-missing": &convergence.StepError{
			Step: step.PullImage{Reference: "api:1"},
			Err:  &step.PullError{Reference: "api:1", Cause: fmt.Errorf("manifest unknown: %w", engine.ErrNotFound)},
		},
		"hook": &convergence.StepError{
			Node: 3, Step: step.RunHook{Target: apiOf("api"), Kind: step.PostStart},
			Err: &step.HookError{Service: "api", Kind: step.PostStart, Container: "shop-api-1", ExitCode: 126, Output: "no\nmore"},
		},
		"undone": func() error {
			failed := waitFailed("is unhealthy", func(w *step.WaitError) { w.Details.HealthCheck = probed(7) })
			var one *convergence.StepError
			_ = errors.As(failed, &one)
			one.Undone = &convergence.Undone{Group: "api", Restored: []string{"shop-api-1"}}
			return one
		}(),
		"timeout": errors.Join(timedOut("api", "health check 2 of 5, last probe: exit 1"), timedOut("db", "exited (1), restart 4")),
		"lost":    lostEngine(),
		"two":     errors.Join(startFailed(taken), errors.New("something else\nin two lines")),
	} {
		explain := func(err error) Explanation {
			known := Explanation{Code: "failed", Try: hintOf(err)}
			if strings.Contains(err.Error(), "already allocated") {
				known = Explanation{"port-taken", "port 8080 of the host is already taken by a container", "publish another port, 8081 is free, or stop the one that has it: muster -p other stop web"}
			}
			return known
		}
		options := FailureOptions{
			HeldUp: []string{"proxy", "web", "worker", "api"}, Plan: held(), Explain: explain, Width: 80, Zone: time.UTC,
		}
		var text bytes.Buffer
		Failure(&text, err, options)
		golden(t, "failure-"+name, text.String())
		for line := range strings.Lines(text.String()) {
			const width = 80
			theirs := strings.Contains(line, "cannot reach") // a log stays as it is
			if len([]rune(strings.TrimSpace(line))) > width && !theirs {
				t.Errorf("%s: a line of %d characters: %s", name, len([]rune(line)), line)
			}
		}
	}
}

func timedOut(service, reason string) error {
	failed := waitFailed(reason, func(w *step.WaitError) {
		w.TimedOut, w.Wait.Deadline, w.Wait.Target = true, step.NewDeadline(3*time.Second), apiOf(service)
		w.Details.State, w.Details.HealthCheck = engine.StateRunning, probed(2)
	})
	return failed
}

func TestFailureColours(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	failed := waitFailed("is unhealthy", func(w *step.WaitError) { w.Details.HealthCheck = probed(5) })
	Failure(&text, errors.Join(failed, timedOut("db", "is not healthy yet")), FailureOptions{
		HeldUp: []string{"web"}, Plan: held(), Colors: true, Zone: time.UTC,
	})
	golden(t, "failure-colours", text.String())
}

// What machines get is the same in fields.
func TestReports(t *testing.T) {
	t.Parallel()
	failed := waitFailed("exited (137)", func(w *step.WaitError) {
		w.Details.ExitCode, w.Details.OOMKilled, w.Details.RestartCount, w.Details.HealthCheck = 137, true, 2, probed(2)
	})
	reports, rest := Reports(errors.Join(failed, errors.New("other")), FailureOptions{HeldUp: []string{"proxy", "web", "idle"}, Plan: held()})
	if strings.Join(rest, " ") != "idle" {
		t.Errorf("rest %q", rest)
	}
	text, err := json.MarshalIndent(reports, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "failure-json", string(text)+"\n")
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	Interrupted(&text, []string{"web", "worker"}, false)
	if want := "interrupted\n  held up   web, worker (not started)\n"; text.String() != want {
		t.Errorf("%q, want %q", text.String(), want)
	}
}
