package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/muster-dev/muster/convergence/engine"
)

// apiError is an engine's answer under the sentinel that the rest of Muster knows it by. The text is the engine's own.
type apiError struct {
	kind  error
	cause error
}

func (e *apiError) Error() string   { return e.cause.Error() }
func (e *apiError) Unwrap() []error { return []error{e.kind, e.cause} }

// wrap maps an error of the client library to a sentinel of package engine; nil and cancellation pass as they are.
func (c *Client) wrap(err error) error {
	var connection *connectionError
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &connection): // what is around it is about URLs
		return &apiError{engine.ErrUnavailable, fmt.Errorf("lost the engine at %s: %w", c.endpoint, connection)}
	case client.IsErrConnectionFailed(err), isBroken(err):
		return &apiError{engine.ErrUnavailable, fmt.Errorf("lost the engine at %s: %w", c.endpoint, err)}
	case cerrdefs.IsNotFound(err):
		return &apiError{engine.ErrNotFound, err}
	case cerrdefs.IsConflict(err), cerrdefs.IsAlreadyExists(err):
		return &apiError{engine.ErrConflict, err}
	case cerrdefs.IsPermissionDenied(err), cerrdefs.IsUnauthorized(err):
		return &apiError{engine.ErrDenied, err}
	case cerrdefs.IsInvalidArgument(err):
		return &apiError{engine.ErrInvalid, err}
	case cerrdefs.IsUnavailable(err):
		return &apiError{engine.ErrUnavailable, err}
	case cerrdefs.IsInternal(err):
		return &apiError{engine.ErrFailing, err}
	case cerrdefs.IsNotImplemented(err), strings.Contains(err.Error(), "requires API version"):
		return &apiError{engine.ErrUnsupported, err}
	}
	return err
}

// wrapAs is wrap, with another sentinel for answers of one kind: the engine says "forbidden" of a network with endpoints and
// "conflict" of a mounted volume where we say [engine.ErrInUse], and "forbidden" of addresses that are taken.
func (c *Client) wrapAs(err, from, to error) error {
	var api *apiError
	if err = c.wrap(err); errors.As(err, &api) && errors.Is(api.kind, from) {
		return &apiError{to, api.cause}
	}
	return err
}

// wrapWords gives an error one by its words that has no sentinel yet, or only that the engine is failing.
func wrapWords(err, kind error, words ...string) error {
	var api *apiError
	if err == nil || errors.As(err, &api) && !errors.Is(api.kind, engine.ErrFailing) {
		return err
	}
	for _, text := range words {
		if strings.Contains(err.Error(), text) {
			return &apiError{kind, err}
		}
	}
	return err
}

// isBroken says whether the connection ended in the middle of an answer.
func isBroken(err error) bool {
	var network *net.OpError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.As(err, &network)
}
