package engine

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"
)

// Retry returns an engine that makes calls again which may succeed the next time: those that got no answer because the connection was
// lost or the engine restarts, for half a minute, and those of which the engine says that something went wrong in it, a few times. What
// the engine refuses for a reason is refused. A call that changes something is only made again after a look at whether it was done, so
// that nothing is done twice; commands in containers, builds, and what a caller reads or writes as a stream are not made again. waiting,
// when it is not nil, is told once when the engine is waited for; it may be called from any goroutine.
func Retry(next Engine, waiting func(err error)) Engine {
	return &retrying{Engine: next, waiting: waiting}
}

// How long, and how often, calls are made again.
const (
	retryTime     = 30 * time.Second // an engine that restarts takes seconds, with many containers more
	retryFirst    = 100 * time.Millisecond
	retryMost     = 2 * time.Second
	retriesToRead = 2 // after an answer that something went wrong
	retriesToDo   = 1
)

type retrying struct {
	Engine
	waiting func(err error)
	told    atomic.Bool
	lost    atomic.Bool // the engine was waited for in vain: nobody else has to wait as long
}

// call is a call that can be made again.
type call struct {
	do func(ctx context.Context) error
	// done looks whether a call of which nobody knows was done. It is nil for calls that change nothing and for those of which twice is
	// as good as once.
	done func(ctx context.Context) (bool, error)
	// goneIsDone says that "not found" is what was asked for, where the call may have been done before.
	goneIsDone bool
	retries    int // after an answer that something went wrong
}

// make makes a call, again if need be.
func (r *retrying) make(ctx context.Context, c call) error {
	err := c.do(ctx)
	since, failures := time.Now(), 0
	for attempt := 0; isPassing(err); attempt++ {
		if errors.Is(err, ErrFailing) {
			failures++
		}
		if failures > c.retries || r.lost.Load() && errors.Is(err, ErrUnavailable) {
			return err
		}
		if time.Since(since) >= retryTime {
			r.lost.Store(errors.Is(err, ErrUnavailable))
			return err
		}
		r.tell(err)
		if waitErr := pause(ctx, attempt); waitErr != nil {
			return waitErr
		}
		var done bool
		if done, err = c.again(ctx); done {
			break
		}
	}
	if err == nil {
		r.lost.Store(false)
	}
	return err
}

// again is what follows a call of which nobody knows whether it was done.
func (c call) again(ctx context.Context) (done bool, err error) {
	if c.done != nil {
		if done, err = c.done(ctx); done || err != nil {
			return done, err
		}
	}
	err = c.do(ctx)
	if c.goneIsDone && errors.Is(err, ErrNotFound) {
		return true, nil
	}
	return false, err
}

func (r *retrying) tell(err error) {
	if r.waiting != nil && errors.Is(err, ErrUnavailable) && r.told.CompareAndSwap(false, true) {
		r.waiting(err)
	}
}

// pause lets some time pass, more with each attempt.
func pause(ctx context.Context, attempt int) error {
	const doublings = 10 // more than it takes
	timer := time.NewTimer(min(retryFirst<<min(attempt, doublings), retryMost))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// isPassing says whether a call may succeed the next time.
func isPassing(err error) bool {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.Is(err, ErrUnavailable):
		return true
	}
	return errors.Is(err, ErrFailing) && !isLasting(err)
}

// isLasting says whether the engine's words tell of a cause that does not go away by itself, though its answer is the one for errors of
// its own.
func isLasting(err error) bool {
	for _, words := range []string{
		"no space left", "disk quota exceeded", "read-only file system", "already allocated", "already in use", "address pools",
		"permission denied", "no such file", "not found", "not a directory", "exec format error", "runtime create failed", "runc", "cannot allocate memory",
	} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}
