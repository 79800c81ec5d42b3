//go:build !linux

package registry

import (
	"context"
	"net"
)

// reservation is a port of 127.0.0.1 that was free once.
type reservation struct{ bound string }

func reserve() (*reservation, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &reservation{listener.Addr().String()}, listener.Close()
}

func (r *reservation) listen(ctx context.Context) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", r.bound)
}

func (r *reservation) address() string { return r.bound }

func (*reservation) close() error { return nil }
