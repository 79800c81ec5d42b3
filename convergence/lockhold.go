package convergence

import (
	"context"
	"errors"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

const (
	// reopenPause is how often a lost session is tried to be opened again.
	reopenPause = 100 * time.Millisecond
	// abandonTime bounds what is done about a lock that was not got.
	abandonTime = 5 * time.Second
	// unseen is the time within which nobody can have found out whose a lock is and removed it by hand: what takes no longer is spared
	// the call that looks whether the lock is its own still.
	unseen = time.Second
)

// keep opens the session again whenever it is lost, until the context ends.
func (l *Lock) keep(ctx context.Context) {
	session := l.session
	for session != nil {
		select {
		case <-session.Lost():
		case <-ctx.Done():
			return
		}
		_ = session.Close()
		l.hold(nil)
		session = l.reopen(ctx)
		l.hold(session)
	}
}

func (l *Lock) hold(session engine.Session) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.session = session
	l.shaken = true
}

// reopen tries until it has a session; nil when the context has ended before.
func (l *Lock) reopen(ctx context.Context) engine.Session {
	for next := 1; ; next++ {
		ids := l.self.sessions()
		session, err := l.eng.HoldSession(ctx, ids[(l.opened+next)%len(ids)])
		if err == nil {
			l.opened += next
			return session
		}
		select {
		case <-time.After(reopenPause):
		case <-ctx.Done():
			return nil
		}
	}
}

// Release gives the lock to whoever waits for it. The error is a [*LostLockError] when it was taken away before. It must be called once;
// a nil lock has nothing to release.
func (l *Lock) Release(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.stop()
	_ = l.keeping.Wait()
	defer l.close()
	if l.shaken || time.Since(l.taken) > unseen {
		switch holder, err := l.holder(ctx); {
		case err != nil:
			return err
		case holder == nil || holder.id != l.self.id:
			return &LostLockError{Project: l.project, Holder: holder}
		}
	}
	return l.remove(ctx)
}

// abandon removes a lock that may have been got by a call whose answer was lost, and ends the session.
func (l *Lock) abandon(ctx context.Context, because error) {
	defer l.close()
	var locked *LockedError
	var none *NoLockError
	if errors.As(because, &locked) || errors.As(because, &none) {
		return // the engine has answered
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTime)
	defer cancel()
	if holder, err := l.holder(ctx); err == nil && holder != nil && holder.id == l.self.id {
		_ = l.remove(ctx) // whoever comes next finds that its holder has died
	}
}

// close ends the session: after the volume has gone, because its ID is free only some seconds later.
func (l *Lock) close() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.session != nil {
		_ = l.session.Close()
	}
}
