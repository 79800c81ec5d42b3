package buildkit

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/muster-dev/muster/convergence/engine"
)

// session is a connection on which BuildKit asks the client. It does what moby/buildkit's session.Session does, whose HTTP/2
// server leaves a goroutine behind and cannot run under testing/synctest.
type session struct {
	id        string
	sharedKey string
	server    *grpc.Server
}

// attachable is what BuildKit may ask for in a session.
type attachable interface {
	Register(server *grpc.Server)
}

func newSession(sharedKey string, attachables []attachable) *session {
	s := &session{id: identity.NewID(), sharedKey: sharedKey, server: grpc.NewServer(
		grpc.UnaryInterceptor(grpcerrors.UnaryServerInterceptor), grpc.StreamInterceptor(grpcerrors.StreamServerInterceptor),
		grpc.WaitForHandlers(true),
	)}
	grpc_health_v1.RegisterHealthServer(s.server, health.NewServer())
	for _, one := range attachables {
		one.Register(s.server)
	}
	return s
}

// header says whose session it is and what can be asked for in it.
func (s *session) header() http.Header {
	const prefix = "X-Docker-Expose-Session-"
	header := http.Header{prefix + "Uuid": {s.id}, prefix + "Sharedkey": {s.sharedKey}}
	services := s.server.GetServiceInfo()
	for _, name := range slices.Sorted(maps.Keys(services)) {
		for _, method := range services[name].Methods {
			header.Add(prefix+"Grpc-Method", "/"+name+"/"+method.Name)
		}
	}
	return header
}

// run answers until close is called; when the connection ends before that, the error says so.
func (s *session) run(ctx context.Context, dial Dial) error {
	connection, err := dial(ctx, sessionPath, s.header())
	if err != nil {
		return err
	}
	if err = s.server.Serve(NewListener(connection)); err == nil || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return &kinded{engine.ErrUnavailable, "lost the connection on which the engine asks for the files of a build"}
}

// close ends the connection, and returns when nothing of what was asked is under way any more.
func (s *session) close() { s.server.Stop() }

// NewListener is a listener for a server that has one connection to serve: it gives that, and ends with it.
func NewListener(connection net.Conn) net.Listener {
	l := &listener{ended: make(chan struct{}), waiting: make(chan net.Conn, 1)}
	l.Conn = connection
	l.waiting <- &servedConn{connection, l}
	return l
}

type listener struct {
	net.Conn
	waiting chan net.Conn
	once    sync.Once
	ended   chan struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case connection := <-l.waiting:
		return connection, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. The connection goes with it.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.ended) })
	return ignoreClosed(l.Conn.Close())
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.LocalAddr() }

// servedConn ends its listener when it ends.
type servedConn struct {
	net.Conn
	listener *listener
}

// Close implements net.Conn.
func (c *servedConn) Close() error { return c.listener.Close() }
