package docker

import (
	"fmt"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

// UnreachableError says that no engine answered: where it was looked for, why there, and what came back. It matches
// [engine.ErrUnavailable].
type UnreachableError struct {
	Endpoint Endpoint
	Cause    error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no engine answers at %s (from %s): %s", e.Endpoint, e.Endpoint.Origin, diagnose(e.Endpoint, e.Cause).words)
}

// Unwrap makes the error match [engine.ErrUnavailable] and its cause.
func (e *UnreachableError) Unwrap() []error { return []error{engine.ErrUnavailable, e.Cause} }

// Hint is what to try next.
func (e *UnreachableError) Hint() string { return diagnose(e.Endpoint, e.Cause).hint }

// connectionError is a request that got no answer, or only a part of one, because of the way to the engine. The client library
// keeps it within its own errors, whose words are about URLs.
type connectionError struct {
	endpoint Endpoint
	cause    error
}

func (e *connectionError) Error() string { return diagnose(e.endpoint, e.cause).words }
func (e *connectionError) Unwrap() error { return e.cause }

// Hint is what to try next.
func (e *connectionError) Hint() string { return diagnose(e.endpoint, e.cause).hint }

// silenceError is a timeout of the network's. It hides that the standard library counts these as [context.DeadlineExceeded]: the
// caller's time was not up.
type silenceError struct{ text string }

func (e *silenceError) Error() string { return e.text }

// strangerError is an answer that no engine gives.
type strangerError struct {
	status string // "404 Not Found"
	kind   string // of the content
	server string
}

func (e *strangerError) Error() string {
	facts := []string{e.status}
	if e.kind != "" {
		facts = append(facts, e.kind)
	}
	if e.server != "" {
		facts = append(facts, "from "+e.server)
	}
	return "what does answer is no engine: " + strings.Join(facts, ", ")
}

// advised is an error with what to try next.
type advised struct {
	error
	hint string
}

func (e *advised) Unwrap() error { return e.error }

// Hint is what to try next.
func (e *advised) Hint() string { return e.hint }
