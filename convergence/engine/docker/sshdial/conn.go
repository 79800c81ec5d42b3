package sshdial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// conn is a running ssh as a connection: what is written goes to its stdin, what is read comes from its stdout.
type conn struct {
	in, out *os.File
	process *exec.Cmd
	stop    context.CancelFunc
	said    *tail
	command command
	once    sync.Once

	ended  chan struct{}
	reason error // why it ended, nil after a good end; set before ended is closed

	line *line // the dialer's
}

// startSSH begins a session. It has no terminal: an interrupt there is Muster's to deal with, and ssh has nobody to ask for a
// password.
func startSSH(command command, line int, role role) (*conn, error) {
	arguments, err := command.arguments(line, role)
	if err != nil {
		return nil, err
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start ssh: %w", err)
	}
	defer theirIn.Close() //nolint:errcheck // the process has its own
	out, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start ssh: %w", err), in.Close())
	}
	defer theirOut.Close() //nolint:errcheck // the process has its own
	ctx, stop := context.WithCancel(context.Background())
	c := &conn{in: in, out: out, stop: stop, said: &tail{}, command: command, ended: make(chan struct{})}
	c.process = exec.CommandContext(ctx, command.program, arguments...)
	c.process.Stdin, c.process.Stdout, c.process.Stderr = theirIn, theirOut, c.said
	c.process.SysProcAttr = apart()
	c.process.Cancel = func() error { return c.process.Process.Signal(syscall.SIGTERM) }
	// Then it is killed; and a shared connection, which it may have left behind, can hold its stderr open for long.
	c.process.WaitDelay = 2 * time.Second
	if err := c.process.Start(); err != nil {
		_ = c.Close()
		return nil, &Error{command: command, local: err}
	}
	return c, nil
}

// watch returns when the process has ended.
func (c *conn) watch() {
	if err := c.process.Wait(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		c.reason = &Error{command: c.command, ended: c.process.ProcessState, said: c.said.String()}
	}
	close(c.ended)
	c.stop()
}

// greet asks the engine for a sign of life. It closes the connection where there is none.
func (c *conn) greet(ctx context.Context) (err error) {
	interrupted := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer interrupted()
	defer func() {
		if err != nil {
			_ = c.Close()
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
	}()
	if _, err := io.WriteString(c, "HEAD /_ping HTTP/1.1\r\nHost: docker.example.com\r\n\r\n"); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodHead})
	var ours *Error
	switch {
	case errors.As(err, &ours):
		return err
	case err != nil:
		return &Error{command: c.command, said: c.said.String(), strange: err}
	}
	return answer.Body.Close()
}

// Read implements net.Conn. At the end of what comes it says why there is no more, where ssh has said so.
func (c *conn) Read(into []byte) (int, error) {
	n, err := c.out.Read(into)
	if errors.Is(err, io.EOF) {
		err = c.why(err)
	}
	return n, err
}

// Write implements net.Conn.
func (c *conn) Write(data []byte) (int, error) {
	n, err := c.in.Write(data)
	if errors.Is(err, syscall.EPIPE) {
		err = c.why(err)
	}
	return n, err
}

func (c *conn) why(err error) error {
	const moment = time.Second // ssh ends right after it has closed its output
	timer := time.NewTimer(moment)
	defer timer.Stop()
	select {
	case <-c.ended:
		if c.reason != nil {
			return c.reason
		}
	case <-timer.C:
	}
	return err
}

// CloseWrite tells the engine that nothing more is sent; hijacked connections need it.
func (c *conn) CloseWrite() error { return c.in.Close() }

// Close implements net.Conn. It does not wait for the process to end.
func (c *conn) Close() error {
	var err error
	c.once.Do(func() {
		err = errors.Join(c.in.Close(), c.out.Close())
		c.stop()
	})
	return err
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return address{} }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return address{} }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error { return c.out.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.in.SetWriteDeadline(t) }

// address is either end of a session: there is no more to be said of it.
type address struct{}

func (address) Network() string { return "ssh" }
func (address) String() string  { return "ssh" }
