package convergence_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
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
		{name: "is cut", fault: dockertest.Fault{On: changing, Then: dockertest.Cut}},
		{name: "is done and cut", fault: dockertest.Fault{On: changing, Then: dockertest.Cut, Done: true}},
		{name: "is the last", fault: dockertest.Fault{On: changing, Then: dockertest.Refuse}},
		{name: "is done as the last", fault: dockertest.Fault{On: changing, Then: dockertest.Refuse, Done: true}},
		{name: "that reads fails", fault: dockertest.Fault{On: reading, Then: dockertest.Fail}},
	}
}

// Whatever call goes wrong in whatever way, nothing that ran before is down afterwards, nothing is lost, and one more up brings what
// is wanted. After the end of a process the next command is another one each time: whatever changes things puts right what it finds.
func TestEveryCallMayGoWrong(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			expected := f.undisturbed(t)
			points := 0
			for _, way := range ways() {
				points += f.tryAll(t, way, expected)
			}
			t.Logf("%d points tried", points)
		})
	}
}

// tryAll makes each call in turn go wrong, and returns how many there were.
func (f fixture) tryAll(t *testing.T, way wrong, expected expectation) (points int) {
	t.Helper()
	for nth := 1; !t.Failed(); nth++ {
		happened := false
		synctest.Test(t, func(t *testing.T) { happened = f.try(t, way, nth, expected) })
		if !happened {
			break
		}
		points++
	}
	return points
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
