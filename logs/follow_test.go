package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

func TestHistoryIsReadAndThatIsAll(t *testing.T) {
	play(t, func(s *scene) {
		for _, name := range []string{"api", "db"} {
			s.fake.die(s.fake.run(name, 1, "a", "b", "c"), 0, engine.StateExited)
		}
		s.fake.run("web", 1, "still runs")
		s.follow(Options{Tail: 2})
		err := s.end()
		slices.Sort(s.items)
		s.compare([]string{"api-1 | b", "api-1 | c", "db-1 | b", "db-1 | c", "web-1 | still runs"})
		if err != nil {
			s.t.Error(err)
		}
	})
}

func TestFollowEndsWithTheLastContainer(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "old")
		s.follow(everything())
		s.fake.write(web, "new")
		s.pass()
		s.fake.writeTo(web, engine.Stderr, "no end")
		s.fake.die(web, 3, engine.StateExited)
		s.finish("web-1 | old", "web-1 | new", "web-1 | no end", "web-1 exited 3")
	})
}

func TestNothingToFollow(t *testing.T) {
	play(t, func(s *scene) {
		s.fake.die(s.fake.run("web", 1, "old"), 0, engine.StateExited)
		s.fake.create("api", 1)
		s.follow(everything())
		s.finish("web-1 | old")
	})
}

func TestOnlyWhatIsAskedFor(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "web")
		web2 := s.fake.run("web", 2, "not this replica")
		db := s.fake.run("db", 1, "not this service")
		options := everything()
		options.Services = []string{"web"}
		options.Filter = func(c engine.Container) bool { return c.Number != 2 }
		s.follow(options)
		oneOff := s.fake.create("web", 9)
		oneOff.OneOff = true
		for _, b := range []*box{oneOff, s.fake.create("web", 2), s.fake.create("db", 2)} {
			s.fake.start(b)
			s.fake.write(b, "no")
		}
		s.pass()
		for _, b := range []*box{web2, db, web} {
			s.fake.die(b, 0, engine.StateExited)
			s.pass()
		}
		s.finish("web-1 | web", "web-1 exited 0")
	})
}

func TestOnlyNewLines(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "old", "old")
		stopped := s.fake.run("job", 1, slices.Repeat([]string{"old at the same moment"}, 40)...)
		s.fake.die(stopped, 0, engine.StateExited)
		s.follow(Options{Follow: true, Ready: func() {
			s.fake.write(web, "new")
			s.fake.write(stopped, "new before its start is told")
			s.fake.start(stopped)
		}})
		s.fake.die(stopped, 0, engine.StateExited)
		s.pass()
		s.fake.die(web, 0, engine.StateExited)
		if err := s.end(); err != nil {
			s.t.Error(err)
		}
		slices.Sort(s.items)
		s.compare([]string{"job-1 exited 0", "job-1 started", "job-1 | new before its start is told", "web-1 exited 0", "web-1 | new"})
	})
}

func TestFollowFromBeforeTheFirstStart(t *testing.T) {
	play(t, func(s *scene) {
		starting, ready := make(chan struct{}), false
		s.follow(Options{Follow: true, Starting: starting, Ready: func() { ready = true }})
		if !ready {
			s.t.Fatal("Ready was not called")
		}
		migrate := s.fake.run("migrate", 1, "done")
		s.fake.die(migrate, 0, engine.StateExited)
		s.sleep(time.Minute)
		web := s.fake.run("web", 1, "up")
		close(starting)
		s.pass()
		s.fake.die(web, 0, engine.StateExited)
		s.finish("migrate-1 started", "migrate-1 | done", "migrate-1 exited 0", "web-1 started", "web-1 | up", "web-1 exited 0")
	})
}

func TestLogThatCannotBeRead(t *testing.T) {
	unsupported := fmt.Errorf("driver none: %w", engine.ErrUnsupported)
	damaged := errors.New("damaged")
	play(t, func(s *scene) {
		mute, broken, web := s.fake.run("mute", 1), s.fake.run("broken", 1), s.fake.run("web", 1, "a")
		mute.refuses, broken.refuses = unsupported, damaged
		s.follow(everything())
		s.sleep(time.Minute)
		slices.Sort(s.items)
		s.fake.die(mute, 1, engine.StateRestarting)
		s.pass()
		s.fake.start(mute)
		s.pass()
		s.fake.die(mute, 0, engine.StateExited)
		s.pass()
		s.fake.die(broken, 0, engine.StateExited)
		s.pass()
		s.fake.die(web, 0, engine.StateExited)
		s.finish("broken-1 unreadable: damaged", "mute-1 unreadable: driver none: not supported by this engine", "web-1 | a",
			"mute-1 exited 1 restarting", "mute-1 started", "mute-1 exited 0", "broken-1 exited 0", "web-1 exited 0")
	})
}

func TestLogThatBreaksAtTheSamePlaceIsGivenUp(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1, "a", "b", "c")
		web.breakAfter, web.breakWith = slices.Repeat([]int{1}, 100), errors.New("damaged")
		s.follow(everything())
		s.sleep(time.Hour)
		s.fake.do(func() { web.breakAfter = nil })
		s.fake.die(web, 0, engine.StateExited)
		s.finish("web-1 | a", "web-1 unreadable: damaged", "web-1 exited 0")
	})
}

func TestErrorsThatEndIt(t *testing.T) {
	gone := fmt.Errorf("no answer: %w", engine.ErrUnavailable)
	tests := []struct {
		name    string
		options Options
		act     func(s *scene, web *box)
		want    error
		text    string
	}{
		{"cancelled", everything(), func(s *scene, _ *box) { s.stop() }, context.Canceled, "context canceled"},
		{"list", everything(), nil, gone, "list containers: no answer: engine unavailable"},
		{"events", everything(), func(s *scene, _ *box) {
			s.fake.do(func() { s.fake.subscribers[0].broken = gone })
		}, gone, "follow events: no answer: engine unavailable"},
		{"look", everything(), func(s *scene, web *box) {
			s.fake.listFail = errors.New("no")
			s.fake.die(web, 0, engine.StateExited)
		}, nil, "list containers: no"},
		{"history", Options{Tail: -1}, nil, engine.ErrUnavailable, `read logs of "shop-web-1": connection reset: engine unavailable`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(s *scene) {
				web := s.fake.run("web", 1)
				if test.name == "list" {
					s.fake.listFail = gone
				}
				if test.name == "history" {
					s.fake.write(web, "a")
					web.breakAfter = slices.Repeat([]int{0}, 100)
				}
				s.follow(test.options)
				defer func() { s.stop() }()
				if test.act != nil {
					test.act(s, web)
				}
				err := s.end()
				if err == nil || err.Error() != test.text || test.want != nil && !errors.Is(err, test.want) {
					s.t.Errorf("got %v, want %s", err, test.text)
				}
			})
		})
	}
}

func TestErrorOfTheSinkEndsFollow(t *testing.T) {
	play(t, func(s *scene) {
		s.fake.run("web", 1, "a", "b")
		s.fake.run("api", 1, "a", "b")
		calls := 0
		err := Follow(s.t.Context(), s.fake, everything(), func(Item) error { calls++; return errSink })
		if !errors.Is(err, errSink) || calls != 1 {
			s.t.Errorf("%d calls, %v", calls, err)
		}
	})
}

func TestTooManyStreams(t *testing.T) {
	play(t, func(s *scene) {
		s.fake.run("web", 1)
		s.fake.die(s.fake.run("web", 2), 0, engine.StateExited)
		options := everything()
		options.MaxStreams = 2
		s.follow(options)
		defer s.stop()
		s.fake.run("web", 3)
		s.pass()
		s.fake.run("web", 4)
		err := s.end()
		var limit *LimitError
		if !errors.As(err, &limit) || limit.Limit != 2 || err.Error() != "follow logs: more than 2 containers at once" {
			s.t.Errorf("got %v", err)
		}
	})
}

func TestFollowLooksRarely(t *testing.T) {
	play(t, func(s *scene) {
		var boxes []*box
		for number := range 100 {
			boxes = append(boxes, s.fake.run("web", number+1))
		}
		s.follow(everything())
		for _, b := range boxes {
			s.fake.die(b, 0, engine.StateExited)
		}
		if err := s.end(); err != nil {
			s.t.Error(err)
		}
		if len(s.items) != 100 || s.fake.lists > 10 {
			s.t.Errorf("%d items, %d looks", len(s.items), s.fake.lists)
		}
	})
}
