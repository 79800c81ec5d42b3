package convergence

import (
	"fmt"
	"time"
)

// LockedError says that another changes the project.
type LockedError struct {
	Project string
	Holder  Holder
	Waited  time.Duration
}

func (e *LockedError) Error() string {
	text := fmt.Sprintf("project %q is being changed by %s since %s", e.Project, e.Holder, e.Holder.SinceText())
	if e.Waited >= time.Second {
		text += fmt.Sprintf(" (waited %s)", e.Waited.Round(time.Second))
	}
	return text
}

// Hint says what to try.
func (e *LockedError) Hint() string {
	if !e.Holder.known {
		return "this engine cannot tell whether that command still runs: if it does not, --force-unlock removes its lock"
	}
	return "wait longer with --lock-timeout; --force-unlock removes the lock of a command that hangs"
}

// Code is the error's name for machines.
func (*LockedError) Code() string { return "locked" }

// NoLockError says that an engine makes no lock.
type NoLockError struct {
	Project string
	Err     error
}

func (e *NoLockError) Error() string { return fmt.Sprintf("lock project %q: %s", e.Project, e.Err) }

func (e *NoLockError) Unwrap() error { return e.Err }

// LostLockError says that a lock was taken away from its holder.
type LostLockError struct {
	Project string
	Holder  *Holder // who has it now; nil where nobody has
}

func (e *LostLockError) Error() string {
	text := fmt.Sprintf("the lock of project %q was taken away meanwhile", e.Project)
	if e.Holder != nil {
		text += ", and " + e.Holder.String() + " has it"
	}
	return text + ": something else may have changed the project at the same time"
}
