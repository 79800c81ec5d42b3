package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// readiness is a socket on which a service says that it is ready: sd_notify(3), which engines speak without systemd too.
type readiness struct {
	conn *net.UnixConn
	path string
}

func listenForReadiness(folder string) (*readiness, error) {
	path := filepath.Join(folder, "notify.sock")
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listen for readiness: %w", err)
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("listen for readiness: %w", err)
	}
	return &readiness{conn: conn, path: path}, nil
}

func (r *readiness) close() error { return errors.Join(r.conn.Close(), os.RemoveAll(r.path)) }

// errEnded means that the process ended before it was ready.
var errEnded = errors.New("it ended")

// wait returns once the service is ready. It ends early with the context, or with [errEnded] when the process has ended.
func (r *readiness) wait(ctx context.Context, alive func() bool) error {
	const look, longest = 100 * time.Millisecond, 4 << 10
	buffer := make([]byte, longest)
	for {
		if err := r.conn.SetReadDeadline(time.Now().Add(look)); err != nil {
			return fmt.Errorf("listen for readiness: %w", err)
		}
		n, err := r.conn.Read(buffer)
		switch {
		case err == nil && isReady(string(buffer[:n])):
			return nil
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("listen for readiness: %w", err)
		case ctx.Err() != nil:
			return ctx.Err()
		case !alive():
			return errEnded
		}
	}
}

func isReady(message string) bool {
	for line := range strings.Lines(message) {
		if strings.TrimSpace(line) == "READY=1" {
			return true
		}
	}
	return false
}
