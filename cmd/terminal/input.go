package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/moby/term"
	"github.com/muesli/cancelreader"
)

// Interruptible is an input that ends with the context, also for a Read that waits for more. What was not read by then, or by the call of
// release, stays in it; release is called once nobody reads any more.
func Interruptible(ctx context.Context, from io.Reader) (input io.Reader, release func()) {
	reader := newInput(from)
	if reader == nil {
		return nil, func() {}
	}
	stop := context.AfterFunc(ctx, func() { _ = reader.Close() })
	return reader, func() {
		if _, isFile := from.(*os.File); stop() && isFile {
			_ = reader.Close()
		}
	}
}

// newInput is a reader whose Close ends a Read under way and takes nothing that was not read; nil for nil.
func newInput(from io.Reader) io.ReadCloser {
	switch from := from.(type) {
	case nil:
		return nil
	case *os.File:
		return newFileInput(from)
	case io.ReadCloser:
		return from
	}
	return io.NopCloser(from)
}

// fileInput reads from a file that stays open. Its end is the end of the process's input, not of this program's.
type fileInput struct {
	reader  cancelreader.CancelReader
	reading sync.Mutex
	closing sync.Once
}

// Read implements io.Reader.
func (i *fileInput) Read(into []byte) (int, error) {
	i.reading.Lock()
	defer i.reading.Unlock()
	n, err := i.reader.Read(into)
	if errors.Is(err, cancelreader.ErrCanceled) {
		err = io.EOF
	}
	return n, err
}

// Close implements io.Closer.
func (i *fileInput) Close() error {
	var err error
	i.closing.Do(func() {
		i.reader.Cancel()
		i.reading.Lock()
		defer i.reading.Unlock()
		err = i.reader.Close()
	})
	return err
}

// endless is an input that has no end until it is closed.
type endless struct {
	io.ReadCloser
	closed  chan struct{}
	closing sync.Once
}

// Read implements io.Reader.
func (e *endless) Read(into []byte) (int, error) {
	n, err := e.ReadCloser.Read(into)
	if n == 0 && errors.Is(err, io.EOF) {
		<-e.closed
	}
	if n > 0 {
		err = nil // which comes again
	}
	return n, err
}

// Close implements io.Closer.
func (e *endless) Close() error {
	e.closing.Do(func() { close(e.closed) })
	return e.ReadCloser.Close()
}

// held is an input that holds the detach keys back and ends with [ErrDetached] at them.
type held struct {
	io.Closer
	keys io.Reader
}

func detachable(input io.ReadCloser, keys []byte) io.ReadCloser {
	return held{input, term.NewEscapeProxy(input, keys)}
}

// Read implements io.Reader.
func (h held) Read(into []byte) (int, error) {
	n, err := h.keys.Read(into)
	if errors.As(err, new(term.EscapeError)) {
		err = ErrDetached
	}
	return n, err
}
