package convergence_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/plan"
)

// wrong is a way in which a call goes wrong.
type wrong struct {
	name   string
	fault  dockertest.Fault
	cancel bool // whoever called gives up then
}

// dies says that nothing is left of the process that called.
func (w wrong) dies() bool { return w.fault.Then == dockertest.Refuse }

func ways() []wrong {
	changing := dockertest.Changing
	reading := func(call dockertest.Call) bool { return !call.Changes() }
	return []wrong{
		{name: "fails", fault: dockertest.Fault{On: changing, Then: dockertest.Fail}},
		{name: "hangs", fault: dockertest.Fault{On: changing, Then: dockertest.Hang}, cancel: true},
		{name: "is the last", fault: dockertest.Fault{On: changing, Then: dockertest.Refuse}},
		{name: "is done as the last", fault: dockertest.Fault{On: changing, Then: dockertest.Refuse, Done: true}},
		{name: "that reads fails", fault: dockertest.Fault{On: reading, Then: dockertest.Fail}},
	}
}

// passing are the ways in which a call goes wrong once, and that are put right by making it again.
func passing() []wrong {
	again := func(call dockertest.Call) bool { return call.Changes() && !isMadeOnce(call) }
	return []wrong{
		{name: "is cut", fault: dockertest.Fault{On: again, Then: dockertest.Cut}},
		{name: "is done and cut", fault: dockertest.Fault{On: again, Then: dockertest.Cut, Done: true}},
		{name: "fails once", fault: dockertest.Fault{On: again, Then: dockertest.Fail}},
		{name: "that reads fails once", fault: dockertest.Fault{Then: dockertest.Fail, On: func(call dockertest.Call) bool {
			return !call.Changes() && !isMadeOnce(call)
		}}},
	}
}

// isMadeOnce says whether a call is not made again: commands in containers are not, and streams.
func isMadeOnce(call dockertest.Call) bool {
	return slices.ContainsFunc([]string{"exec", "/events", "/logs", "/images/create", "/distribution"}, func(part string) bool {
		return strings.Contains(call.Route, part)
	})
}

// What goes wrong once and is made again is tried at every so many-th call, at others in each fixture: calls are made again in one place.
const everyPassing = 4

// Whatever call goes wrong in whatever way, nothing that ran before is down afterwards, nothing is lost, and one more up brings what
// is wanted. After the end of a process the next command is another one each time: whatever changes things puts right what it finds.
func TestEveryCallMayGoWrong(t *testing.T) {
	t.Parallel()
	var total atomic.Int64
	t.Cleanup(func() { t.Logf("%d points tried in all", total.Load()) })
	for i, f := range fixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			expected := f.undisturbed(t)
			points := 0
			for _, way := range ways() {
				points += tryAll(t, i, every, func(t *testing.T, nth int) bool { t.Helper(); return f.try(t, way, nth, expected) })
			}
			for _, way := range passing() {
				points += tryAll(t, i, every*everyPassing, func(t *testing.T, nth int) bool { t.Helper(); return f.tryAgain(t, way, nth, expected) })
			}
			t.Logf("%d points tried", points)
			total.Add(int64(points))
		})
	}
}

// tryAll makes each call in turn go wrong, and returns how many there were.
// With the race detector, under which each takes many times as long, it is only every so many-th.
func tryAll(t *testing.T, first, step int, try func(t *testing.T, nth int) (happened bool)) (points int) {
	t.Helper()
	for nth := 1 + first%step; !t.Failed(); nth += step {
		happened := false
		synctest.Test(t, func(t *testing.T) { happened = try(t, nth) })
		if !happened {
			break
		}
		points++
	}
	return points
}

// tryAgain expects that a call that goes wrong once makes no difference.
func (f fixture) tryAgain(t *testing.T, way wrong, nth int, expected expectation) (happened bool) {
	t.Helper()
	s := f.stage(t)
	before := s.Snapshot()
	s.eng = engine.Retry(s.eng, nil)
	fault := way.fault
	fault.Nth, fault.Came = nth, func() { happened = true }
	remove := s.Inject(fault)
	err := s.do(t.Context(), f, f.command...)
	remove()
	place := fmt.Sprintf("%s: call %d %s", f.name, nth, way.name)
	if err != nil {
		t.Errorf("%s: %v\n%s", place, err, s.Snapshot())
	}
	s.nothingIsLost(place, before, f)
	if f.command[0] == "up" {
		s.isAsWanted(place, f, expected, true)
	}
	return happened
}

// try says whether the fault came at all: if not, there are no more calls to try.
func (f fixture) try(t *testing.T, way wrong, nth int, expected expectation) (happened bool) {
	t.Helper()
	s := f.stage(t)
	before := s.Snapshot()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fault := way.fault
	fault.Nth, fault.Came = nth, func() {
		if happened = true; way.cancel {
			cancel()
		}
	}
	remove := s.Inject(fault)
	err := s.do(ctx, f, f.command...)
	remove()
	synctest.Wait()
	if !happened {
		return false
	}
	place := fmt.Sprintf("%s: call %d %s", f.name, nth, way.name)
	if err != nil && !way.dies() && f.keepsUp() {
		s.nothingIsDown(place, before, f)
	}
	s.nothingIsLost(place, before, f)
	s.Accept()
	s.eng = s.connect()
	next := []string{"up"}
	if way.dies() {
		next = f.nextCommand(nth)
	}
	if next[0] != "up" {
		place += ", then " + next[0]
		s.policy = f.policy
		switch err := s.do(t.Context(), f, next...); {
		case err == nil:
			s.noDebris(place)
		case !isRefusal(err):
			t.Errorf("%s: %v\n%s", place, err, s.Snapshot())
		}
	}
	s.policy.Recreate = plan.RecreateChanged
	between := s.Snapshot()
	made, err := s.bringUp(t.Context(), f.after)
	if err != nil {
		t.Errorf("%s: the next up fails: %v\n%s", place, err, s.Snapshot())
		return happened
	}
	s.keptWhatItSaid(place, made, between)
	if way.dies() {
		expected.survivors = nil // what was in the middle may have to be replaced, if the plan says so
	}
	s.isAsWanted(place, f, expected, next[0] == "up")
	return happened
}

// nextCommand is what comes after the end of a process: each in turn.
func (f fixture) nextCommand(nth int) []string {
	commands := [][]string{{"up"}, {"stop"}, {"start"}, {"restart"}, {"create"}, {"rm"}, {"down"}}
	return commands[nth%len(commands)]
}

// keepsUp says whether the command is one after which what ran before runs.
func (f fixture) keepsUp() bool {
	return slices.Contains([]string{"up", "run", "create"}, f.command[0])
}
