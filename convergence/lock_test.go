package convergence_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

const lockVolume = "muster-lock-p"

// inBubble runs a test whose time is its own, on an engine in memory.
func inBubble(t *testing.T, body func(s *stage)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { t.Helper(); body(newStage(t)) })
}

func lockOf(command string) convergence.LockOptions {
	return convergence.LockOptions{
		Project: "p", Writer: convergence.Writer{Command: command, User: "ann", Host: "laptop", PID: 7},
	}
}

func (s *stage) lock(options convergence.LockOptions) *convergence.Lock {
	s.t.Helper()
	lock, err := convergence.TakeLock(s.t.Context(), s.eng, options)
	if err != nil {
		s.t.Fatalf("take lock: %v", err)
	}
	return lock
}

func (s *stage) release(lock *convergence.Lock) {
	s.t.Helper()
	if err := lock.Release(s.t.Context()); err != nil {
		s.t.Errorf("release lock: %v", err)
	}
}

// refuses expects that the lock is another's, and returns the error.
func (s *stage) refuses() *convergence.LockedError {
	s.t.Helper()
	options := lockOf("down")
	options.Patience.Limited = true
	_, err := convergence.TakeLock(s.t.Context(), s.eng, options)
	var locked *convergence.LockedError
	if !errors.As(err, &locked) {
		s.t.Fatalf("take lock: error %v, want a LockedError", err)
	}
	return locked
}

// lockLabels are those of the lock on the engine; nil where there is none.
func (s *stage) lockLabels() map[string]string {
	s.t.Helper()
	volumes, err := s.eng.ListVolumes(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, volume := range volumes {
		if volume.Name == lockVolume {
			return volume.Labels
		}
	}
	return nil
}

// deadLock leaves a lock behind as one who was killed does, and returns the session that a holder would hold.
func (s *stage) deadLock(holder string) {
	s.t.Helper()
	if _, err := s.eng.CreateVolume(s.t.Context(), engine.CreateVolume{Name: lockVolume, Labels: map[string]string{
		"dev.muster.lock": "p", "dev.muster.lock.holder": holder, "dev.muster.lock.session": holder, "dev.muster.lock.command": "up",
	}}); err != nil {
		s.t.Fatal(err)
	}
}

func TestLockLabelsSayWhoHoldsIt(t *testing.T) {
	inBubble(t, func(s *stage) {
		lock := s.lock(lockOf("up"))
		labels := s.lockLabels()
		for key, want := range map[string]string{"": "p", ".command": "up", ".user": "ann", ".host": "laptop", ".pid": "7"} {
			if got := labels["dev.muster.lock"+key]; got != want {
				s.t.Errorf("label dev.muster.lock%s: %q, want %q", key, got, want)
			}
		}
		for key := range labels {
			if strings.HasPrefix(key, "com.docker.compose") {
				s.t.Errorf("the lock carries %s, and so is the project's for docker compose", key)
			}
		}
		locked := s.refuses()
		want := "project \"p\" is being changed by `up` of ann@laptop (pid 7) since " + time.Now().Format(time.TimeOnly)
		if locked.Error() != want || locked.Code() != "locked" {
			s.t.Errorf("error %q (%s), want %q", locked, locked.Code(), want)
		}
		s.release(lock)
		if left := s.lockLabels(); left != nil {
			s.t.Errorf("the lock is left: %v", left)
		}
	})
}

// What others may write into labels is shown on a line of the terminal.
func TestLockLabelsOfOthersAreTamed(t *testing.T) {
	inBubble(t, func(s *stage) {
		hostile := "\x1b]0;x\a\n" + strings.Repeat("a", 500)
		options := lockOf(hostile)
		options.Writer.User, options.Writer.Host = hostile, hostile
		lock := s.lock(options)
		defer s.release(lock)
		text := s.refuses().Error()
		if strings.ContainsAny(text, "\x1b\a\n") || len(text) > 500 {
			s.t.Errorf("error %q", text)
		}
	})
}

func TestLockGoesOnToWhoWaits(t *testing.T) {
	inBubble(t, func(s *stage) {
		lock := s.lock(lockOf("up"))
		var second *convergence.Lock
		var told []string
		var waits errgroup.Group
		waits.Go(func() (err error) {
			options := lockOf("down")
			options.Waiting = func(holder convergence.Holder) { told = append(told, holder.String()) }
			second, err = convergence.TakeLock(s.t.Context(), s.eng, options)
			return err
		})
		time.Sleep(2 * time.Minute) // of the bubble's: a holder that lives is waited for
		synctest.Wait()
		if second != nil {
			s.t.Fatal("two have the lock")
		}
		before := time.Now()
		s.release(lock)
		if err := waits.Wait(); err != nil {
			s.t.Fatal(err)
		}
		if took := time.Since(before); took > 100*time.Millisecond {
			s.t.Errorf("it took %s to notice", took)
		}
		if want := "`up` of ann@laptop (pid 7)"; len(told) != 1 || told[0] != want {
			s.t.Errorf("told %q, want %q once", told, want)
		}
		s.release(second)
	})
}

func TestLockIsOnes(t *testing.T) {
	inBubble(t, func(s *stage) {
		const contenders = 10
		var inside, most atomic.Int32
		var all errgroup.Group
		for range contenders {
			all.Go(func() error {
				lock, err := convergence.TakeLock(s.t.Context(), s.eng, lockOf("up"))
				if err != nil {
					return err
				}
				if now := inside.Add(1); now > 1 {
					most.Store(now)
				}
				time.Sleep(time.Second) // of the bubble's: work
				inside.Add(-1)
				return lock.Release(s.t.Context())
			})
		}
		if err := all.Wait(); err != nil || most.Load() > 0 {
			s.t.Errorf("error %v, %d at once", err, most.Load())
		}
	})
}

func TestLockPatienceEnds(t *testing.T) {
	inBubble(t, func(s *stage) {
		lock := s.lock(lockOf("up"))
		defer s.release(lock)
		options := lockOf("down")
		options.Patience = convergence.Patience{Limited: true, For: 30 * time.Second}
		before := time.Now()
		_, err := convergence.TakeLock(s.t.Context(), s.eng, options)
		if took := time.Since(before).Round(time.Second); took != 30*time.Second {
			s.t.Errorf("waited %s", took)
		}
		if err == nil || !strings.HasSuffix(err.Error(), "(waited 30s)") {
			s.t.Errorf("error %v", err)
		}
	})
}

func TestLockWaitIsInterrupted(t *testing.T) {
	inBubble(t, func(s *stage) {
		lock := s.lock(lockOf("up"))
		defer s.release(lock)
		errEnough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(s.t.Context())
		time.AfterFunc(time.Minute, func() { cancel(errEnough) })
		if _, err := convergence.TakeLock(ctx, s.eng, lockOf("down")); !errors.Is(err, errEnough) {
			s.t.Errorf("error %v, want the context's cause", err)
		}
	})
}

func TestLockOfADeadHolderIsTakenOver(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.deadLock("gone")
		options := lockOf("up")
		options.Patience.Limited = true // not even a moment
		s.release(s.lock(options))
	})
}

func TestLockOfAHolderThatDiesMeanwhileIsTakenOver(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.deadLock("dies")
		session, err := s.eng.HoldSession(s.t.Context(), "dies")
		if err != nil {
			s.t.Fatal(err)
		}
		time.AfterFunc(time.Minute, func() { _ = session.Close() })
		before := time.Now()
		s.release(s.lock(lockOf("up")))
		if took := time.Since(before); took < time.Minute || took > time.Minute+5*time.Second {
			s.t.Errorf("it took %s", took)
		}
	})
}

func TestLockOfADeadHolderIsTakenOverByOne(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.deadLock("gone")
		const contenders = 8
		var inside, most atomic.Int32
		var all errgroup.Group
		for range contenders {
			all.Go(func() error {
				lock, err := convergence.TakeLock(s.t.Context(), s.eng, lockOf("up"))
				if err != nil {
					return err
				}
				most.Store(max(most.Load(), inside.Add(1)))
				time.Sleep(time.Second)
				inside.Add(-1)
				return lock.Release(s.t.Context())
			})
		}
		if err := all.Wait(); err != nil || most.Load() != 1 {
			s.t.Errorf("error %v, %d at once", err, most.Load())
		}
	})
}

func TestLockIsForced(t *testing.T) {
	inBubble(t, func(s *stage) {
		hangs := s.lock(lockOf("up"))
		time.Sleep(time.Minute)
		var removed []string
		options := lockOf("down")
		options.Force, options.Removed = true, func(holder convergence.Holder) { removed = append(removed, holder.String()) }
		lock := s.lock(options)
		if want := "`up` of ann@laptop (pid 7)"; len(removed) != 1 || removed[0] != want {
			s.t.Errorf("removed %q, want %q", removed, want)
		}
		err := hangs.Release(s.t.Context())
		var lost *convergence.LostLockError
		if !errors.As(err, &lost) || !strings.Contains(err.Error(), "`down` of ann@laptop (pid 7) has it") {
			s.t.Errorf("release of the lock that was removed: %v", err)
		}
		if s.lockLabels() == nil {
			s.t.Error("whose lock was removed has removed the next one's")
		}
		s.release(lock)
	})
}

// An engine that has no sessions has locks whose holders nobody can ask after.
func TestLockWithoutSessions(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.Inject(dockertest.Fault{
			On: dockertest.On("POST /session"), Then: dockertest.Fail, Status: http.StatusNotFound, Message: "page not found",
		})
		lock := s.lock(lockOf("up"))
		before := time.Now()
		_, err := convergence.TakeLock(s.t.Context(), s.eng, lockOf("down"))
		var locked *convergence.LockedError
		if !errors.As(err, &locked) || !strings.Contains(locked.Hint(), "--force-unlock") || !strings.Contains(locked.Hint(), "cannot tell") {
			s.t.Fatalf("error %v", err)
		}
		if took := time.Since(before).Round(time.Second); took != time.Minute {
			s.t.Errorf("waited %s", took)
		}
		s.release(lock)
		options := lockOf("down")
		s.release(s.lock(options))
	})
}

func TestLockSurvivesALostConnection(t *testing.T) {
	inBubble(t, func(s *stage) {
		lock := s.lock(lockOf("up"))
		s.Refuse()
		time.Sleep(10 * time.Second) // of the bubble's: the engine restarts
		s.Accept()
		time.Sleep(time.Second)
		_ = s.refuses()
		s.release(lock)
		if left := s.lockLabels(); left != nil {
			s.t.Errorf("the lock is left: %v", left)
		}
	})
}

func TestLockWaitSurvivesALostConnection(t *testing.T) {
	inBubble(t, func(s *stage) {
		lock := s.lock(lockOf("up"))
		var waits errgroup.Group
		waits.Go(func() error {
			second, err := convergence.TakeLock(s.t.Context(), s.eng, lockOf("down"))
			if err != nil {
				return err
			}
			return second.Release(s.t.Context())
		})
		time.Sleep(5 * time.Second)
		s.Refuse()
		time.Sleep(3 * time.Second)
		s.Accept()
		time.Sleep(time.Minute)
		s.release(lock)
		if err := waits.Wait(); err != nil {
			s.t.Error(err)
		}
	})
}

func TestLockThatAnEngineDoesNotMake(t *testing.T) {
	inBubble(t, func(s *stage) {
		remove := s.Inject(dockertest.Fault{
			On: dockertest.On("POST /volumes/create"), Then: dockertest.Fail, Message: "no space left on device",
		})
		var none *convergence.NoLockError
		_, err := convergence.TakeLock(s.t.Context(), s.eng, lockOf("down"))
		if !errors.As(err, &none) || err.Error() != `lock project "p": Error response from daemon: no space left on device` {
			s.t.Errorf("error %v", err)
		}
		remove()
		if _, err := s.eng.CreateVolume(s.t.Context(), engine.CreateVolume{Name: lockVolume}); err != nil {
			s.t.Fatal(err)
		}
		if _, err := convergence.TakeLock(s.t.Context(), s.eng, lockOf("down")); !errors.As(err, &none) {
			s.t.Errorf("a volume that is no lock: error %v", err)
		}
	})
}

// A lock whose making was not told of leaves nothing.
func TestLockWhoseAnswerIsLost(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.Inject(dockertest.Fault{On: dockertest.On("POST /volumes/create"), Nth: 1, Done: true, Then: dockertest.Cut})
		if _, err := convergence.TakeLock(s.t.Context(), s.eng, lockOf("up")); !errors.Is(err, engine.ErrUnavailable) {
			s.t.Errorf("error %v", err)
		}
		if left := s.lockLabels(); left != nil {
			s.t.Errorf("the lock is left: %v", left)
		}
	})
}

func TestLockCosts(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.ResetCalls()
		s.release(s.lock(lockOf("up")))
		if calls := s.Calls(); len(calls) != 3 {
			s.t.Errorf("%d calls: %v", len(calls), s.Counts())
		}
	})
}
