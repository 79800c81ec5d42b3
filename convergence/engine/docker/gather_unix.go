//go:build unix

package docker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	gatherBuffer = 32 << 10
	// gatherAfter is how much is read as it comes: a short answer is not worth a pause.
	gatherAfter = 64 << 10
	// gatherTime is how long to let the engine write on when all has been read. A socket takes some hundred lines.
	gatherTime = 100 * time.Microsecond
)

// gathering is a connection of which Go's poller does not know. An engine writes each line of a log by itself, and the poller would
// wake the process for each, whether somebody reads just then or not: that costs more than all that is done with the lines.
type gathering struct {
	net.Conn // closed; it has the addresses
	file     *os.File
	taken    int
	short    bool // the last read has emptied the socket
	end      func() error
}

// gather takes a connection over. released is called when it is closed.
func gather(conn *net.UnixConn, released func()) (net.Conn, error) {
	file, err := blocking(conn)
	if err = errors.Join(err, conn.Close()); err != nil {
		released()
		return nil, fmt.Errorf("take connection over: %w", err)
	}
	return &gathering{Conn: conn, file: file, end: sync.OnceValue(func() error {
		defer released()
		// A close alone would not wake who reads.
		shut := unix.Shutdown(int(file.Fd()), unix.SHUT_RDWR)
		if errors.Is(shut, unix.ENOTCONN) {
			shut = nil
		}
		return errors.Join(shut, file.Close())
	})}, nil
}

// blocking is a copy of a connection's socket whose calls block.
func blocking(conn *net.UnixConn) (file *os.File, err error) {
	socket, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	outer := socket.Control(func(descriptor uintptr) {
		var number int
		if number, err = unix.FcntlInt(descriptor, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			err = unix.SetNonblock(number, false)
			file = os.NewFile(uintptr(number), "engine") //nolint:gosec // a descriptor is not negative
		}
	})
	return file, errors.Join(outer, err)
}

func (g *gathering) Read(into []byte) (int, error) {
	if g.short && g.taken > gatherAfter {
		time.Sleep(gatherTime)
	}
	n, err := g.file.Read(into)
	g.taken, g.short = g.taken+n, n < len(into)
	return n, err
}

func (g *gathering) Write(data []byte) (int, error) { return g.file.Write(data) }

func (g *gathering) Close() error { return g.end() }
