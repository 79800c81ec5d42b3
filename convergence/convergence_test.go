package convergence_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
)

const shop = `
services:
  web:
    image: box
    environment: {LEVEL: %s}
    depends_on: {api: {condition: service_healthy}}
  api:
    image: box
    command: [-healthy-after, 20ms, -stay]
    scale: 2
    healthcheck: {test: [CMD, /testbox, probe], interval: 10ms, retries: 50}
    depends_on: {migrate: {condition: service_completed_successfully}, db: {condition: service_started}}
    volumes: ["data:/data"]
  migrate:
    image: box
    command: [-out, done]
  db:
    image: box
    restart: always
    networks: [back]
networks: {default: , back: }
volumes: {data: }
`

func TestUpBringsAStackUpAndASecondOneChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	s.mustUp(fmt.Sprintf(shop, "info"))
	want := "p-api-1 running, p-api-2 running, p-db-1 running, p-migrate-1 exited, p-web-1 running"
	if got := s.names(); got != want {
		t.Errorf("containers %s, want %s", got, want)
	}
	s.settled(fmt.Sprintf(shop, "info"))
	ids := func() (all []string) {
		for _, c := range s.Snapshot().Containers {
			all = append(all, c.ID)
		}
		return all
	}
	before := ids()
	if made := s.mustUp(fmt.Sprintf(shop, "info")); made.HasChanges() {
		t.Errorf("a second up changes something:\n%s", made)
	}
	if after := ids(); !slices.Equal(before, after) {
		t.Errorf("a second up made other containers: %v, before %v", after, before)
	}
	if unknown := s.Unknown(); len(unknown) > 0 {
		t.Errorf("calls that the engine in memory does not know: %v", unknown)
	}
}

func TestAChangedVariableReplacesItsServiceAndNoOther(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	s.mustUp(fmt.Sprintf(shop, "info"))
	before := map[string]string{}
	for _, c := range s.Snapshot().Containers {
		before[c.Name] = c.ID
	}
	made := s.mustUp(fmt.Sprintf(shop, "debug"))
	var reasons []string
	for _, change := range made.Changes {
		for _, reason := range change.Reasons {
			reasons = append(reasons, change.Ref.Name+": "+string(change.Kind)+": "+reason.String())
		}
	}
	if got, want := strings.Join(reasons, "\n"), "web: replace: environment.LEVEL info -> debug"; got != want {
		t.Errorf("reasons %q, want %q", got, want)
	}
	for _, c := range s.Snapshot().Containers {
		if replaced := c.ID != before[c.Name]; replaced != (c.Name == "p-web-1") {
			t.Errorf("container %s replaced: %v", c.Name, replaced)
		}
	}
	s.settled(fmt.Sprintf(shop, "debug"))
}

// The engine is asked a fixed number of times, however many services there are.
func TestCallsDoNotGrowWithServices(t *testing.T) {
	t.Parallel()
	for _, services := range []int{1, 100} {
		t.Run(fmt.Sprint(services), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "box")
			var text strings.Builder
			text.WriteString("services:\n")
			for i := range services {
				fmt.Fprintf(&text, "  s%d: {image: box, volumes: ['data:/data']}\n", i)
			}
			text.WriteString("volumes: {data: }\n")
			s.mustUp(text.String())
			s.ResetCalls()
			s.eng = s.connect()
			s.mustUp(text.String())
			if calls := s.Calls(); len(calls) > 8 {
				t.Errorf("an up with nothing to do made %d calls: %v", len(calls), s.Counts())
			}
		})
	}
}

func TestANewContainerThatIsUnhealthyGivesWayToTheOldOne(t *testing.T) {
	t.Parallel()
	const service = `
services:
  web:
    image: box
    restart: unless-stopped
    command: [%s, -out, started, -stay]
    healthcheck: {test: [CMD, /testbox, probe], interval: 10ms, retries: 2}
  follower: {image: box, environment: {N: "%s"}, depends_on: {web: {condition: service_healthy}}}
`
	s := newStage(t, "box")
	s.mustUp(fmt.Sprintf(service, "-healthy-after, 0s", "1"))
	old := s.container("p-web-1")
	follower := s.container("p-follower-1")
	_, err := s.up(t.Context(), fmt.Sprintf(service, "-unhealthy-after, 0s", "2"))
	var waited *step.WaitError
	var failed *convergence.StepError
	if !errors.As(err, &waited) || !errors.As(err, &failed) {
		t.Fatalf("error %v, want a WaitError in a StepError", err)
	}
	if len(waited.Log) == 0 || !strings.Contains(waited.Log[0].Text, "started") || len(waited.Details.HealthCheck.Probes) == 0 {
		t.Errorf("the error brings no evidence: log %v, probes %v", waited.Log, waited.Details.HealthCheck)
	}
	if failed.Undone == nil || !slices.Equal(failed.Undone.Restored, []string{"p-web-1"}) {
		t.Errorf("undone %+v", failed.Undone)
	}
	now := s.container("p-web-1")
	if now.ID != old.ID || now.State != "running" || now.Policy != "unless-stopped" {
		t.Errorf("now %+v, before %+v", now, old)
	}
	if got := s.container("p-follower-1"); got.ID != follower.ID || got.State != "running" {
		t.Errorf("what depends on it: %+v, before %+v", got, follower)
	}
	if got, want := s.names(), "p-follower-1 running, p-web-1 running"; got != want {
		t.Errorf("containers %s, want %s", got, want)
	}
}

func TestANewContainerThatDiesGivesWayToTheOldOne(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	const service = "services: {web: {image: box, command: [%s]}}"
	s.mustUp(fmt.Sprintf(service, "-stay"))
	old := s.container("p-web-1")
	_, err := s.up(t.Context(), fmt.Sprintf(service, `-err, boom, -exit, "3"`))
	if err == nil || !strings.Contains(err.Error(), "exited (3)") {
		t.Errorf("error %v", err)
	}
	if now := s.container("p-web-1"); now.ID != old.ID || now.State != "running" {
		t.Errorf("now %+v, before %+v", now, old)
	}
}

func TestWhatFollowsFromAFailureIsSkippedAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	var mutex sync.Mutex
	skipped := map[string]bool{}
	converger := convergence.Converger{Engine: s.eng, Sink: func(event convergence.Event) {
		mutex.Lock()
		defer mutex.Unlock()
		if event.Phase == convergence.Skipped {
			skipped[event.Object.Name] = true
		}
	}}
	_, err := converger.Up(t.Context(), s.load(`
services:
  job: {image: box, command: [-exit, "4"]}
  web: {image: box, depends_on: {job: {condition: service_completed_successfully}}}
  other: {image: box}
  gone: {image: nowhere/at-all}
`), plan.Policy{})
	text := fmt.Sprint(err)
	for _, want := range []string{`service "job" didn't complete successfully: exit 4`, `pull image nowhere/at-all`} {
		if !strings.Contains(text, want) {
			t.Errorf("error %q lacks %q", text, want)
		}
	}
	if strings.Contains(text, "web") || !skipped["p-web-1"] || skipped["p-other-1"] {
		t.Errorf("error %q, skipped %v", text, skipped)
	}
	if c := s.container("p-other-1"); c.State != "running" {
		t.Errorf("an independent service: %+v", c)
	}
}

func TestAPullThatBringsAnotherImageReplaces(t *testing.T) {
	t.Parallel()
	const service = "services: {web: {image: registry.test/web, pull_policy: always}, other: {image: box}}"
	registry := dockertest.NewRegistry()
	s := newStageWith(t, dockertest.Options{Remote: registry}, "box")
	registry.Push(dockertest.Box("registry.test/web"))
	s.mustUp(service)
	first := s.container("p-web-1")
	s.mustUp(service)
	if again := s.container("p-web-1"); again.ID != first.ID {
		t.Errorf("replaced although the pull brought the same image")
	}
	other := dockertest.Box("registry.test/web")
	other.Version = "2"
	registry.Push(other)
	s.mustUp(service)
	if now := s.container("p-web-1"); now.ID == first.ID || now.ImageID == first.ImageID {
		t.Errorf("not replaced although the pull brought another image: %+v", now)
	}
}

func TestAnInterruptUndoesWhatIsInHand(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	const service = `
services:
  web:
    image: box
    command: [-starting, -stay]
    environment: {N: "%d"}
    healthcheck: {test: [CMD, /testbox, probe], interval: 10ms, retries: 100000}
`
	s.mustUp(fmt.Sprintf(service, 1))
	old := s.container("p-web-1")
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted by the test")
	converger := convergence.Converger{Engine: s.eng, Sink: func(event convergence.Event) {
		if event.Phase == convergence.Started && event.Step != nil && event.Step.Action() == "wait" {
			cancel(interrupted)
		}
	}}
	_, err := converger.Up(ctx, s.load(fmt.Sprintf(service, 2)), plan.Policy{})
	if !errors.Is(err, interrupted) {
		t.Errorf("error %v", err)
	}
	if now := s.container("p-web-1"); now.ID != old.ID || now.State != "running" {
		t.Errorf("now %+v, before %+v", now, old)
	}
	if got, want := s.names(), "p-web-1 running"; got != want {
		t.Errorf("containers %s, want %s", got, want)
	}
}

func TestDownLeavesNothingAndVolumesUnlessAsked(t *testing.T) {
	t.Parallel()
	s := newStage(t, "box")
	s.mustUp(fmt.Sprintf(shop, "info"))
	converger := convergence.Converger{Engine: s.eng}
	if _, err := converger.Down(t.Context(), plan.TeardownInput{Name: "p"}); err != nil {
		t.Fatal(err)
	}
	if left := s.Snapshot(); len(left.Containers)+len(left.Networks) > 0 || len(left.Volumes) != 1 {
		t.Errorf("left:\n%s", left)
	}
	if _, err := converger.Down(t.Context(), plan.TeardownInput{Name: "p", RemoveVolumes: true}); err != nil {
		t.Fatal(err)
	}
	if left := s.Snapshot(); len(left.Volumes) > 0 {
		t.Errorf("left:\n%s", left)
	}
}
