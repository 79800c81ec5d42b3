package engine

import "context"

// Execs runs commands in containers that run (Docker Engine API, /exec).
type Execs interface {
	// Exec runs a command beside a container's own process and returns its exit code when it has ended: 126 when it cannot be
	// run and 127 when it is not there, with the engine's reason as output. output is called for every frame, in order within
	// each stream, from one goroutine at a time and not after Exec has returned; the bytes are only valid during the call, and a
	// slow one holds the command back. What the command leaves running behind, and what that writes, is waited for as long as it
	// keeps an output open. A container that ends takes the command with it: 137, or [ErrNotFound] where it is removed before
	// that is known.
	//
	// [ErrNotFound] when there is no such container, [ErrConflict] when it does not run, is paused or waits for its restart,
	// [ErrInvalid] when the container does not know the user (old engines: 126) or there is no command. When the context ends, or
	// output returns an error, Exec returns that at once, and the command goes on without anybody who listens: no engine can end
	// one.
	Exec(ctx context.Context, ref string, request Exec, output func(Frame) error) (exitCode int, err error)
}

// Exec is a command to be run in a container. What is left empty is the container's own.
type Exec struct {
	Command     []string // the program and its arguments; no shell is put around it
	User        string   // user, user:group, uid:gid
	WorkingDir  string
	Environment map[string]string // over the container's own
	Privileged  bool
}
