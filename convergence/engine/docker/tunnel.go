package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/docker/docker/api/types/container"

	"github.com/muster-dev/muster/convergence/engine"
)

// tunnel is a connection to what a command in a container reads and writes. What it says beside that is in the error at its end.
func (c *Client) tunnel(ctx context.Context, ref string, command []string) (net.Conn, error) {
	created, err := c.api.ContainerExecCreate(ctx, ref, container.ExecOptions{
		Cmd: command, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return nil, c.wrap(err)
	}
	connection, err := c.handOver(ctx, handover{
		path: fmt.Sprintf("/v%s/exec/%s/start", c.api.ClientVersion(), created.ID), protocol: "tcp",
		header: http.Header{"Content-Type": {"application/json"}}, body: []byte("{}"), refused: refusedExec,
	})
	if err != nil {
		return nil, err
	}
	return &tunnelConn{Conn: connection, frames: frameReader{reader: bufio.NewReaderSize(connection, rawChunk)}}, nil
}

// tunnelConn reads what a command writes to its standard output.
type tunnelConn struct {
	net.Conn
	frames frameReader
	rest   []byte // that was not read yet
	said   []byte // to the standard error, as much as is worth telling
}

// Read implements net.Conn.
func (t *tunnelConn) Read(into []byte) (int, error) {
	const worthTelling = 1 << 10
	for len(t.rest) == 0 {
		frame, err := t.frames.next()
		switch {
		case errors.Is(err, io.EOF) && len(t.said) > 0:
			return 0, fmt.Errorf("%s", lastLine(string(t.said)))
		case err != nil:
			return 0, err
		case frame.Stream == engine.Stdout:
			t.rest = frame.Data
		case len(t.said) < worthTelling:
			t.said = append(t.said, frame.Data...)
		}
	}
	n := copy(into, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}
