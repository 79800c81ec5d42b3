package convergence

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// Patience says how long to wait for a lock.
type Patience struct {
	// Limited says that For counts; else the wait lasts as long as the holder lives, and where the engine cannot tell whether it
	// does, a minute.
	Limited bool
	For     time.Duration // 0 does not wait
}

// LockOptions say whose lock is to be taken, and how.
type LockOptions struct {
	Project  string
	Writer   Writer
	Patience Patience
	// Force removes the lock of another holder first, whether it lives or not.
	Force bool
	// Waiting is told once of each holder that is waited for; Removed of the one whose lock Force has removed. nil tells nobody.
	Waiting, Removed func(Holder)
}

// Lock makes its holder the only writer of a project, on any host that shares the engine. It is a volume of the engine: creating
// one that is there gives the first creator's labels, so that who finds its own in the answer has the lock. That the holder lives is
// told by a session that it holds meanwhile; a lock whose holder has died goes to the next one that asks.
type Lock struct {
	eng     engine.Engine
	project string
	self    Holder
	taken   time.Time // by the clock that stands still for nothing: when the lock was got

	keeping errgroup.Group
	stop    context.CancelFunc
	opened  int // which of the holder's sessions it has

	mutex   sync.Mutex
	session engine.Session // nil where the engine has none, or while it is lost
	shaken  bool           // the session was lost at some time
}

// TakeLock takes a project's lock, and waits for it where another holds it. [Lock.Release] must be called. The error is a [*LockedError] when
// the patience is over, and a [*NoLockError] where the engine makes none.
func TakeLock(ctx context.Context, eng engine.Engine, options LockOptions) (*Lock, error) {
	l := &Lock{eng: eng, project: options.Project, self: Holder{
		Writer: options.Writer, Since: time.Now(), id: lockPrefix + rand.Text(),
	}}
	if options.Force {
		if err := l.force(ctx, options.Removed); err != nil {
			return nil, err
		}
	}
	if err := l.open(ctx); err != nil {
		return nil, err
	}
	if err := l.get(ctx, options); err != nil {
		l.abandon(ctx, err)
		return nil, err
	}
	l.taken = time.Now()
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.keeping.Go(func() error { l.keep(keeping); return nil })
	return l, nil
}

// open begins the session. An engine that gives none has locks all the same, whose holders nobody can ask after.
func (l *Lock) open(ctx context.Context) error {
	session, err := l.eng.HoldSession(ctx, l.self.sessions()[0])
	switch {
	case err == nil:
		l.session, l.self.known = session, true
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, engine.ErrUnavailable):
		return fmt.Errorf("open session: %w", err)
	}
	return nil
}

// get makes the volume, or waits until it can.
func (l *Lock) get(ctx context.Context, options LockOptions) error {
	holder, err := l.try(ctx)
	if err != nil || holder == nil {
		return err
	}
	w := &lockWait{lock: l, options: options, began: time.Now()}
	defer w.end()
	return w.run(ctx, *holder)
}

func (l *Lock) volume() string { return lockPrefix + l.project }

// try makes the volume; where it is another's the answer is whose.
func (l *Lock) try(ctx context.Context) (*Holder, error) {
	made, err := l.eng.CreateVolume(ctx, engine.CreateVolume{Name: l.volume(), Labels: l.self.labels(l.project)})
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, engine.ErrUnavailable):
		return nil, fmt.Errorf("create lock %q: %w", l.volume(), err)
	default:
		return nil, &NoLockError{Project: l.project, Err: err}
	}
	if made.Labels[project.LabelLock] != l.project {
		return nil, &NoLockError{Project: l.project, Err: fmt.Errorf("volume %q is something else", l.volume())}
	}
	if holder := readHolder(made); holder.id != l.self.id {
		return &holder, nil
	}
	return nil, nil
}

// holder is who holds the lock now; nil where nobody does.
func (l *Lock) holder(ctx context.Context) (*Holder, error) {
	volumes, err := l.eng.ListVolumes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	for _, volume := range volumes {
		if volume.Name == l.volume() && volume.Labels[project.LabelLock] == l.project {
			holder := readHolder(volume)
			return &holder, nil
		}
	}
	return nil, nil
}

func (l *Lock) remove(ctx context.Context) error {
	err := l.eng.RemoveVolume(ctx, l.volume())
	if err == nil || errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return fmt.Errorf("remove lock %q: %w", l.volume(), err)
}

// force removes another's lock.
func (l *Lock) force(ctx context.Context, removed func(Holder)) error {
	holder, err := l.holder(ctx)
	if err != nil || holder == nil {
		return err
	}
	if err := l.remove(ctx); err != nil {
		return err
	}
	if removed != nil {
		removed(*holder)
	}
	return nil
}

// takeOver removes the lock of a holder that has died, and says whether it had. Who holds the session of the dead one is alone in
// that: what it reads then cannot be taken over by another meanwhile.
func (l *Lock) takeOver(ctx context.Context, dead Holder) (bool, error) {
	if !dead.known {
		return false, nil
	}
	for _, id := range dead.sessions() {
		session, err := l.eng.HoldSession(ctx, id)
		if err != nil {
			return false, context.Cause(ctx) // it lives, or nobody can tell
		}
		defer session.Close() //nolint:errcheck // it is nobody's any more
	}
	now, err := l.holder(ctx)
	if err != nil || now == nil || now.id != dead.id {
		return err == nil, err
	}
	return true, l.remove(ctx)
}
