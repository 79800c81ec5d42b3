package registry

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// reservation keeps a port of 127.0.0.1 for [reservation.listen]: while nobody listens, connections are refused, and nobody else
// gets the port.
type reservation struct {
	port   int
	socket int
}

// reserve takes any port that is free.
func reserve() (*reservation, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	r := &reservation{socket: socket}
	if err = shared(socket); err == nil {
		err = os.NewSyscallError("bind", unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	}
	if err != nil {
		_ = r.close()
		return nil, err
	}
	address, err := unix.Getsockname(socket)
	if bound, ok := address.(*unix.SockaddrInet4); ok {
		r.port = bound.Port
		return r, nil
	}
	_ = r.close()
	return nil, os.NewSyscallError("getsockname", err)
}

// shared lets several sockets of this user be bound to one port.
func shared(socket int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
}

func (r *reservation) listen(ctx context.Context) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		if failed := raw.Control(func(socket uintptr) { err = shared(int(socket)) }); failed != nil {
			return failed
		}
		return err
	}}
	l, err := config.Listen(ctx, "tcp", r.address())
	if err != nil {
		return nil, err
	}
	return listener{l}, nil
}

// listener ends at once when it is closed: a program that is just being started has a copy of its socket for a moment.
type listener struct{ net.Listener }

func (l listener) Close() error {
	if socket, ok := l.Listener.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			_ = raw.Control(func(socket uintptr) { _ = unix.Shutdown(int(socket), unix.SHUT_RDWR) }) // closed already, at worst
		}
	}
	return l.Listener.Close()
}

func (r *reservation) address() string { return fmt.Sprintf("127.0.0.1:%d", r.port) }

func (r *reservation) close() error { return unix.Close(r.socket) }
