package convergence

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

const (
	// unknownPatience is how long a holder is waited for of whom nobody can tell whether it lives.
	unknownPatience = time.Minute
	// How often a holder is asked after: no engine tells of the end of a session, and a holder that was killed removes no lock.
	askOften = time.Second
	// headStart is the time that holders have to open their sessions again after an engine was gone.
	headStart = 5 * time.Second
	// How often, and how many times, an engine is asked for events again that was gone.
	watchPause, watchAttempts = 500 * time.Millisecond, 20
)

// lockWait is a wait for a lock. The engine tells when it is removed.
type lockWait struct {
	lock    *Lock
	options LockOptions
	began   time.Time

	watching errgroup.Group
	stop     context.CancelFunc
	stood    bool // the subscription did, at some time
	attempt  int  // to come back to the engine

	mutex   sync.Mutex
	askFrom time.Time     // before that a holder is not asked after
	woken   chan struct{} // holds a token when the lock may be free
	failed  chan error
}

// run waits until the lock is got.
func (w *lockWait) run(ctx context.Context, holder Holder) error {
	next, err := w.next(ctx, holder)
	switch {
	case err != nil || next == nil:
		return err
	case w.options.Patience.Limited && w.options.Patience.For <= 0:
		return w.locked(*next)
	}
	return w.wait(ctx, *next)
}

// next is whom to wait for after another look; nil once the lock is got.
func (w *lockWait) next(ctx context.Context, holder Holder) (*Holder, error) {
	died, err := w.lock.takeOver(ctx, holder)
	if err != nil || !died {
		return &holder, err
	}
	return w.lock.try(ctx)
}

// wait begins with the subscription, so that nothing is missed; once it stands the lock is tried again.
func (w *lockWait) wait(ctx context.Context, holder Holder) error {
	w.watch(ctx)
	ask := time.NewTimer(askOften)
	defer ask.Stop()
	for told := ""; ; {
		if told != holder.id && w.options.Waiting != nil {
			w.options.Waiting(holder)
		}
		told = holder.id
		next, err := w.turn(ctx, holder, ask)
		if err != nil || next == nil {
			return err
		}
		holder = *next
	}
}

// turn waits until something happens, and looks then.
func (w *lockWait) turn(ctx context.Context, holder Holder, ask *time.Timer) (next *Holder, err error) {
	over, stop := w.over(holder)
	defer stop()
	select {
	case <-w.woken:
		next, err = w.lock.try(ctx)
	case <-ask.C:
		ask.Reset(askOften)
		if !w.mayAsk() {
			return &holder, nil
		}
		next, err = w.next(ctx, holder)
	case <-over:
		return nil, w.locked(holder)
	case err := <-w.failed:
		return nil, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if errors.Is(err, engine.ErrUnavailable) {
		return &holder, nil // the subscription tells when the engine is there again, or that it is not
	}
	return next, err
}

func (w *lockWait) mayAsk() bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return !time.Now().Before(w.askFrom)
}

func (w *lockWait) setAskFrom(from time.Time) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.askFrom = from
}

// over comes when the patience with a holder is at its end.
func (w *lockWait) over(holder Holder) (over <-chan time.Time, stop func()) {
	patience := unknownPatience
	switch {
	case w.options.Patience.Limited:
		patience = w.options.Patience.For
	case holder.known:
		return nil, func() {}
	}
	timer := time.NewTimer(patience - time.Since(w.began))
	return timer.C, func() { timer.Stop() }
}

func (w *lockWait) locked(holder Holder) error {
	return &LockedError{Project: w.lock.project, Holder: holder, Waited: time.Since(w.began)}
}

// watch follows the lock's events, through lost connections too.
func (w *lockWait) watch(ctx context.Context) {
	ctx, w.stop = context.WithCancel(ctx)
	w.woken, w.failed = make(chan struct{}, 1), make(chan error, 1)
	w.watching.Go(func() error {
		for {
			err := w.follow(ctx)
			switch {
			case ctx.Err() != nil:
				return nil
			case !errors.Is(err, engine.ErrUnavailable) || w.attempt >= watchAttempts:
				w.failed <- fmt.Errorf("wait for lock %q: %w", w.lock.volume(), err)
				return nil
			}
			w.attempt++
			w.setAskFrom(time.Now().Add(time.Hour)) // or when the engine is there again
			select {
			case <-time.After(watchPause):
			case <-ctx.Done():
			}
		}
	})
}

// follow is one connection.
func (w *lockWait) follow(ctx context.Context) error {
	return w.lock.eng.Events(ctx, engine.EventFilter{Volume: w.lock.volume()}, func() {
		if w.stood {
			w.setAskFrom(time.Now().Add(headStart))
		}
		w.attempt, w.stood = 0, true
		token(w.woken)
	}, func(event engine.Event) error {
		if event.Action == "destroy" {
			token(w.woken)
		}
		return nil
	})
}

// token leaves one, if there is none yet.
func token(in chan struct{}) {
	select {
	case in <- struct{}{}:
	default:
	}
}

// end ends the subscription.
func (w *lockWait) end() {
	if w.stop != nil {
		w.stop()
		_ = w.watching.Wait()
	}
}
