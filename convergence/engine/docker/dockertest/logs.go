package dockertest

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// partSize is where the engine cuts long lines.
const partSize = 16 << 10

// logTime is the form of a log's timestamps: nanoseconds with all their digits.
const logTime = "2006-01-02T15:04:05.000000000Z07:00"

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

// logRequest is what GET /containers/{id}/logs asks for.
type logRequest struct {
	streams      map[byte]bool
	since, until time.Time
	tail         int // negative for all
	timestamps   bool
	terminal     bool
	ended        <-chan struct{} // when to stop following; nil for no following
}

func readLogRequest(x *exchange) (logRequest, error) {
	request := logRequest{
		streams: map[byte]bool{stdoutStream: x.flag("stdout"), stderrStream: x.flag("stderr")},
		tail:    -1, timestamps: x.flag("timestamps"),
	}
	if !request.streams[stdoutStream] && !request.streams[stderrStream] {
		return request, fail(http.StatusBadRequest, "Bad parameters: you must choose at least one stream")
	}
	if tail, err := strconv.Atoi(x.query("tail")); err == nil {
		request.tail = tail
	}
	var err error
	if request.since, err = parseTime(x.query("since")); err != nil {
		return request, err
	}
	request.until, err = parseTime(x.query("until"))
	return request, err
}

// streamLogs is GET /containers/{id}/logs. Following ends when the run does that was going on at the call: a container that
// does not run, or waits for its restart, is not followed.
func (e *Engine) streamLogs(x *exchange) error {
	request, err := readLogRequest(x)
	if err != nil {
		return err
	}
	e.mutex.Lock()
	c, err := e.findContainer(x.params["id"])
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	driver, store := c.host.LogConfig.Type, c.log
	request.terminal = c.config.Tty
	if x.flag("follow") && c.run != nil {
		request.ended = c.run.logged
	}
	e.mutex.Unlock()
	if driver == "none" {
		return fail(http.StatusNotImplemented, "configured logging driver does not support reading")
	}
	kind := "application/vnd.docker.multiplexed-stream"
	if request.terminal {
		kind = "application/vnd.docker.raw-stream"
	}
	x.w.Header().Set("Content-Type", kind)
	x.w.WriteHeader(http.StatusOK)
	x.flush()
	request.stream(x, store)
	return nil
}

func (r logRequest) stream(x *exchange, store *logStore) {
	entries, more := store.from(0)
	number := len(entries)
	if r.tail >= 0 {
		entries = entries[max(0, number-r.tail):]
	}
	for {
		for _, entry := range entries {
			if !r.write(x, entry) {
				return
			}
		}
		if len(entries) > 0 {
			x.flush()
		}
		if r.ended == nil {
			return
		}
		select {
		case <-more:
		case <-r.ended:
			r.ended = nil // what came before the end is still to be read
		case <-x.Context().Done():
			return
		}
		entries, more = store.from(number)
		number += len(entries)
	}
}

// write sends an entry, if it is asked for, and says whether to go on.
func (r logRequest) write(x *exchange, entry logEntry) (goOn bool) {
	if !r.until.IsZero() && entry.at.After(r.until) {
		return false
	}
	if entry.at.Before(r.since) || !r.streams[entry.stream] {
		return true
	}
	var text []byte
	if r.timestamps {
		text = append(entry.at.UTC().AppendFormat(text, logTime), ' ')
	}
	text = append(text, entry.text...)
	if !r.terminal {
		header := [8]byte{entry.stream}
		binary.BigEndian.PutUint32(header[4:], uint32(len(text)))
		text = append(header[:], text...)
	}
	_, err := x.w.Write(text)
	return err == nil
}
