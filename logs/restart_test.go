package logs

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

func TestRestartByTheEngine(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "first")
		s.follow(everything())
		s.fake.die(web, 1, engine.StateRestarting)
		s.pass()
		s.sleep(time.Minute)
		s.fake.write(web, "before its start is told")
		s.fake.start(web)
		s.fake.write(web, "second")
		s.pass()
		s.fake.do(func() { s.fake.tell(web, "oom", nil) })
		s.fake.die(web, 137, engine.StateExited)
		s.finish("web-1 | first", "web-1 exited 1 restarting", "web-1 started", "web-1 | before its start is told",
			"web-1 | second", "web-1 exited 137 out of memory")
	})
}

func TestStoppedWhileTheEngineWaitsToRestartIt(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "first")
		s.follow(everything())
		s.fake.die(web, 1, engine.StateRestarting)
		s.sleep(time.Minute)
		s.fake.do(func() {
			web.State = engine.StateExited
			s.fake.tell(web, "stop", nil)
		})
		s.finish("web-1 | first", "web-1 exited 1 restarting")
	})
}

func TestRestartBeforeTheStreamIsOpen(t *testing.T) {
	for _, silent := range []bool{false, true} {
		t.Run(fmt.Sprint("silent ", silent), func(t *testing.T) {
			play(t, func(s *scene) {
				web := s.fake.run("web", 1, "a")
				web.onOpen = func() {
					s.fake.die(web, 1, engine.StateRestarting)
					time.Sleep(time.Millisecond)
					if !silent {
						s.fake.write(web, "b")
					}
					s.fake.start(web)
					time.Sleep(time.Millisecond)
				}
				s.follow(everything())
				s.sleep(3 * staleAfter)
				if !slices.Contains(s.items, "web-1 exited 1 restarting") {
					s.t.Error("the end of the first run is kept back")
				}
				s.fake.die(web, 2, engine.StateExited)
				want := []string{"web-1 | a", "web-1 exited 1 restarting", "web-1 started", "web-1 | b", "web-1 exited 2"}
				if silent {
					want = slices.Delete(want, 3, 4)
				}
				s.finish(want...)
			})
		})
	}
}

func TestNewRunIsReadWholeWhateverTheTail(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1)
		s.follow(Options{Follow: true, Tail: 1})
		s.fake.die(web, 1, engine.StateRestarting)
		s.sleep(time.Second)
		s.fake.do(func() { web.run++ })
		s.fake.write(web, "a", "b", "c")
		s.fake.do(func() { web.run-- })
		s.fake.start(web)
		s.pass()
		s.fake.die(web, 0, engine.StateExited)
		s.finish("web-1 exited 1 restarting", "web-1 started", "web-1 | a", "web-1 | b", "web-1 | c", "web-1 exited 0")
	})
}

func TestRestartByHand(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "first")
		options := everything()
		options.Linger = time.Second
		s.follow(options)
		s.fake.die(web, 0, engine.StateExited)
		s.pass()
		s.sleep(time.Second / 2)
		s.fake.start(web)
		s.fake.write(web, "second")
		s.sleep(time.Minute)
		s.fake.die(web, 0, engine.StateExited)
		s.finish("web-1 | first", "web-1 exited 0", "web-1 started", "web-1 | second", "web-1 exited 0")
	})
}

// While something happens to a project in which nothing runs, somebody is about to start it again.
func TestRestartOfAllTakesLong(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "first")
		options := everything()
		options.Linger = time.Second
		s.follow(options)
		s.fake.die(web, 0, engine.StateExited)
		s.pass()
		for range 3 {
			s.sleep(time.Second * 3 / 4)
			s.fake.rename(web, "shop-web-1")
			s.pass()
		}
		s.fake.start(web)
		s.fake.write(web, "second")
		s.sleep(time.Minute)
		s.fake.die(web, 0, engine.StateExited)
		s.finish("web-1 | first", "web-1 exited 0", "web-1 started", "web-1 | second", "web-1 exited 0")
	})
}

func TestReplacement(t *testing.T) {
	play(t, func(s *scene) {
		old := s.fake.run("web", 1, "old")
		s.follow(everything())
		next := s.fake.create("web", 1)
		s.fake.rename(next, "0123456789ab_shop-web-1")
		s.pass()
		s.fake.write(old, "old ends")
		s.fake.die(old, 0, engine.StateExited)
		s.fake.rename(old, "shop-web-1-old")
		s.fake.rename(next, "shop-web-1")
		s.pass()
		s.sleep(time.Minute) // the new one is created: it will start
		s.fake.start(next)
		s.fake.write(next, "new")
		s.fake.remove(old)
		s.pass()
		s.fake.die(next, 0, engine.StateExited)
		s.finish("web-1 | old", "web-1 | old ends", "web-1 exited 0 replaced", "web-1 started", "web-1 | new", "web-1 exited 0")
	})
}

func TestScaleUp(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "one")
		s.follow(Options{Follow: true, Tail: 1})
		second := s.fake.run("web", 2, "a", "b", "c")
		s.pass()
		s.fake.die(web, 0, engine.StateExited)
		s.pass()
		s.fake.die(second, 0, engine.StateExited)
		s.finish("web-1 | one", "web-2 started", "web-2 | a", "web-2 | b", "web-2 | c", "web-1 exited 0", "web-2 exited 0")
	})
}

func TestShortLivedContainerRemovedByTheEngine(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1)
		s.follow(everything())
		job := s.fake.run("job", 1)
		s.fake.die(job, 4, engine.StateExited)
		s.fake.remove(job)
		s.pass()
		s.fake.die(web, 0, engine.StateExited)
		s.finish("job-1 started", "job-1 exited 4", "web-1 exited 0")
	})
}

func TestSlowSinkKeepsTheStory(t *testing.T) {
	play(t, func(s *scene) {
		s.slow = 3 * time.Second
		web := s.fake.run("web", 1, "0")
		s.follow(everything())
		want := []string{"web-1 | 0"}
		for run := range 5 {
			s.fake.write(web, "x", "y")
			s.sleep(time.Millisecond)
			next := engine.StateRestarting
			if run == 4 {
				next = engine.StateExited
			}
			s.fake.die(web, run, next)
			want = append(want, "web-1 | x", "web-1 | y", fmt.Sprint("web-1 exited ", run))
			s.sleep(time.Millisecond)
			if run < 4 {
				want[len(want)-1] += " restarting"
				want = append(want, "web-1 started")
				s.fake.start(web)
				s.sleep(time.Millisecond)
			}
		}
		s.finish(want...)
	})
}
