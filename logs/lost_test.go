package logs

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

func TestEventsMayComeAfterTheCallerIsDone(t *testing.T) {
	for _, delay := range []time.Duration{settleTime / 10, settleTime * 10} {
		t.Run(delay.String(), func(t *testing.T) {
			play(t, func(s *scene) {
				s.fake.delay = delay
				starting := make(chan struct{})
				s.follow(Options{Follow: true, Starting: starting})
				job := s.fake.run("job", 1, "a")
				s.fake.write(job, "b")
				s.fake.die(job, 5, engine.StateExited)
				close(starting)
				begin := time.Now()
				s.finish("job-1 started", "job-1 | a", "job-1 | b", "job-1 exited 5")
				if took := time.Since(begin); took >= settleTime && took > 4*delay {
					s.t.Errorf("ended after %v", took)
				}
			})
		})
	}
}

func TestEventsLostForAWhile(t *testing.T) {
	play(t, func(s *scene) {
		ends, goes, restarts := s.fake.run("ends", 1, "a"), s.fake.run("goes", 1), s.fake.run("restarts", 1, "a")
		s.follow(everything())
		later := s.fake.create("later", 1)
		s.pass()
		s.fake.do(func() { s.fake.silent = true })
		s.fake.start(later)
		s.fake.write(ends, "b")
		s.fake.die(ends, 2, engine.StateExited)
		s.pass()
		s.fake.die(goes, 0, engine.StateExited)
		s.fake.remove(goes)
		s.fake.die(restarts, 0, engine.StateExited)
		s.pass()
		s.fake.start(restarts)
		s.fake.write(restarts, "b")
		born := s.fake.run("born", 1, "a")
		s.pass()
		s.fake.reconnect()
		s.pass()
		s.sleep(2 * settleTime)
		born.hangs = true // which shall not matter
		s.fake.die(restarts, 7, engine.StateExited)
		s.pass()
		s.fake.die(born, 8, engine.StateExited)
		s.pass()
		s.fake.die(later, 0, engine.StateExited)
		if err := s.end(); err != nil {
			s.t.Error(err)
		}
		slices.Sort(s.items)
		s.compare([]string{
			"born-1 exited 8", "born-1 started", "born-1 | a", "ends-1 exited 2", "ends-1 | a", "ends-1 | b", "goes-1 exited -1",
			"later-1 exited 0", "later-1 started", "restarts-1 exited 7", "restarts-1 | a", "restarts-1 | b",
		})
	})
}

func TestOneEventLost(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "a")
		s.follow(everything())
		s.fake.do(func() { s.fake.silent = true })
		s.fake.die(web, 4, engine.StateExited)
		s.finish("web-1 | a", "web-1 exited 4")
	})
}

func TestStopToldBeforeTheEnd(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "a")
		s.follow(everything())
		s.fake.do(func() {
			s.fake.tell(web, "stop", func(e *engine.Event) { e.Time = e.Time.Add(time.Microsecond) })
		})
		s.fake.die(web, 4, engine.StateExited)
		s.pass()
		s.compare([]string{"web-1 | a", "web-1 exited 4"})
		s.finish("web-1 | a", "web-1 exited 4")
	})
}

func TestToldAgainAfterALostConnection(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "a")
		s.follow(everything())
		s.fake.die(web, 1, engine.StateRestarting)
		s.sleep(time.Second)
		s.fake.start(web)
		s.pass()
		again := slices.Clone(s.fake.subscribers[0].queue)
		for _, action := range []string{"die", "start"} {
			again = append(again, engine.Event{
				Kind: engine.EventContainer, Action: action, ID: web.ID, Project: "shop", Time: time.Now().Add(-time.Second),
			})
		}
		s.fake.do(func() { s.fake.subscribers[0].queue = again })
		s.fake.reconnect()
		s.pass()
		s.sleep(2 * settleTime)
		s.fake.die(web, 2, engine.StateExited)
		s.finish("web-1 | a", "web-1 exited 1 restarting", "web-1 started", "web-1 exited 2")
	})
}

func TestLostStreamsAreResumed(t *testing.T) {
	var want []string
	for line := range 30 {
		want = append(want, fmt.Sprint("web-1 | ", line))
	}
	want = append(want, "web-1 exited 0")
	for first := range 12 {
		for _, tty := range []bool{false, true} {
			t.Run(fmt.Sprint(first, tty), func(t *testing.T) {
				play(t, func(s *scene) {
					web := s.fake.run("web", 1)
					web.tty, web.breakAfter = tty, []int{first, 0, 3, 1, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 2}
					s.follow(everything())
					for line := range 30 {
						s.fake.writeTo(web, engine.Stream(1+line%2), fmt.Sprint(line, "\n"))
						if line%4 == 3 {
							s.pass()
						}
					}
					s.sleep(time.Minute)
					s.fake.die(web, 0, engine.StateExited)
					s.finish(want...)
					if len(web.breakAfter) > 0 {
						s.t.Error("not every connection was broken")
					}
				})
			})
		}
	}
}

func TestStreamLostAcrossARestart(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "a")
		web.breakAfter = []int{1, 0, 0}
		s.follow(everything())
		s.fake.write(web, "b")
		s.fake.die(web, 1, engine.StateRestarting)
		s.sleep(10 * time.Millisecond)
		s.fake.start(web)
		s.fake.write(web, "c")
		s.sleep(10 * time.Millisecond)
		s.fake.die(web, 2, engine.StateRestarting)
		s.sleep(10 * time.Millisecond)
		s.fake.start(web)
		s.fake.write(web, "d")
		s.sleep(time.Minute)
		s.fake.die(web, 3, engine.StateExited)
		s.finish("web-1 | a", "web-1 | b", "web-1 exited 1 restarting", "web-1 started", "web-1 | c", "web-1 exited 2 restarting",
			"web-1 started", "web-1 | d", "web-1 exited 3")
	})
}

func TestStreamThatEndsEarly(t *testing.T) {
	for _, often := range []int{1, retries, 100} {
		t.Run(fmt.Sprint(often), func(t *testing.T) {
			play(t, func(s *scene) {
				web := s.fake.run("web", 1, "a")
				web.endAfter = slices.Repeat([]int{1}, often)
				s.follow(everything())
				s.fake.write(web, "b", "c")
				s.sleep(time.Minute)
				if soon := slices.Contains(s.items, "web-1 | c"); soon != (often < 100) {
					s.t.Errorf("read before the end: %v", soon)
				}
				s.fake.write(web, "d")
				s.fake.die(web, 0, engine.StateExited)
				s.finish("web-1 | a", "web-1 | b", "web-1 | c", "web-1 | d", "web-1 exited 0")
			})
		})
	}
}

func TestStreamThatEndsAgainAndAgainIsReadAfterAGapInTheEvents(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "a")
		web.endAfter = append([]int{1}, slices.Repeat([]int{0}, retries)...)
		s.follow(everything())
		s.sleep(time.Minute)
		s.fake.write(web, "b")
		created := s.fake.create("web", 2)
		s.pass()
		if slices.Contains(s.items, "web-1 | b") {
			s.t.Error("it is read too soon for this test")
		}
		s.fake.do(func() { s.fake.silent = true })
		s.fake.remove(created)
		s.fake.reconnect()
		s.sleep(time.Minute)
		s.fake.die(web, 0, engine.StateExited)
		s.finish("web-1 | a", "web-1 | b", "web-1 exited 0")
	})
}

func TestStreamThatDoesNotEnd(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "a")
		web.hangs = true
		s.follow(everything())
		s.fake.die(web, 0, engine.StateExited)
		s.finish("web-1 | a", "web-1 exited 0")
	})
}

// whole is a fake in the clothes of a whole engine, as a hub needs it.
type whole struct {
	engine.Engine
	*fake
}

func (w whole) ListContainers(ctx context.Context, filter engine.ContainerFilter) ([]engine.Container, error) {
	return w.fake.ListContainers(ctx, filter)
}

func (w whole) Events(ctx context.Context, filter engine.EventFilter, ready func(), yield func(engine.Event) error) error {
	return w.fake.Events(ctx, filter, ready, yield)
}

func (w whole) Logs(ctx context.Context, ref string, options engine.LogOptions, yield func(engine.Frame) error) error {
	return w.fake.Logs(ctx, ref, options, yield)
}

func (w whole) Info(ctx context.Context) (engine.Info, error) { return w.fake.Info(ctx) }

func (w whole) Close() error { return nil }

func TestEngineRestartsUnderAHub(t *testing.T) {
	play(t, func(s *scene) {
		web, api := s.fake.run("web", 1, "a"), s.fake.run("api", 1)
		hub := engine.NewHub(whole{fake: s.fake}, "shop")
		web.breakAfter = []int{2, 0, 0, 0}
		s.from = hub
		s.follow(everything())
		s.fake.do(func() { s.fake.subscribers[0].broken = engine.ErrUnavailable })
		s.fake.do(func() { s.fake.silent = true })
		s.fake.write(web, "b", "c")
		s.fake.die(api, 1, engine.StateExited)
		s.fake.do(func() { s.fake.silent = false })
		s.sleep(time.Minute)
		s.fake.write(web, "d")
		s.fake.die(web, 0, engine.StateExited)
		if err := s.end(); err != nil {
			s.t.Error(err)
		}
		s.items = slices.DeleteFunc(s.items, func(item string) bool { return item == "api-1 exited 1" })
		s.compare([]string{"web-1 | a", "web-1 | b", "web-1 | c", "web-1 | d", "web-1 exited 0"})
		if err := hub.Close(); err != nil {
			s.t.Error(err)
		}
	})
}

func TestEngineAwayForAMoment(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "a")
		s.follow(everything())
		s.fake.listFail = engine.ErrUnavailable
		s.fake.die(web, 1, engine.StateExited)
		s.sleep(10 * settleTime)
		s.fake.do(func() { s.fake.listFail = nil })
		s.finish("web-1 | a", "web-1 exited 1")
	})
}
