package dockertest

import (
	"bytes"
	"slices"
	"sync"
	"time"
)

// partSize is where the engine cuts long lines.
const partSize = 16 << 10

// Streams in a log frame's header.
const (
	stdoutStream byte = 1
	stderrStream byte = 2
)

// logEntry is a line with its end, a part of a long one, or the last words of a process that did not end its line.
type logEntry struct {
	at     time.Time
	stream byte
	text   []byte
}

// logStore is all that a container wrote in all its runs.
type logStore struct {
	clock   *clock
	mutex   sync.Mutex
	entries []logEntry
	grown   broadcast
}

func newLogStore(clock *clock) *logStore { return &logStore{clock: clock} }

func (l *logStore) append(entry logEntry) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.entries = append(l.entries, entry)
	l.grown.fire()
}

// from returns the entries from a number on, and what is closed when there are more.
func (l *logStore) from(number int) ([]logEntry, <-chan struct{}) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return slices.Clip(l.entries[min(number, len(l.entries)):]), l.grown.wait()
}

// lineWriter takes what a process writes apart into lines.
type lineWriter struct {
	store    *logStore
	stream   byte
	terminal bool

	mutex   sync.Mutex
	pending []byte
	since   time.Time // of the long line that the pending bytes go on with; zero at the start of a line
}

// Write implements io.Writer.
func (w *lineWriter) Write(written []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	text := written
	if w.terminal {
		text = bytes.ReplaceAll(written, []byte("\n"), []byte("\r\n"))
	}
	w.pending = append(w.pending, text...)
	for {
		size := bytes.IndexByte(w.pending[:min(len(w.pending), partSize)], '\n') + 1
		whole := size > 0
		if !whole && len(w.pending) < partSize {
			return len(written), nil
		}
		if !whole {
			size = partSize
		}
		w.cut(size, whole)
	}
}

// cut makes an entry of the first pending bytes. The parts of a line all have the time of its first.
func (w *lineWriter) cut(size int, whole bool) {
	at := w.since
	if at.IsZero() {
		at = w.store.clock.now()
	}
	w.store.append(logEntry{at: at, stream: w.stream, text: slices.Clone(w.pending[:size])})
	w.pending = w.pending[size:]
	w.since = at
	if whole {
		w.since = time.Time{}
	}
}

// end keeps the rest of a line that was never ended.
func (w *lineWriter) end() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if len(w.pending) > 0 {
		w.cut(len(w.pending), true)
	}
}
