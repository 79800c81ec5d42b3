package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"

	"github.com/docker/docker/api/types/container"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// Attach implements [engine.Execs].
func (c *Client) Attach(
	ctx context.Context, ref string, console engine.Console, ready func(), output func(engine.Frame) error,
) error {
	d := &dialogue{console: console, output: output, resize: func(ctx context.Context, size engine.Size) error {
		return c.api.ContainerResize(ctx, ref, resizeOptions(size))
	}}
	defer d.close()
	query := url.Values{"stream": {"1"}, "stdout": {"1"}, "stderr": {"1"}}
	if console.Input != nil {
		query.Set("stdin", "1")
	}
	if console.DetachKeys != "" {
		query.Set("detachKeys", console.DetachKeys)
	}
	connection, err := c.handOver(ctx, handover{
		path:     fmt.Sprintf("/v%s/containers/%s/attach?%s", c.api.ClientVersion(), url.PathEscape(ref), query.Encode()),
		protocol: "tcp", header: http.Header{"Content-Type": {"text/plain"}}, refused: refusedExec,
	})
	if err != nil {
		return err
	}
	if ready != nil {
		ready()
	}
	return c.wrap(d.run(ctx, connection))
}

// dialogue is a connection to a process: what it reads and writes, and the size of its terminal.
type dialogue struct {
	console engine.Console
	output  func(engine.Frame) error
	resize  func(ctx context.Context, size engine.Size) error
	unsized bool // the process does not know the size of its terminal yet
	closing sync.Once
}

// close gives the input back. It may be called again.
func (d *dialogue) close() {
	d.closing.Do(func() {
		if d.console.Input != nil {
			_ = d.console.Input.Close() // it was only read
		}
	})
}

// run returns at the end of the output, when the context ends, or with an error of the input's or the output's. Nothing of it
// goes on after that, and the connection is closed.
func (d *dialogue) run(parent context.Context, connection net.Conn) error {
	ctx, cancel := context.WithCancelCause(parent)
	hangUp := context.AfterFunc(ctx, func() { _ = connection.Close() })
	var others errgroup.Group
	if d.console.Input != nil {
		others.Go(func() error {
			if err := feed(connection, d.console.Input); err != nil {
				cancel(err)
			}
			return nil
		})
	}
	others.Go(func() error { d.followSize(ctx); return nil })

	err := d.read(connection)
	cause := context.Cause(ctx)
	cancel(nil)
	hangUp()
	_ = connection.Close() // all that is to be read was
	d.close()
	_ = others.Wait()
	switch {
	case parent.Err() != nil:
		return parent.Err()
	case cause != nil:
		return cause
	case errors.Is(err, syscall.ECONNRESET) && d.console.Input != nil: // the process has ended without reading all that was sent to it
		return nil
	}
	return err
}

// read takes what the process writes.
func (d *dialogue) read(connection io.Reader) error {
	if d.console.Tty {
		return readRaw(connection, d.output)
	}
	return readFrames(connection, d.output)
}

// feed sends the process its input, and then its end. What the process does not take any more is no error.
func feed(connection net.Conn, input io.Reader) error {
	const chunk = 32 << 10
	buffer := make([]byte, chunk)
	for {
		n, err := input.Read(buffer)
		if n > 0 {
			if _, err := connection.Write(buffer[:n]); err != nil {
				return nil //nolint:nilerr // it has ended, or the end of what it writes tells why
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			if half, ok := connection.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
			return nil
		case err != nil:
			return err
		}
	}
}

// followSize passes on what size the terminal has. A process that is not there yet, or not any more, has none.
func (d *dialogue) followSize(ctx context.Context) {
	if d.unsized {
		_ = d.resize(ctx, d.console.Size)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case size, ok := <-d.console.Resize:
			if !ok {
				return
			}
			_ = d.resize(ctx, size)
		}
	}
}

func resizeOptions(size engine.Size) container.ResizeOptions {
	return container.ResizeOptions{Height: uint(max(size.Height, 0)), Width: uint(max(size.Width, 0))}
}

// consoleSize is height and width; nil where they are not known.
func consoleSize(size engine.Size) *[2]uint {
	if size.Width <= 0 || size.Height <= 0 {
		return nil
	}
	return &[2]uint{uint(size.Height), uint(size.Width)}
}

// firstSize is the size of a container's terminal; zeros where it has none or that is not known.
func firstSize(request engine.CreateContainer) [2]uint {
	if size := consoleSize(request.ConsoleSize); size != nil && request.Service.Tty {
		return *size
	}
	return [2]uint{}
}
