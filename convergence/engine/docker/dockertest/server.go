package dockertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/docker/docker/api/types/versions"
)

// minAPIVersion is the oldest that an engine 28 speaks.
const minAPIVersion = "1.24"

// exchange is one call and its answer.
type exchange struct {
	*http.Request
	w       http.ResponseWriter
	params  map[string]string // from the path
	version string            // of the API
}

// apiError is an answer that says what went wrong.
type apiError struct {
	status  int
	message string
}

func (e *apiError) Error() string { return e.message }

func fail(status int, format string, arguments ...any) error {
	return &apiError{status, fmt.Sprintf(format, arguments...)}
}

// inside puts words in front of an error and keeps its status.
func inside(err error, format string, arguments ...any) error {
	status := http.StatusInternalServerError
	var answer *apiError
	if errors.As(err, &answer) {
		status = answer.status
	}
	return fail(status, "%s: %v", fmt.Sprintf(format, arguments...), err)
}

// errNotModified is an answer that says that there was nothing to do.
var errNotModified = &apiError{status: http.StatusNotModified}

var versionPrefix = regexp.MustCompile(`^/v(\d+\.\d+)(/.*)$`)

// ServeHTTP answers a call of the Engine API.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !e.begin() {
		panic(http.ErrAbortHandler)
	}
	defer e.answers.Done()
	x := &exchange{Request: r, w: w, version: e.options.APIVersion}
	path := r.URL.Path
	if match := versionPrefix.FindStringSubmatch(path); match != nil {
		x.version, path = match[1], match[2]
	}
	found, params := findRoute(r.Method, path)
	x.params = params
	w.Header().Set("Api-Version", e.options.APIVersion)
	w.Header().Set("Ostype", "linux")
	w.Header().Set("Server", "Docker/"+e.options.EngineVersion+" (linux)")
	call, err := e.calls.record(r, path, found.name())
	if err != nil {
		x.fail(fail(http.StatusBadRequest, "read request: %v", err))
		return
	}
	e.faults.around(x, call, func() { e.handle(x, found) })
}

// begin says whether calls are answered still, and counts this one in.
func (e *Engine) begin() bool {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.closed {
		return false
	}
	e.answers.Add(1)
	return true
}

func (e *Engine) handle(x *exchange, found *route) {
	if err := e.checkVersion(x.version); err != nil {
		x.fail(err)
		return
	}
	if found == nil {
		x.fail(fail(http.StatusNotImplemented, "dockertest has no route %s %s", x.Method, x.URL.Path))
		return
	}
	if err := found.handle(e, x); err != nil {
		x.fail(err)
	}
}

func (e *Engine) checkVersion(version string) error {
	switch {
	case versions.GreaterThan(version, e.options.APIVersion):
		return fail(http.StatusBadRequest,
			"client version %s is too new. Maximum supported API version is %s", version, e.options.APIVersion)
	case versions.LessThan(version, minAPIVersion):
		return fail(http.StatusBadRequest, "client version %s is too old. Minimum supported API version is %s, "+
			"please upgrade your client to a newer version", version, minAPIVersion)
	}
	return nil
}

// fail answers with an error.
func (x *exchange) fail(err error) {
	var answer *apiError
	if !errors.As(err, &answer) {
		answer = &apiError{http.StatusInternalServerError, err.Error()}
	}
	if answer.status == http.StatusNotModified {
		x.w.WriteHeader(answer.status)
		return
	}
	_ = x.answer(answer.status, map[string]string{"message": answer.message})
}

// answer writes a value as JSON.
func (x *exchange) answer(status int, value any) error {
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(status)
	_ = json.NewEncoder(x.w).Encode(value) // whoever asked has gone away
	return nil
}

func (x *exchange) done(status int) error {
	x.w.WriteHeader(status)
	return nil
}

// flush sends what was written so far.
func (x *exchange) flush() {
	_ = http.NewResponseController(x.w).Flush()
}

// read takes the request's body, which is JSON.
func (x *exchange) read(value any) error {
	if err := json.NewDecoder(x.Body).Decode(value); err != nil {
		return fail(http.StatusBadRequest, "invalid JSON: %v", err)
	}
	return nil
}

// flag is a boolean of the query, as the engine reads it.
func (x *exchange) flag(name string) bool {
	value := strings.ToLower(strings.TrimSpace(x.URL.Query().Get(name)))
	return value != "" && value != "0" && value != "no" && value != "false" && value != "none"
}

func (x *exchange) query(name string) string { return x.URL.Query().Get(name) }
