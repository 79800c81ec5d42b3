package enginetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

func sessionCases() []testCase {
	return []testCase{
		{"a session is held until it is closed", sessionIsHeld},
		{"of many that ask at once one gets it", sessionIsOnes},
		{"a session outlives the call that opened it", sessionOutlivesCall},
	}
}

// hold opens a session that ends with the test.
func (f *fixture) hold(id string) engine.Session {
	f.Helper()
	held, err := f.HoldSession(f.ctx, id)
	f.must(err, "hold session "+id)
	f.Cleanup(func() { _ = held.Close() })
	return held
}

func sessionIsHeld(f *fixture) {
	held := f.hold(f.own("a"))
	_, err := f.HoldSession(f.ctx, f.own("a"))
	f.wants(err, engine.ErrConflict, "hold a session of the same ID")
	f.must(f.hold(f.own("b")).Close(), "close one of another ID")
	equal(f, "lost", isClosed(held.Lost()), false)
	f.must(held.Close(), "close")
	equal(f, "lost after its end", isClosed(held.Lost()), true)
	f.must(held.Close(), "close again")
	f.free(f.own("a"))
}

// free waits until an ID is free. No engine tells of the end of a session.
func (f *fixture) free(id string) {
	f.Helper()
	const often = 100 * time.Millisecond
	for {
		held, err := f.HoldSession(f.ctx, id)
		if !errors.Is(err, engine.ErrConflict) {
			f.must(err, "hold session "+id+" once it is free")
			f.must(held.Close(), "close")
			return
		}
		select {
		case <-time.After(often):
		case <-f.ctx.Done():
			f.Fatalf("session %s is held still: %v", id, err)
		}
	}
}

func sessionIsOnes(f *fixture) {
	const contenders = 8
	var (
		mutex sync.Mutex
		won   []engine.Session
		group errgroup.Group
	)
	for range contenders {
		group.Go(func() error {
			held, err := f.HoldSession(f.ctx, f.own("a"))
			if errors.Is(err, engine.ErrConflict) {
				return nil
			}
			mutex.Lock()
			defer mutex.Unlock()
			won = append(won, held)
			return err
		})
	}
	f.must(group.Wait(), "hold session")
	equal(f, "winners", len(won), 1)
	for _, held := range won {
		f.must(held.Close(), "close")
	}
}

func sessionOutlivesCall(f *fixture) {
	ctx, cancel := context.WithCancel(f.ctx)
	held, err := f.HoldSession(ctx, f.own("a"))
	f.must(err, "hold session")
	cancel()
	_, err = f.HoldSession(f.ctx, f.own("a"))
	f.wants(err, engine.ErrConflict, "hold it again after the first call's end")
	equal(f, "lost", isClosed(held.Lost()), false)
	f.must(held.Close(), "close")
	_, err = f.HoldSession(ctx, f.own("b"))
	if err == nil {
		f.Error("a session was opened for a caller who had gone away")
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
