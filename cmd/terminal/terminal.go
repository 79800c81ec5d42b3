// Package terminal lends the caller's terminal, or what the caller pipes in, to a process in a container, and takes it back
// whatever happens: raw mode ends with the process, with an error, a signal and a panic.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/moby/term"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// DefaultDetachKeys are typed to leave a process alone where nothing else is asked for.
const DefaultDetachKeys = "ctrl-p,ctrl-q"

// ErrDetached says that the user has typed the detach keys.
var ErrDetached = errors.New("read escape sequence")

// ErrNoTerminal says that a process is to have the caller's terminal and there is none; the text is docker compose's.
var ErrNoTerminal = errors.New("the input device is not a TTY")

// Loan is what a process gets of the caller's.
type Loan struct {
	In  io.Reader // nil gives it nothing to read
	Out io.Writer
	// Tty says that the process has a terminal: then the caller's, where In is one, is raw meanwhile, its size goes along, and the
	// detach keys are looked for.
	Tty bool
	// KeepOpen keeps the end of In from the process, which is somebody else's, too: it just gets no more.
	KeepOpen bool
	// DetachKeys are a sequence as in "ctrl-p,ctrl-q"; empty means the default.
	DetachKeys string
}

// Lend calls do with the console for the process and gives everything back when do has returned. While the terminal is raw the
// signals that would end this program and leave it so end do's context instead. An end by the detach keys is [ErrDetached].
func (l Loan) Lend(ctx context.Context, do func(ctx context.Context, console engine.Console) error) (err error) {
	console := engine.Console{Tty: l.Tty}
	var keys []byte
	if l.Tty {
		if l.DetachKeys == "" {
			l.DetachKeys = DefaultDetachKeys
		}
		if keys, err = term.ToBytes(l.DetachKeys); err != nil {
			return fmt.Errorf("invalid detach keys (%s) provided: %w", l.DetachKeys, err)
		}
		console.DetachKeys = l.DetachKeys
	}
	in, isTerminal := terminalOf(l.In)
	if !l.Tty || !isTerminal {
		console.Input = l.input()
		defer giveBack(console.Input)
		if l.Tty {
			console.Size, _ = sizeOf(l.Out)
		}
		return do(ctx, console)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, fatalSignals()...)
	defer signal.Stop(signals)
	restore, err := makeRaw(in, l.Out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, restore()) }() // also while a panic goes by
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	console.Input = detachable(l.input(), keys)
	defer giveBack(console.Input)
	console.Size, _ = sizeOf(in)
	sizes := make(chan engine.Size)
	console.Resize = sizes
	var watching errgroup.Group
	watching.Go(func() error { followSize(ctx, in, sizes); return nil })
	watching.Go(func() error { endOnSignal(ctx, signals, cancel); return nil })
	defer func() { cancel(nil); _ = watching.Wait() }()
	err = do(ctx, console)
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}

func (l Loan) input() io.ReadCloser {
	input := newInput(l.In)
	if l.KeepOpen && input != nil {
		return &endless{ReadCloser: input, closed: make(chan struct{})}
	}
	return input
}

// giveBack closes an input that may have been closed.
func giveBack(input io.ReadCloser) {
	if input != nil {
		_ = input.Close() // it was only read
	}
}

// terminalOf is the file of a terminal.
func terminalOf(stream any) (*os.File, bool) {
	file, ok := stream.(*os.File)
	return file, ok && term.IsTerminal(file.Fd())
}

func sizeOf(stream any) (engine.Size, bool) {
	file, ok := terminalOf(stream)
	if !ok {
		return engine.Size{}, false
	}
	size, err := term.GetWinsize(file.Fd())
	if err != nil {
		return engine.Size{}, false
	}
	return engine.Size{Width: int(size.Width), Height: int(size.Height)}, true
}

// makeRaw has what is typed come as it is, and what is written shown as it is. restore may be called once.
func makeRaw(in *os.File, out io.Writer) (restore func() error, err error) {
	before, err := term.SetRawTerminal(in.Fd())
	if err != nil {
		return nil, fmt.Errorf("make the terminal raw: %w", err)
	}
	restoreIn := func() error {
		if err := term.RestoreTerminal(in.Fd(), before); err != nil {
			return fmt.Errorf("restore the terminal (`reset` does it by hand): %w", err)
		}
		return nil
	}
	screen, isTerminal := terminalOf(out)
	if !isTerminal {
		return restoreIn, nil
	}
	shown, err := term.SetRawTerminalOutput(screen.Fd()) // does something on Windows only
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the terminal raw: %w", err), restoreIn())
	}
	if shown == nil {
		return restoreIn, nil
	}
	return func() error { return errors.Join(term.RestoreTerminal(screen.Fd(), shown), restoreIn()) }, nil
}

// errEnded is the cause of a context that a signal has ended, which is a cancellation.
var errEnded = fmt.Errorf("ended by a signal: %w", context.Canceled)

// endOnSignal ends the context with the first of the signals.
func endOnSignal(ctx context.Context, signals <-chan os.Signal, cancel context.CancelCauseFunc) {
	select {
	case <-signals:
		cancel(errEnded)
	case <-ctx.Done():
	}
}
