package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// errInterrupted is the cause of a context that the user's interrupt ended. It is a cancellation: calls that it ends return the
// cause, and nobody below may take that for an error of the engine's.
var errInterrupted = fmt.Errorf("interrupted: %w", context.Canceled)

// interrupts count the user's interrupts: the first one ends the command's context, so that it finishes or undoes what it has in
// hand; further ones are told on more, for a command that can hurry.
type interrupts struct {
	ctx    context.Context //nolint:containedctx // it is what the interrupts end
	cancel context.CancelCauseFunc
	more   chan struct{} // a token for each interrupt after the first
	end    chan struct{}
	group  errgroup.Group

	hungUp     chan struct{}
	connection io.Closer // that tells of it; nil without one

	mutex   sync.Mutex
	relayed chan<- os.Signal // where they go while somebody else deals with them; nil while nobody does
}

func newInterrupts(ctx context.Context, signals <-chan os.Signal) *interrupts {
	const patience = 2
	i := &interrupts{more: make(chan struct{}, patience), end: make(chan struct{}), hungUp: make(chan struct{})}
	i.ctx, i.cancel = context.WithCancelCause(ctx)
	i.group.Go(func() error {
		for {
			select {
			case <-i.end:
				return nil
			case signal := <-signals:
				i.heed(signal)
			case <-i.hungUp:
				i.heed(syscall.SIGTERM)
			}
		}
	})
	return i
}

func (i *interrupts) heed(signal os.Signal) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	switch {
	case i.relayed != nil:
		select {
		case i.relayed <- signal:
		default: // as lost as a signal that is pending already
		}
	case i.ctx.Err() == nil:
		i.cancel(errInterrupted)
	default:
		select {
		case i.more <- struct{}{}:
		default: // nobody hurries any more than this
		}
	}
}

// relay gives the interrupts to the caller from now on, until stop: they end nothing meanwhile.
func (i *interrupts) relay() (signals <-chan os.Signal, stop func()) {
	const pending = 8
	relayed := make(chan os.Signal, pending)
	set := func(to chan<- os.Signal) {
		i.mutex.Lock()
		defer i.mutex.Unlock()
		i.relayed = to
	}
	set(relayed)
	return relayed, func() { set(nil) }
}

func (i *interrupts) stop() {
	close(i.end)
	if i.connection != nil {
		_ = i.connection.Close()
	}
	_ = i.group.Wait()
	i.cancel(nil)
}

// fresh is a context for work that ends a command: it outlives interrupts that came before it and ends with the next one.
func (i *interrupts) fresh() (context.Context, context.CancelFunc) {
	if i.ctx.Err() == nil {
		return context.WithCancel(i.ctx)
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(i.ctx))
	stop := make(chan struct{})
	i.group.Go(func() error {
		select {
		case <-i.more:
			cancel(errInterrupted)
		case <-stop:
		case <-i.end:
		}
		return nil
	})
	return ctx, func() { close(stop); cancel(nil) }
}
