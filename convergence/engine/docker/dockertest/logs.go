package dockertest

import (
	"encoding/binary"
	"net/http"
	"strconv"
	"time"
)

// logTime is the form of a log's timestamps: nanoseconds with all their digits.
const logTime = "2006-01-02T15:04:05.000000000Z07:00"

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
