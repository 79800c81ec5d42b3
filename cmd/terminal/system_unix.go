//go:build !windows

package terminal

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/muesli/cancelreader"

	"github.com/muster-dev/muster/convergence/engine"
)

// newFileInput reads from a file. One that cannot be waited for, a regular file or /dev/null, never keeps a Read waiting.
func newFileInput(file *os.File) io.ReadCloser {
	reader, err := cancelreader.NewReader(file)
	if err != nil {
		return io.NopCloser(file)
	}
	return &fileInput{reader: reader}
}

// fatalSignals are those that end a program and come to nobody else here: a terminal that hangs up, and ctrl-\ from outside.
func fatalSignals() []os.Signal { return []os.Signal{syscall.SIGHUP, syscall.SIGQUIT} }

// followSize tells of the size that the terminal has, now and whenever it changes.
func followSize(ctx context.Context, file *os.File, sizes chan<- engine.Size) {
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, syscall.SIGWINCH)
	defer signal.Stop(changes)
	for {
		if size, known := sizeOf(file); known {
			select {
			case sizes <- size:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-changes:
		case <-ctx.Done():
			return
		}
	}
}
