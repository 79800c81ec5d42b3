package engine

import (
	"context"
	"io"
)

// Execs runs commands in containers that run (Docker Engine API, /exec), and speaks with containers' own processes
// (/containers/{id}/attach).
type Execs interface {
	// Exec runs a command beside a container's own process and returns its exit code when it has ended: 126 when it cannot be
	// run and 127 when it is not there, with the engine's reason as output. output is called for every frame, in order within
	// each stream, from one goroutine at a time and not after Exec has returned; the bytes are only valid during the call, and a
	// slow one holds the command back. What the command leaves running behind, and what that writes, is waited for as long as it
	// keeps an output open. A container that ends takes the command with it: 137, or [ErrNotFound] where it is removed before
	// that is known.
	//
	// [ErrNotFound] when there is no such container, [ErrConflict] when it does not run, is paused or waits for its restart,
	// [ErrInvalid] when the container does not know the user (old engines: 126) or there is no command. When the context ends,
	// output returns an error, or the console's input fails, Exec returns that at once, and the command goes on without anybody
	// who listens: no engine can end one.
	Exec(ctx context.Context, ref string, request Exec, output func(Frame) error) (exitCode int, err error)
	// Attach connects to a container's own process, from now on until its run ends: then it returns nil, also where the engine
	// starts the container again. One that does not run yet is waited for. ready, when it is not nil, is called once the
	// connection stands: nothing that is written after that is missed. output, the console and what ends the call early are as
	// in Exec; the process goes on then.
	//
	// The end of the input ends a call, too, where the container was not created to be attached to, or has a terminal: what it reads
	// goes on for others.
	//
	// [ErrNotFound] when there is no such container, [ErrConflict] when it is paused or waits for its restart.
	Attach(ctx context.Context, ref string, console Console, ready func(), output func(Frame) error) error
}

// Exec is a command to be run in a container. What is left empty is the container's own.
type Exec struct {
	Command     []string // the program and its arguments; no shell is put around it
	User        string   // user, user:group, uid:gid
	WorkingDir  string
	Environment map[string]string // over the container's own
	Privileged  bool
	Console
	// Detach returns 0 as soon as the command was started; there is no console and no output then. A command that cannot be
	// started is an error.
	Detach bool
}

// Console is the caller's end of a process in a container.
type Console struct {
	// Input is what the process reads; nil gives it nothing. Its end is the process's end of input; any other error of it ends the
	// call with that error. It is read from a goroutine of the engine's, and closed before the call returns, whatever came of it:
	// Close must end a Read that is under way. A container only reads where it was created with an open stdin.
	Input io.ReadCloser
	// Tty says that the process has a terminal: then its streams come as one, as they are. For a container it must be what that
	// was created with.
	Tty bool
	// Size is the terminal's when the process starts, where it is known; Resize brings every later one, and an attached
	// container's first one too. An engine that cannot resize (any more) is not an error.
	Size   Size
	Resize <-chan Size
	// DetachKeys is the sequence on which the engine itself lets the caller go, "ctrl-p,ctrl-q", which is also what an empty one
	// means. Input that is to be detached from holds them back.
	DetachKeys string
}

// Size is a terminal's in characters; the zero size is not known.
type Size struct {
	Width, Height int
}
