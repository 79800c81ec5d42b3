package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// scene is a call of Follow under way in a bubble of testing/synctest.
type scene struct {
	t     *testing.T
	fake  *fake
	from  Engine // what is followed: the fake, or something around it
	items []string
	mutex sync.Mutex // of items, for tests that look at them while they come
	stop  context.CancelFunc
	ended chan error
	slow  time.Duration // what the sink takes for an item
}

func play(t *testing.T, act func(s *scene)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		act(&scene{t: t, fake: f, from: f})
	})
}

func show(item Item) string {
	name := item.Source.Name()
	switch item.Kind {
	case KindLine:
		return name + " | " + string(item.Text)
	case KindStarted:
		return name + " started"
	case KindUnreadable:
		return fmt.Sprintf("%s unreadable: %v", name, item.Err)
	}
	text := fmt.Sprintf("%s exited %d", name, item.ExitCode)
	switch item.Kind {
	case KindHealth:
		return name + " " + string(item.Health)
	case KindOutOfMemory:
		return name + " killed a process"
	case KindLine, KindStarted, KindExited, KindUnreadable:
	}
	if item.Restarting {
		text += " restarting"
	}
	if item.OutOfMemory {
		text += " out of memory"
	}
	if item.Replaced {
		text += " replaced"
	}
	return text
}

// follow begins to follow and returns when that is under way.
func (s *scene) follow(options Options) {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	s.stop, s.ended = stop, make(chan error, 1)
	options.Project = "shop"
	busy := false
	go func() {
		s.ended <- Follow(ctx, s.from, options, func(item Item) error {
			if busy {
				s.t.Error("the sink is called by two at once")
			}
			busy = true
			defer func() { busy = false }()
			time.Sleep(s.slow)
			s.mutex.Lock()
			defer s.mutex.Unlock()
			s.items = append(s.items, show(item))
			return nil
		})
	}()
	s.pass()
}

// pass lets a moment pass in which all that can happen happens.
func (s *scene) pass() {
	synctest.Wait()
	s.sleep(time.Millisecond)
}

// sleep lets time pass, and at its end all happen that happens then.
func (s *scene) sleep(length time.Duration) {
	time.Sleep(length)
	synctest.Wait()
}

// finish waits for the end, by itself, and compares.
func (s *scene) finish(want ...string) {
	s.t.Helper()
	defer s.stop()
	if err := s.end(); err != nil {
		s.t.Errorf("ended with %v", err)
	}
	s.compare(want)
}

func (s *scene) end() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(time.Hour):
		s.stop()
		s.t.Errorf("it does not end by itself (%v)", <-s.ended)
		return nil
	}
}

func (s *scene) compare(want []string) {
	s.t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !slices.Equal(s.items, want) {
		s.t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(s.items, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func everything() Options { return Options{Follow: true, Tail: -1} }

// synctestWait lets all happen that can happen without time passing.
func synctestWait(s *scene) {
	s.t.Helper()
	synctest.Wait()
}

// breakOff ends what is under way from outside.
func (s *scene) breakOff() {
	s.t.Helper()
	s.stop()
	if err := <-s.ended; !errors.Is(err, context.Canceled) {
		s.t.Errorf("ended with %v", err)
	}
}
