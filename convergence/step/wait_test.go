package step_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run starts a container that runs testbox and waits for it. The clock is the test's.
func run(t *testing.T, service project.Service, wait step.Wait) (took time.Duration, progress []string, err error) {
	t.Helper()
	eng := start(t, service)
	wait.Target = step.Target{Name: "p-web-1", Service: "web", Replica: 1}
	wait.Project = "p"
	begin := time.Now()
	err = wait.Run(t.Context(), eng, func(p step.Progress) { progress = append(progress, p.Text) })
	return time.Since(begin), progress, err
}

// start starts a container that runs testbox, p-web-1, on an engine in memory.
func start(t *testing.T, service project.Service) engine.Engine {
	t.Helper()
	eng := dockertest.Start(t, dockertest.Options{})
	eng.AddImage(dockertest.Box("box"))
	hub := engine.NewHub(eng.Client(t), "p")
	t.Cleanup(func() { _ = hub.Close() })
	service.Name, service.Image = "web", "box"
	request := engine.CreateContainer{
		Name: "p-web-1", Service: service, Image: "box", Number: 1, NetworkMode: "none",
		Labels: map[string]string{project.LabelProject: "p", project.LabelService: "web"},
	}
	if _, err := hub.CreateContainer(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if err := hub.StartContainer(t.Context(), "p-web-1"); err != nil {
		t.Fatal(err)
	}
	return hub
}

func service(restart string, command ...string) project.Service {
	s := project.Service{Restart: restart}
	s.Command = command
	return s
}

func checked(s project.Service) project.Service {
	interval, retries := project.Duration(time.Second), uint64(3)
	s.HealthCheck = &project.HealthCheck{Test: []string{"CMD", "/testbox", "probe"}, Interval: &interval, Retries: &retries}
	return s
}

func TestWait(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		service project.Service
		wait    step.Wait
		want    string // the error; empty for success
		took    time.Duration
	}{
		{name: "running", service: service("", "-stay"), wait: step.Wait{Goal: step.Running}},
		{name: "running, ended well", service: service("", "-out", "a"), wait: step.Wait{Goal: step.Running}},
		{name: "running, ended badly", service: service("", "-exit", "3"), wait: step.Wait{Goal: step.Running}, want: "container p-web-1 exited (3)"},
		{name: "healthy", service: checked(service("", "-healthy-after", "1500ms", "-stay")), wait: step.Wait{Goal: step.Healthy}, took: 2 * time.Second},
		{
			name: "healthy, without a check", service: service("", "-stay"), wait: step.Wait{Goal: step.Healthy, Dependency: true},
			want: "dependency failed to start: container p-web-1 has no healthcheck configured",
		},
		{
			name: "unhealthy", service: checked(service("", "-starting", "-stay")), wait: step.Wait{Goal: step.Healthy, Dependency: true},
			want: "dependency failed to start: container p-web-1 is unhealthy", took: 3 * time.Second,
		},
		{
			name: "healthy, but it ends", service: checked(service("", "-starting", "-sleep", "500ms", "-exit", "1")), wait: step.Wait{Goal: step.Healthy},
			want: "container p-web-1 exited (1)", took: 500 * time.Millisecond,
		},
		{
			name: "healthy, until its retries are used up", service: checked(service("on-failure:2", "-starting", "-sleep", "100ms", "-exit", "4")),
			wait: step.Wait{Goal: step.Healthy, Dependency: true}, want: "dependency failed to start: container p-web-1 exited (4)",
			took: 600 * time.Millisecond,
		},
		{name: "ready, without a check", service: service("", "-stay"), wait: step.Wait{Goal: step.Ready}},
		{
			name: "ready and steady, but it ends", service: service("", "-sleep", "300ms", "-exit", "2"),
			wait: step.Wait{Goal: step.Ready, Steady: 500 * time.Millisecond}, want: "container p-web-1 exited (2)", took: 500 * time.Millisecond,
		},
		{
			name: "ready, but it is restarted for ever", service: service(project.RestartAlways, "-sleep", "100ms", "-exit", "2"),
			wait: step.Wait{Goal: step.Ready, Steady: 500 * time.Millisecond}, want: "container p-web-1 keeps ending: exit 2, restarted 5 times",
			took: 4100 * time.Millisecond,
		},
		{name: "ready, with one", service: checked(service("", "-stay")), wait: step.Wait{Goal: step.Ready}, took: time.Second},
		{name: "completed", service: service("", "-sleep", "5s"), wait: step.Wait{Goal: step.Completed}, took: 5 * time.Second},
		{
			name: "completed badly", service: service("", "-sleep", "5s", "-exit", "7"), wait: step.Wait{Goal: step.Completed, Dependency: true},
			want: `service "web" didn't complete successfully: exit 7`, took: 5 * time.Second,
		},
		{
			name: "the time is up", service: checked(service("", "-starting", "-stay")),
			wait: step.Wait{Goal: step.Ready, Deadline: step.NewDeadline(2500 * time.Millisecond)},
			want: "application not healthy after 2.5s", took: 2500 * time.Millisecond,
		},
		{
			name: "a new one that dies and is restarted", service: service(project.RestartAlways, "-sleep", "100ms", "-exit", "9"),
			wait: step.Wait{Goal: step.Healthy, Fresh: true}, want: "has no healthcheck configured",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				took, _, err := run(t, test.service, test.wait)
				if got := fmt.Sprint(err); err == nil != (test.want == "") || !strings.Contains(got, test.want) {
					t.Errorf("error %q, want %q", got, test.want)
				}
				if took.Round(100*time.Millisecond) != test.took {
					t.Errorf("took %s, want %s", took, test.took)
				}
			})
		})
	}
}

// hangs is an engine that does not say how a container is.
type hangs struct{ engine.Engine }

func (hangs) InspectContainer(ctx context.Context, _ string) (engine.ContainerDetails, error) {
	<-ctx.Done()
	return engine.ContainerDetails{}, fmt.Errorf("inspect container: %w", ctx.Err())
}

// The time may be up while the engine is asked, which is no other error.
func TestTheTimeOfAWaitIsUpWhileItLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wait := step.Wait{
			Target: step.Target{Name: "p-web-1", Service: "web"}, Project: "p", Goal: step.Ready, Deadline: step.NewDeadline(time.Second),
		}
		err := wait.Run(t.Context(), hangs{start(t, service("", "-stay"))}, func(step.Progress) {})
		var failed *step.WaitError
		if !errors.As(err, &failed) || !failed.TimedOut {
			t.Errorf("error %v", err)
		}
	})
}

// An end is not the end where the engine starts the container again.
func TestWaitOutlivesARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		took, _, err := run(t, checked(service(project.RestartOnFailure, "-sleep", "1500ms", "-exit", "1")), step.Wait{Goal: step.Healthy})
		if err != nil || took < time.Second {
			t.Errorf("took %s, error %v", took, err)
		}
	})
}

func TestAWaitThatFailsBringsTheEvidence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, progress, err := run(t, checked(service("", "-starting", "-out", "cannot reach the database", "-stay")), step.Wait{Goal: step.Healthy})
		var failed *step.WaitError
		if !errors.As(err, &failed) {
			t.Fatalf("error %v", err)
		}
		if len(failed.Log) != 1 || failed.Log[0].Text != "cannot reach the database" || failed.Log[0].Time.IsZero() {
			t.Errorf("log %+v", failed.Log)
		}
		check := failed.Details.HealthCheck
		if check == nil || check.FailingStreak != 3 || check.Retries != 3 || len(check.Probes) == 0 {
			t.Errorf("health check %+v", check)
		}
		if want := "health check 1 of 3, last probe: exit 1"; len(progress) == 0 || progress[0] != want {
			t.Errorf("progress %q, want %q first", progress, want)
		}
		if failed.Hint() != "muster logs web --tail 100" {
			t.Errorf("hint %q", failed.Hint())
		}
	})
}
