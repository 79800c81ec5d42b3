package dockertest

import "net/http"

// cutWriter lets some bytes of an answer's body through and then closes the connection.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (w *cutWriter) WriteHeader(status int) {
	if w.left <= 0 {
		panic(http.ErrAbortHandler)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *cutWriter) Write(body []byte) (int, error) {
	if w.left <= 0 {
		panic(http.ErrAbortHandler)
	}
	through := body[:min(w.left, len(body))]
	_, _ = w.ResponseWriter.Write(through)
	if w.left -= len(through); w.left <= 0 {
		w.cut()
	}
	return len(body), nil
}

// cut sends what was let through and closes the connection.
func (w *cutWriter) cut() {
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// Unwrap lets a response controller flush.
func (w *cutWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// discard is where an answer goes that nobody gets.
type discard struct {
	header http.Header
}

func (d discard) Header() http.Header          { return d.header }
func (discard) WriteHeader(int)                {}
func (discard) Write(body []byte) (int, error) { return len(body), nil }
