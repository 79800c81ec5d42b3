package buildkit

import (
	"context"
	"errors"
	"net"
	"net/http"

	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/session/grpchijack"
	"google.golang.org/grpc"
)

// Direct is a [Dial] to a BuildKit that is in no engine: connect gives a connection to it, which outlives the context. There a
// session is one of BuildKit's own calls (buildkit, Control.Session).
func Direct(connect func(ctx context.Context) (net.Conn, error)) Dial {
	return func(ctx context.Context, path string, header http.Header) (net.Conn, error) {
		raw, err := connect(ctx)
		if err != nil || path != sessionPath {
			return raw, err
		}
		return openSession(ctx, raw, header)
	}
}

// openSession is the connection that a call for a session carries.
func openSession(ctx context.Context, raw net.Conn, header http.Header) (net.Conn, error) {
	client, err := newClient(raw)
	if err != nil {
		return nil, err
	}
	callCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	carried, err := grpchijack.Dialer(control.NewControlClient(client))(callCtx, "h2c", header)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		return nil, errors.Join(err, client.Close())
	}
	return &sessionConn{Conn: carried, client: client, cancel: cancel}, nil
}

// newClient is a client that has this connection and no other.
func newClient(raw net.Conn) (*controlConn, error) {
	client, err := grpc.NewClient("passthrough:///buildkit", clientOptions(raw)...)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return &controlConn{client, raw}, nil
}

// sessionConn is a connection inside a call.
type sessionConn struct {
	net.Conn
	client *controlConn
	cancel context.CancelFunc
}

// Close implements net.Conn. The call ends first: what it carries would wait for the other side.
func (c *sessionConn) Close() error {
	c.cancel()
	_ = c.Conn.Close() // the call was given up
	return ignoreClosed(c.client.Close())
}
