package dockertest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Call is a call that the engine was asked for.
type Call struct {
	Route  string // "POST /containers/{id}/start"
	Method string
	Path   string // without the version: "/containers/web/start"
	Query  url.Values
	Body   string // JSON bodies only
}

// Changes says whether the call asks for a change.
func (c Call) Changes() bool { return c.Method != http.MethodGet && c.Method != http.MethodHead }

// Calls returns all calls since the start or the last [Engine.ResetCalls], in the order of their arrival.
func (e *Engine) Calls() []Call {
	e.calls.mutex.Lock()
	defer e.calls.mutex.Unlock()
	return slices.Clone(e.calls.all)
}

// Counts says how many calls there were by route.
func (e *Engine) Counts() map[string]int {
	counts := map[string]int{}
	for _, call := range e.Calls() {
		counts[call.Route]++
	}
	return counts
}

// ResetCalls forgets the calls so far.
func (e *Engine) ResetCalls() {
	e.calls.mutex.Lock()
	defer e.calls.mutex.Unlock()
	e.calls.all = nil
}

// Unknown returns the calls for which there is no route, as "METHOD /path": a test that ends with some relied on an engine
// that can do more than this one.
func (e *Engine) Unknown() []string {
	var unknown []string
	for _, call := range e.Calls() {
		if call.Route == unknownRoute {
			unknown = append(unknown, call.Method+" "+call.Path)
		}
	}
	return unknown
}

type callLog struct {
	mutex sync.Mutex
	all   []Call
}

// record notes a call. A JSON body is read and put back.
func (l *callLog) record(r *http.Request, path, route string) (Call, error) {
	call := Call{Route: route, Method: r.Method, Path: path, Query: r.URL.Query()}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return Call{}, err
		}
		call.Body = string(body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.all = append(l.all, call)
	return call, nil
}
