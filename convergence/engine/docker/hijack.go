package docker

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/muster-dev/muster/convergence/engine"
)

// handover is a call after which the connection speaks something else than HTTP.
type handover struct {
	path     string
	protocol string // as the header Upgrade names it
	header   http.Header
	body     []byte
	refused  func(response *http.Response) error // what an answer means that hands no connection over
}

// hijack asks the engine for a connection that speaks HTTP/2 without TLS (Engine API, POST /grpc and /session).
func (c *Client) hijack(ctx context.Context, path string, header http.Header) (net.Conn, error) {
	return c.handOver(ctx, handover{path: path, protocol: "h2c", header: header, refused: func(response *http.Response) error {
		return refusedBuild(path, response)
	}})
}

// handOver asks the engine to hand a connection over. The library's own way to do so cannot be cancelled, and loses the
// engine's words where it refuses. The connection outlives the context.
func (c *Client) handOver(ctx context.Context, wanted handover) (net.Conn, error) {
	request, err := c.upgradeRequest(ctx, wanted)
	if err != nil {
		return nil, err
	}
	raw, err := c.dialRaw(ctx)
	if err != nil {
		return nil, c.hijackFailure(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	connection, err := upgrade(raw, request, wanted.refused)
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		_ = raw.Close()
		return nil, c.hijackFailure(ctx, err)
	}
	return connection, nil
}

func (c *Client) upgradeRequest(ctx context.Context, wanted handover) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine"+wanted.path, bytes.NewReader(wanted.body))
	if err != nil {
		return nil, err
	}
	custom, err := c.settings.headers()
	if err != nil {
		return nil, err
	}
	for key, value := range custom {
		request.Header.Set(key, value)
	}
	for key, values := range wanted.header {
		request.Header[http.CanonicalHeaderKey(key)] = values
	}
	if c.settings.UserAgent != "" {
		request.Header.Set("User-Agent", c.settings.UserAgent)
	}
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", wanted.protocol)
	return request, nil
}

// dialRaw makes a connection to the engine that nothing else uses.
func (c *Client) dialRaw(ctx context.Context) (net.Conn, error) {
	if c.endpoint.TLS == nil {
		return c.api.Dialer()(ctx)
	}
	address, err := url.Parse(c.api.DaemonHost())
	if err != nil {
		return nil, err
	}
	return (&tls.Dialer{Config: c.endpoint.TLS}).DialContext(ctx, "tcp", address.Host)
}

// upgrade says what is wanted and reads the answer.
func upgrade(raw net.Conn, request *http.Request, refused func(*http.Response) error) (net.Conn, error) {
	if err := request.Write(raw); err != nil {
		return nil, err
	}
	reader := bufio.NewReader(raw)
	response, err := http.ReadResponse(reader, request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		defer response.Body.Close() //nolint:errcheck // the connection goes with it
		return nil, refused(response)
	}
	return &upgradedConn{raw, reader}, nil
}

// upgradedConn is a connection of which something may have been read already.
type upgradedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c *upgradedConn) Read(into []byte) (int, error) { return c.reader.Read(into) }

// CloseWrite says that nothing more is sent, where the connection can say so.
func (c *upgradedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// saidBy is what an answer says went wrong.
func saidBy(response *http.Response) string {
	const enough = 4 << 10
	body, _ := io.ReadAll(io.LimitReader(response.Body, enough)) // what there is of it
	var answer struct{ Message string }
	if json.Unmarshal(body, &answer) != nil || answer.Message == "" {
		return response.Status
	}
	return answer.Message
}

// refusedBuild is an answer of an engine that builds nothing.
func refusedBuild(path string, response *http.Response) error {
	message := saidBy(response)
	switch response.StatusCode {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return &advised{
			&apiError{engine.ErrUnsupported, fmt.Errorf("the engine has no BuildKit to build with: POST %s: %s", path, message)},
			"build with another tool and name the result with `image`, or use an engine that has it, as Docker Engine does",
		}
	case http.StatusForbidden, http.StatusUnauthorized:
		return &advised{
			&apiError{engine.ErrDenied, fmt.Errorf("POST %s: %s", path, message)},
			"a proxy before the engine must let POST /grpc and POST /session through",
		}
	}
	return fmt.Errorf("POST %s: %s", path, message)
}

// hijackFailure says what kept a connection from being handed over.
func (c *Client) hijackFailure(ctx context.Context, err error) error {
	var api *apiError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &api):
		return err
	case isBroken(err) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe):
		return &apiError{engine.ErrUnavailable, &connectionError{c.endpoint, err}}
	}
	return c.wrap(err)
}
