package registry

import (
	"errors"
	"net/http"
	"regexp"

	"golang.org/x/time/rate"
)

// Faults are what goes wrong, or slowly, between a client and the registry. Zero is a good line.
type Faults struct {
	// Status answers every request: 401, 403, 429, 503.
	Status int
	// BytesPerSecond bounds each download of a blob.
	BytesPerSecond int
	// BreakAfter closes the connection after that many bytes of a blob.
	BreakAfter int
	// Breaks is how many downloads are broken off, before all is well again; 0 means every one.
	Breaks int
	// HoldAfter stops a download of a blob after that many bytes, until the faults are set anew.
	HoldAfter int
}

var (
	errBroken = errors.New("the connection breaks on purpose")
	blobPath  = regexp.MustCompile(`^/v2/.+/blobs/[a-z0-9]+:[0-9a-f]+$`)
)

func isDownload(request *http.Request) bool {
	return request.Method == http.MethodGet && blobPath.MatchString(request.URL.Path)
}

// refuse answers as registries do.
func refuse(w http.ResponseWriter, status int) {
	code, message := "UNAVAILABLE", "service unavailable"
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="muster test"`)
		code, message = "UNAUTHORIZED", "authentication required"
	case http.StatusForbidden:
		code, message = "DENIED", "requested access to the resource is denied"
	case http.StatusTooManyRequests:
		code, message = "TOOMANYREQUESTS", "too many requests"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"errors":[{"code":"` + code + `","message":"` + message + `"}]}`))
}

// download is the way of a blob to the client.
type download struct {
	http.ResponseWriter
	faults Faults
	breaks func() bool           // whether it is one of those that break off
	hold   func() error          // waits until the faults are set anew
	wait   func(bytes int) error // waits until so many may be sent
	sent   int
}

const piece = 4 << 10 // what is sent at a time

func newDownload(w http.ResponseWriter, request *http.Request, faults Faults, breaks func() bool, hold func() error) *download {
	limit := rate.Inf
	if faults.BytesPerSecond > 0 {
		limit = rate.Limit(faults.BytesPerSecond)
	}
	limiter := rate.NewLimiter(limit, piece)
	return &download{
		ResponseWriter: w, faults: faults, breaks: breaks, hold: hold,
		wait: func(bytes int) error { return limiter.WaitN(request.Context(), bytes) },
	}
}

// Unwrap lets the proxy flush.
func (d *download) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// Write sends the bytes in pieces that end where something happens.
func (d *download) Write(content []byte) (written int, err error) {
	for written < len(content) {
		if err := d.happen(); err != nil {
			return written, err
		}
		size := min(piece, len(content)-written)
		for _, at := range []int{d.faults.BreakAfter, d.faults.HoldAfter} {
			if at > d.sent {
				size = min(size, at-d.sent)
			}
		}
		if err := d.wait(size); err != nil {
			return written, err
		}
		n, err := d.ResponseWriter.Write(content[written : written+size])
		written, d.sent = written+n, d.sent+n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// happen does what is due before the next byte.
func (d *download) happen() error {
	if d.faults.HoldAfter > 0 && d.sent == d.faults.HoldAfter {
		if err := http.NewResponseController(d.ResponseWriter).Flush(); err != nil {
			return err
		}
		if err := d.hold(); err != nil {
			return err
		}
	}
	if d.faults.BreakAfter > 0 && d.sent == d.faults.BreakAfter && d.breaks() {
		return errBroken
	}
	return nil
}
