package step_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// deed is what somebody else does to the container while it is waited for.
type deed struct {
	at time.Duration
	do func(ctx context.Context, eng engine.Engine) error
}

func stops(ctx context.Context, eng engine.Engine) error {
	return eng.StopContainer(ctx, "p-web-1", nil)
}

func kills(ctx context.Context, eng engine.Engine) error {
	return eng.KillContainer(ctx, "p-web-1", "")
}

func pauses(ctx context.Context, eng engine.Engine) error { return eng.PauseContainer(ctx, "p-web-1") }

func unpauses(ctx context.Context, eng engine.Engine) error {
	return eng.UnpauseContainer(ctx, "p-web-1")
}

func restarts(ctx context.Context, eng engine.Engine) error {
	return errors.Join(eng.StopContainer(ctx, "p-web-1", nil), eng.StartContainer(ctx, "p-web-1"))
}

func removes(ctx context.Context, eng engine.Engine) error {
	return eng.RemoveContainer(ctx, "p-web-1", engine.RemoveContainer{Force: true})
}

func within(d time.Duration) *step.Deadline { return step.NewDeadline(d) }

// What happens to a container while it is waited for: its restart policy, its health, and what others do to it.
func TestReadiness(t *testing.T) {
	t.Parallel()
	crashes := []string{"-starting", "-sleep", "100ms", "-exit", "4"}
	for _, test := range []struct {
		name    string
		service project.Service
		wait    step.Wait
		before  func(ctx context.Context, eng engine.Engine) error // what is done before it is waited for; may be nil
		others  []deed
		want    string // the error; empty for success
		took    time.Duration
	}{
		{
			name: "unhealthy, but it gets over it", service: checked(service(project.RestartAlways, "-healthy-after", "4500ms", "-stay")),
			wait: step.Wait{Goal: step.Healthy}, took: 5 * time.Second,
		},
		{
			name: "unhealthy twice as long as it may be", service: checked(service(project.RestartAlways, "-starting", "-stay")),
			wait: step.Wait{Goal: step.Healthy}, want: "container p-web-1 is unhealthy", took: 6 * time.Second,
		},
		{
			name: "unhealthy until the time is up", service: checked(service(project.RestartUnlessStopped, "-starting", "-stay")),
			wait: step.Wait{Goal: step.Ready, Deadline: within(20 * time.Second)}, want: "application not healthy after 20s", took: 20 * time.Second,
		},
		{
			name: "unhealthy, and nobody restarts it", service: checked(service("", "-starting", "-stay")),
			wait: step.Wait{Goal: step.Ready, Deadline: within(20 * time.Second)}, want: "container p-web-1 is unhealthy", took: 3 * time.Second,
		},
		{
			name: "healthy wanted, but it keeps ending", service: checked(service(project.RestartAlways, crashes...)),
			wait: step.Wait{Goal: step.Healthy, Dependency: true}, took: 3700 * time.Millisecond,
			want: "dependency failed to start: container p-web-1 keeps ending: exit 4, restarted 5 times",
		},
		{
			name: "it keeps ending until the time is up", service: checked(service(project.RestartAlways, crashes...)),
			wait: step.Wait{Goal: step.Ready, Deadline: within(9 * time.Second)}, want: "application not healthy after 9s", took: 9 * time.Second,
		},
		{
			name: "more restarts than a few, where the policy counts them", service: service("on-failure:7", "-sleep", "100ms", "-exit", "4"),
			wait: step.Wait{Goal: step.Completed}, want: `service "web" didn't complete successfully: exit 4`, took: 13500 * time.Millisecond,
		},
		{
			name: "a one-shot that is never done", service: service(project.RestartAlways, "-sleep", "100ms"),
			wait: step.Wait{Goal: step.Completed}, want: `service "web" keeps ending: exit 0, restarted 5 times`, took: 3700 * time.Millisecond,
		},
		{
			name: "a one-shot that is restarted on failure", service: service(project.RestartOnFailure, "-sleep", "100ms"),
			wait: step.Wait{Goal: step.Ready, Steady: 500 * time.Millisecond}, took: 500 * time.Millisecond,
		},
		{
			name: "stopped by hand", service: checked(service("", "-starting", "-stay")), others: []deed{{500 * time.Millisecond, stops}},
			wait: step.Wait{Goal: step.Ready}, want: "exited (0): it was stopped from outside", took: 500 * time.Millisecond,
		},
		{
			name: "stopped by hand before it is waited for", service: checked(service("", "-starting", "-stay")), before: stops,
			wait: step.Wait{Goal: step.Ready}, want: "exited (0): it was stopped from outside",
		},
		{
			name: "killed before it is waited for", service: service(project.RestartAlways, "-stay"), before: kills,
			wait: step.Wait{Goal: step.Completed}, want: `service "web" exited (137): it was stopped from outside`,
		},
		{
			name: "stopped and started again before it is waited for", service: service("", "-sleep", "1s"), before: restarts,
			wait: step.Wait{Goal: step.Ready, Steady: 2 * time.Second}, took: 2 * time.Second,
		},
		{
			name: "stopped by hand between restarts", service: service(project.RestartAlways, "-sleep", "100ms", "-exit", "4"),
			others: []deed{{1500 * time.Millisecond, stops}}, wait: step.Wait{Goal: step.Completed},
			want: `service "web" exited (4): it was stopped from outside`, took: 1500 * time.Millisecond,
		},
		{
			name: "killed between restarts, which no event tells", service: service(project.RestartAlways, "-sleep", "100ms", "-exit", "4"),
			others: []deed{{1500 * time.Millisecond, kills}}, wait: step.Wait{Goal: step.Completed},
			want: `service "web" exited (4): it was stopped from outside`, took: 3100 * time.Millisecond,
		},
		{
			name: "watched for a while", service: service("", "-stay"), wait: step.Wait{Monitor: 2 * time.Second}, took: 2 * time.Second,
		},
		{
			name: "ends while it is watched", service: service("", "-sleep", "1500ms", "-exit", "3"),
			wait: step.Wait{Goal: step.Ready, Monitor: 5 * time.Second}, want: "exited (3)", took: 1500 * time.Millisecond,
		},
		{
			name: "restarted while it is watched, new as it is", service: service(project.RestartAlways, "-sleep", "1500ms", "-exit", "3"),
			wait: step.Wait{Goal: step.Ready, Fresh: true, Monitor: 5 * time.Second}, want: "had to be restarted", took: 1500 * time.Millisecond,
		},
		{
			name: "removed", service: checked(service("", "-starting", "-stay")), others: []deed{{500 * time.Millisecond, removes}},
			wait: step.Wait{Goal: step.Ready}, want: "container p-web-1 was removed", took: 500 * time.Millisecond,
		},
		{
			name: "paused for a moment", service: checked(service("", "-healthy-after", "3400ms", "-stay")), wait: step.Wait{Goal: step.Healthy},
			others: []deed{{500 * time.Millisecond, pauses}, {1500 * time.Millisecond, unpauses}}, took: 3500 * time.Millisecond,
		},
		{
			name: "paused for good", service: checked(service("", "-starting", "-stay")), others: []deed{{500 * time.Millisecond, pauses}},
			wait: step.Wait{Goal: step.Healthy}, want: "container p-web-1 is paused", took: 10500 * time.Millisecond,
		},
		{
			name: "paused until the time is up", service: checked(service("", "-starting", "-stay")), others: []deed{{500 * time.Millisecond, pauses}},
			wait: step.Wait{Goal: step.Healthy, Deadline: within(15 * time.Second)}, want: "application not healthy after 15s", took: 15 * time.Second,
		},
		{
			name: "its health check is disabled", service: disabled(service("", "-starting", "-stay")),
			wait: step.Wait{Goal: step.Ready, Steady: 500 * time.Millisecond}, took: 500 * time.Millisecond,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				eng := start(t, test.service)
				test.wait.Target, test.wait.Project = step.Target{Name: "p-web-1", Service: "web", Replica: 1}, "p"
				if test.before != nil {
					if err := test.before(t.Context(), eng); err != nil {
						t.Fatal(err)
					}
				}
				begin := time.Now()
				var others errgroup.Group
				for _, other := range test.others {
					others.Go(func() error {
						time.Sleep(other.at)
						return other.do(t.Context(), eng)
					})
				}
				err := test.wait.Run(t.Context(), eng, func(step.Progress) {})
				took := time.Since(begin)
				if got := fmt.Sprint(err); err == nil != (test.want == "") || !strings.Contains(got, test.want) {
					t.Errorf("error %q, want %q", got, test.want)
				}
				if took.Round(100*time.Millisecond) != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
				if err := others.Wait(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func disabled(s project.Service) project.Service {
	s.HealthCheck = &project.HealthCheck{Disable: true}
	return s
}

// stale is an engine that tells the health of the run before, until that of the one under way is known: what a look may find between the
// start and the first probe.
type stale struct {
	engine.Engine
	status engine.Health
	until  time.Time
}

func (s stale) InspectContainer(ctx context.Context, ref string) (engine.ContainerDetails, error) {
	details, err := s.Engine.InspectContainer(ctx, ref)
	if time.Now().Before(s.until) && details.HealthCheck != nil {
		check := *details.HealthCheck
		before := details.StartedAt.Add(-time.Minute)
		check.Status, check.FailingStreak = s.status, check.Retries
		check.Probes = []engine.ProbeResult{{Start: before, End: before.Add(time.Second), ExitCode: 1}}
		details.HealthCheck = &check
	}
	return details, err
}

// A result that is older than the container's last start counts neither for it nor against it.
func TestHealthOfAnEarlierRunDoesNotCount(t *testing.T) {
	t.Parallel()
	for _, status := range []engine.Health{engine.HealthHealthy, engine.HealthUnhealthy} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				eng := stale{start(t, checked(service("", "-healthy-after", "2500ms", "-stay"))), status, time.Now().Add(2 * time.Second)}
				wait := step.Wait{Target: step.Target{Name: "p-web-1", Service: "web"}, Project: "p", Goal: step.Healthy}
				begin := time.Now()
				if err := wait.Run(t.Context(), eng, func(step.Progress) {}); err != nil || time.Since(begin) != 3*time.Second {
					t.Errorf("took %s, error %v", time.Since(begin), err)
				}
			})
		})
	}
}

// A container that is healthy and is restarted has to become healthy again.
func TestHealthBeginsAnewWithARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		eng := start(t, checked(service("", "-healthy-after", "1500ms", "-stay")))
		wait := step.Wait{Target: step.Target{Name: "p-web-1", Service: "web"}, Project: "p", Goal: step.Healthy}
		for range 2 {
			begin := time.Now()
			if err := wait.Run(t.Context(), eng, func(step.Progress) {}); err != nil || time.Since(begin) != 2*time.Second {
				t.Errorf("took %s, error %v", time.Since(begin), err)
			}
			if err := restarts(t.Context(), eng); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestTheEvidenceIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		eng := start(t, service("", "-lines", "30", "-long", "40", "-part", "the end", "-exit", "3"))
		wait := step.Wait{Target: step.Target{Name: "p-web-1", Service: "web"}, Project: "p", Goal: step.Completed}
		var failed *step.WaitError
		if err := wait.Run(t.Context(), eng, func(step.Progress) {}); !errors.As(err, &failed) {
			t.Fatalf("error %v", err)
		}
		lines := failed.Log
		if len(lines) > 20 || len(lines) < 10 {
			t.Fatalf("%d lines", len(lines))
		}
		last, long := lines[len(lines)-1], lines[len(lines)-2]
		if last.Text != "the end" || len(long.Text) != 1<<10 || !strings.HasPrefix(long.Text, "0123") || lines[len(lines)-3].Text != "line 30" {
			t.Errorf("ends with %q, %d bytes, %q", last.Text, len(long.Text), lines[len(lines)-3].Text)
		}
	})
}
