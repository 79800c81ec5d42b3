package logs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// interleaved are containers that write in turns, a millisecond apart.
func interleaved(s *scene, names []string, lines int) []*box {
	boxes := make([]*box, len(names))
	for i, name := range names {
		boxes[i] = s.fake.run(name, 1)
	}
	for line := range lines {
		for _, b := range boxes {
			s.fake.write(b, strconv.Itoa(line))
			time.Sleep(time.Millisecond)
		}
	}
	return boxes
}

func TestHistoryComesInTheOrderOfTime(t *testing.T) {
	for _, follow := range []bool{false, true} {
		t.Run(fmt.Sprint("follow ", follow), func(t *testing.T) {
			play(t, func(s *scene) {
				names := []string{"c", "a", "b"}
				boxes := interleaved(s, names, 100)
				var want []string
				for line := range 100 {
					for _, name := range names {
						want = append(want, fmt.Sprintf("%s-1 | %d", name, line))
					}
				}
				s.follow(Options{Follow: follow, Tail: -1})
				if follow {
					for _, b := range boxes {
						s.fake.die(b, 0, engine.StateExited)
						s.pass()
						want = append(want, b.Service+"-1 exited 0")
					}
				}
				s.finish(want...)
			})
		})
	}
}

func TestLinesOfOneMomentComeByName(t *testing.T) {
	play(t, func(s *scene) {
		s.fake.run("b", 1, "1", "2")
		s.fake.run("a", 2, "1", "2")
		s.fake.run("a", 1, "1", "2")
		s.follow(Options{Tail: -1})
		s.finish("a-1 | 1", "a-1 | 2", "a-2 | 1", "a-2 | 2", "b-1 | 1", "b-1 | 2")
	})
}

func TestOrderOfAContainerIsKept(t *testing.T) {
	play(t, func(s *scene) {
		web, api := s.fake.run("web", 1), s.fake.run("api", 1)
		s.fake.do(func() {
			for i, at := range []int{5, 3, 9} { // as two streams of one container have been seen to be stored
				web.log = append(web.log, entry{engine.Stdout, time.Now().Add(time.Duration(at)), fmt.Sprintln(i), 1})
			}
			api.log = append(api.log, entry{engine.Stdout, time.Now().Add(4), "4\n", 1})
		})
		s.follow(Options{Tail: -1})
		s.finish("api-1 | 4", "web-1 | 0", "web-1 | 1", "web-1 | 2")
	})
}

func TestNoMerge(t *testing.T) {
	play(t, func(s *scene) {
		boxes := interleaved(s, []string{"b", "a"}, 2)
		s.follow(Options{Follow: true, Tail: -1, NoMerge: true})
		s.fake.write(boxes[0], "2")
		s.pass()
		s.compare([]string{"b-1 | 0", "b-1 | 1", "a-1 | 0", "a-1 | 1", "b-1 | 2"}) // the fake lists by creation
		s.breakOff()
	})
}

func TestLastLines(t *testing.T) {
	tests := []struct {
		name    string
		options Options
		want    []string
	}{
		{"of all", Options{Tail: -1, TailTotal: 3}, []string{"b-1 | 8", "a-1 | 9", "b-1 | 9"}},
		{"of all, and of each container", Options{Tail: 1, TailTotal: 3}, []string{"a-1 | 9", "b-1 | 9"}},
		{"of each service", Options{Tail: -1, TailService: 2}, []string{"a-1 | 8", "b-1 | 8", "a-1 | 9", "b-1 | 9"}},
		{"more than there are", Options{Tail: 1, TailTotal: 100}, []string{"a-1 | 9", "b-1 | 9"}},
	}
	for _, test := range tests {
		for _, follow := range []bool{false, true} {
			t.Run(fmt.Sprint(test.name, " ", follow), func(t *testing.T) {
				play(t, func(s *scene) {
					boxes := interleaved(s, []string{"a", "b"}, 10)
					options := test.options
					options.Follow = follow
					s.follow(options)
					want := slices.Clone(test.want)
					if follow {
						s.compare(want)
						for _, b := range boxes {
							s.fake.write(b, "new")
							s.fake.die(b, 0, engine.StateExited)
							s.pass()
							want = append(want, b.Service+"-1 | new", b.Service+"-1 exited 0")
						}
					}
					s.finish(want...)
				})
			})
		}
	}
}

func TestFollowedLinesAreHeldBackForAMoment(t *testing.T) {
	play(t, func(s *scene) {
		web, api := s.fake.run("web", 1), s.fake.run("api", 1)
		s.follow(everything())
		s.sleep(time.Second)
		s.fake.write(web, "second")
		s.fake.do(func() {
			api.log = append(api.log, entry{engine.Stdout, time.Now().Add(-20 * time.Millisecond), "first, and late\n", 1})
		})
		s.sleep(holdBack - time.Millisecond)
		s.compare([]string{"api-1 | first, and late"})
		s.sleep(2 * time.Millisecond)
		s.compare([]string{"api-1 | first, and late", "web-1 | second"})
		if holdBack >= 100*time.Millisecond {
			t.Error("lines are held back for too long")
		}
		s.breakOff()
	})
}

func TestOneContainerIsNotHeldBack(t *testing.T) {
	play(t, func(s *scene) {
		web := s.fake.run("web", 1)
		s.fake.die(s.fake.run("job", 1), 0, engine.StateExited)
		s.follow(everything())
		s.fake.write(web, "at once")
		synctestWait(s)
		s.compare([]string{"web-1 | at once"})
		s.breakOff()
	})
}

func TestWhatIsWrittenAroundTheSeamComesOnceAndInOrder(t *testing.T) {
	play(t, func(s *scene) {
		boxes := interleaved(s, []string{"a", "b", "c"}, 50)
		var want []string
		for line := range 60 {
			for _, name := range []string{"a", "b", "c"} {
				want = append(want, fmt.Sprintf("%s-1 | %d", name, line))
			}
		}
		next := make([]int, 3)
		write := func(i int) func() {
			return func() { // while the history is being opened, and while what follows is
				s.fake.write(boxes[i], strconv.Itoa(50+next[i]))
				next[i]++
			}
		}
		for i, b := range boxes {
			b.onOpen = write(i)
		}
		s.follow(everything())
		for i, b := range boxes {
			for next[i] < 10 {
				write(i)()
			}
			_ = b
		}
		s.sleep(time.Second)
		slices.Sort(want)
		got := slices.Clone(s.items)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("got %d items, want %d: %q", len(got), len(want), got)
		}
		s.breakOff()
	})
}

func TestReplacementDoesNotMixThoughTheOldOneIsSlow(t *testing.T) {
	play(t, func(s *scene) {
		s.slow = 20 * time.Millisecond
		old := s.fake.run("web", 1)
		s.follow(everything())
		want := []string{}
		for i := range 40 {
			s.fake.write(old, fmt.Sprint("old ", i))
			want = append(want, fmt.Sprint("web-1 | old ", i))
		}
		next := s.fake.create("web", 1)
		old.hangs = true
		s.fake.die(old, 143, engine.StateExited)
		s.fake.remove(old)
		s.fake.start(next)
		s.fake.write(next, "new")
		s.sleep(time.Minute)
		s.fake.die(next, 0, engine.StateExited)
		s.finish(append(want, "web-1 exited 143 replaced", "web-1 started", "web-1 | new", "web-1 exited 0")...)
	})
}

func TestEvents(t *testing.T) {
	play(t, func(s *scene) {
		web, api := s.fake.run("web", 1, "a"), s.fake.run("api", 1)
		health := func(h engine.Health) {
			s.fake.do(func() { s.fake.tell(web, "health_status", func(e *engine.Event) { e.Health = h }) })
		}
		options := everything()
		options.Events = true
		s.follow(options)
		s.sleep(time.Second)
		s.fake.write(api, "before")
		s.sleep(time.Millisecond)
		health(engine.HealthHealthy)
		s.sleep(time.Millisecond)
		s.fake.write(api, "after")
		s.sleep(time.Second)
		s.fake.do(func() { s.fake.tell(web, "oom", nil) })
		s.sleep(time.Millisecond)
		s.fake.die(web, 137, engine.StateExited)
		s.pass()
		s.fake.die(api, 0, engine.StateExited)
		s.finish("web-1 started", "api-1 started", "web-1 | a", "api-1 | before", "web-1 healthy", "api-1 | after", "web-1 killed a process",
			"web-1 exited 137 out of memory", "api-1 exited 0")
	})
}

// deep is an engine whose logs are long, so that they are read in many parts; it counts how many are open.
type deep struct {
	endless
	open, most atomic.Int32
}

func (d *deep) Logs(ctx context.Context, ref string, options engine.LogOptions, yield func(engine.Frame) error) error {
	if now := d.open.Add(1); now > d.most.Load() {
		d.most.Store(now)
	}
	defer d.open.Add(-1)
	number, _ := strconv.Atoi(ref[strings.LastIndex(ref, "-")+1:])
	for line := range d.lines {
		at := line*d.containers + number
		if !options.Since.IsZero() && epoch().Add(time.Duration(at)).Before(options.Since) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(engine.Frame{Stream: engine.Stdout, Data: out(at, fmt.Sprintln(number, line)).bytes(), More: line+1 < d.lines}); err != nil {
			return err
		}
	}
	return nil
}

func TestMoreLogsThanMayBeOpenTakeTurns(t *testing.T) {
	t.Parallel()
	const containers, lines, atOnce = 20, 2500, 3
	d := &deep{endless: endless{containers: containers, lines: lines}}
	at := 0
	err := Follow(t.Context(), d, Options{Project: "shop", Tail: -1, MaxStreams: atOnce}, func(item Item) error {
		if want := fmt.Sprint(at%containers+1, " ", at/containers); string(item.Text) != want && at >= 0 {
			t.Errorf("item %d is %q, want %q", at, item.Text, want)
			at = -containers * lines
		}
		at++
		return nil
	})
	if err != nil || at != containers*lines {
		t.Errorf("%d lines, %v", at, err)
	}
	if most := d.most.Load(); most > atOnce {
		t.Errorf("%d logs were open at once", most)
	}
}

// However many containers are read at once, what all of them hold is bounded.
func TestShare(t *testing.T) {
	t.Parallel()
	const mostLanes = textAtOnce / leastBatch / leastAhead // of which each holds as little as it can
	for lanes := 1; lanes <= mostLanes; lanes++ {
		size, ahead, line := share(lanes)
		if held := lanes * size * ahead; held > textAtOnce {
			t.Errorf("%d containers hold %d bytes", lanes, held)
		}
		if size < leastBatch || ahead < leastAhead || line < leastLimit {
			t.Errorf("of %d containers each holds %d batches of %d bytes and lines of %d", lanes, ahead, size, line)
		}
	}
	if _, ahead, _ := share(8); ahead != aheadHistory {
		t.Errorf("few containers are read %d batches ahead", ahead)
	}
}
