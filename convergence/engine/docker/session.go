package docker

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/buildkit"
)

// HoldSession implements [engine.Sessions] by the sessions that builds have.
func (c *Client) HoldSession(ctx context.Context, id string) (engine.Session, error) {
	dial := func(ctx context.Context, path string, header http.Header) (net.Conn, error) {
		return c.handOver(ctx, handover{path: path, protocol: "h2c", header: header, refused: refusedSession})
	}
	held, err := buildkit.Hold(ctx, dial, id)
	if err != nil {
		return nil, err
	}
	return held, nil
}

// refusedSession is an answer that gives no session.
func refusedSession(response *http.Response) error {
	message := saidBy(response)
	err := fmt.Errorf("POST /session: %s", message)
	switch response.StatusCode {
	case http.StatusBadRequest, http.StatusConflict:
		if strings.Contains(message, "already exists") { // the engine has no better mark of it
			return &apiError{engine.ErrConflict, err}
		}
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return &apiError{engine.ErrUnsupported, err}
	case http.StatusForbidden, http.StatusUnauthorized:
		return &apiError{engine.ErrDenied, err}
	}
	return err
}
