package sshdial

import (
	"context"
	"net"
	"sync"
	"time"
)

// lateConn is a connection that is made with the first write. Reads wait for it.
type lateConn struct {
	connect func(context.Context) (net.Conn, error)
	ctx     context.Context //nolint:containedctx // of making the connection, which Close ends
	cancel  context.CancelFunc
	once    sync.Once
	made    chan struct{} // closed when what follows is set
	conn    net.Conn
	err     error
}

func newLateConn(connect func(context.Context) (net.Conn, error)) *lateConn {
	ctx, cancel := context.WithCancel(context.Background())
	return &lateConn{connect: connect, ctx: ctx, cancel: cancel, made: make(chan struct{})}
}

func (l *lateConn) make() {
	defer close(l.made)
	if l.err = l.ctx.Err(); l.err == nil {
		l.conn, l.err = l.connect(l.ctx)
	}
	if l.ctx.Err() != nil && l.err != nil {
		l.err = net.ErrClosed
	}
}

// Write implements net.Conn.
func (l *lateConn) Write(data []byte) (int, error) {
	l.once.Do(l.make)
	if l.err != nil {
		return 0, l.err
	}
	return l.conn.Write(data)
}

// Read implements net.Conn.
func (l *lateConn) Read(into []byte) (int, error) {
	<-l.made
	if l.err != nil {
		return 0, l.err
	}
	return l.conn.Read(into)
}

// CloseWrite tells the engine that nothing more is sent; hijacked connections need it.
func (l *lateConn) CloseWrite() error {
	l.once.Do(l.make)
	if half, ok := l.conn.(interface{ CloseWrite() error }); ok && l.err == nil {
		return half.CloseWrite()
	}
	return l.err
}

// Close implements net.Conn.
func (l *lateConn) Close() error {
	l.cancel()
	l.once.Do(l.make)
	if l.err != nil {
		return nil // there is nothing to be closed
	}
	return l.conn.Close()
}

// LocalAddr implements net.Conn.
func (l *lateConn) LocalAddr() net.Addr { return address{} }

// RemoteAddr implements net.Conn.
func (l *lateConn) RemoteAddr() net.Addr { return address{} }

// SetDeadline implements net.Conn. Before there is a connection there is nothing to be late.
func (l *lateConn) SetDeadline(t time.Time) error {
	return l.whenMade(func() error { return l.conn.SetDeadline(t) })
}

// SetReadDeadline implements net.Conn.
func (l *lateConn) SetReadDeadline(t time.Time) error {
	return l.whenMade(func() error { return l.conn.SetReadDeadline(t) })
}

// SetWriteDeadline implements net.Conn.
func (l *lateConn) SetWriteDeadline(t time.Time) error {
	return l.whenMade(func() error { return l.conn.SetWriteDeadline(t) })
}

func (l *lateConn) whenMade(do func() error) error {
	select {
	case <-l.made:
		if l.err == nil {
			return do()
		}
	default:
	}
	return nil
}
