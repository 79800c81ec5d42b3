package dockertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine/docker"
)

// Dial connects to the engine in memory; it is made for docker.DialFunc.
func (e *Engine) Dial(ctx context.Context) (net.Conn, error) {
	client, server := newDuplex()
	select {
	case e.listener.connections <- server:
		return client, nil
	case <-e.closing:
		return nil, fmt.Errorf("dial the engine in memory: %w", net.ErrClosed)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Client is the adapter, connected to the engine. The test closes it.
func (e *Engine) Client(t testing.TB) *docker.Client {
	t.Helper()
	// The docker CLI's configuration of whoever runs the tests stays out of them.
	environment := map[string]string{"DOCKER_CONFIG": t.TempDir()}
	client, err := docker.DialFunc(t.Context(), docker.Options{Env: func(name string) string { return environment[name] }}, e.Dial)
	if err != nil {
		t.Fatalf("connect to the engine in memory: %v", err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Serve answers on a unix socket too, from when it returns until the engine is closed. What is in the socket's place goes.
func (e *Engine) Serve(socket string) error {
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("serve on %s: %w", socket, err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("serve on %s: %w", socket, err)
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.closed {
		return errors.Join(fmt.Errorf("serve on %s: %w", socket, net.ErrClosed), listener.Close())
	}
	e.tasks.Go(func() error { return e.server.Serve(listener) })
	return nil
}

// duplex is one end of a connection in memory of which either end can say that it sends nothing more, which a net.Pipe cannot:
// it reads from one and writes to another.
type duplex struct {
	net.Conn // what is read from
	to       net.Conn
}

func newDuplex() (client, server net.Conn) {
	there, fromThere := net.Pipe()
	back, fromBack := net.Pipe()
	return &duplex{fromBack, there}, &duplex{fromThere, back}
}

func (d *duplex) Write(content []byte) (int, error) { return d.to.Write(content) }

// CloseWrite is the end of what the other end reads.
func (d *duplex) CloseWrite() error { return d.to.Close() }

func (d *duplex) Close() error { return errors.Join(d.to.Close(), d.Conn.Close()) }

func (d *duplex) SetDeadline(t time.Time) error {
	return errors.Join(d.SetReadDeadline(t), d.to.SetWriteDeadline(t))
}

func (d *duplex) SetWriteDeadline(t time.Time) error { return d.to.SetWriteDeadline(t) }

// pipeListener accepts the connections that Dial makes.
type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{connections: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case connection := <-l.connections:
		return connection, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close is called once, by the server.
func (l *pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }
