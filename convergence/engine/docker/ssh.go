package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// sshDialer reaches an engine through ssh: each connection is an ssh whose other end runs `docker system dial-stdio`, as the
// docker CLI has it. The docker CLI leaves open how many of them a server takes. sshd drops those that come too many at once
// (MaxStartups), and opens ten sessions at most on one connection (MaxSessions). So here sessions share few connections, called
// lines, and lines are made one after the other.
type sshDialer struct {
	command sshCommand
	making  *semaphore.Weighted // of the one line that is being made
	begun   *semaphore.Weighted // of sessions that are being opened

	mutex  sync.Mutex
	lines  []*sshLine
	left   chan struct{} // closed, and a new one made, when a session has left its line
	open   map[*sshConn]struct{}
	closed bool
	group  errgroup.Group // watches over the processes
}

// sshBegun is how many sessions are opened at once: it bounds what starting them costs both sides.
const sshBegun = 6

// newSSHDialer finds ssh and how to call it. Nothing is connected yet.
func newSSHDialer(ctx context.Context, s settings, endpoint Endpoint) (*sshDialer, error) {
	command, err := newSSHCommand(ctx, s, endpoint)
	if err != nil {
		return nil, err
	}
	return &sshDialer{
		command: command, making: semaphore.NewWeighted(1), begun: semaphore.NewWeighted(sshBegun),
		left: make(chan struct{}), open: map[*sshConn]struct{}{},
	}, nil
}

// dial returns a connection that is made when something is written to it. The HTTP transport dials more often than it needs to:
// a request takes the next connection that is free, and the one that was dialled for it is left.
func (d *sshDialer) dial(context.Context, string, string) (net.Conn, error) { return newLateConn(d.connect), nil }

// connect returns a connection on which the engine has answered already. So what is wrong with ssh is wrong before a request is
// sent, and trying again never does anything twice.
func (d *sshDialer) connect(ctx context.Context) (net.Conn, error) {
	const attempts = 4 // on lines that turn out not to be there
	patience, cancel := context.WithTimeout(ctx, sshPatience)
	defer cancel()
	for gone := 0; ; {
		line := d.queue(patience)
		conn, err := d.connectOn(ctx, line, gone >= attempts)
		d.settle(conn, line)
		switch {
		case err == nil:
			return conn, nil
		case errors.Is(err, errLineFull):
			d.narrow(line)
		case errors.Is(err, errLineGone):
			gone++
			d.forget(line)
		default:
			return nil, err
		}
	}
}

// What a session on a line that stood can meet with.
var (
	errLineFull = errors.New("the server opens no more sessions on this connection")
	errLineGone = errors.New("the shared connection is gone")
)

// connectOn opens a session on a line, which the first one makes. One that is alone shares nothing.
func (d *sshDialer) connectOn(ctx context.Context, line *sshLine, alone bool) (*sshConn, error) {
	if alone || d.command.sharing.none {
		return d.try(ctx, line, sharesNone)
	}
	if !d.isStanding(line) {
		if err := d.making.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		defer d.making.Release(1)
	}
	if !d.isStanding(line) {
		conn, err := d.try(ctx, line, makesLine)
		if err == nil {
			d.stand(line)
		}
		return conn, err
	}
	conn, err := d.try(ctx, line, joinsLine)
	return conn, lineTrouble(err)
}

// try opens a session, and again where the server has dropped it because too many came at once, from others then.
func (d *sshDialer) try(ctx context.Context, line *sshLine, role sshRole) (*sshConn, error) {
	const attempts, pause = 4, 250 * time.Millisecond
	if err := d.begun.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer d.begun.Release(1)
	for attempt := 0; ; attempt++ {
		conn, err := d.start(line, role)
		if err == nil {
			err = conn.greet(ctx)
		}
		if err == nil {
			return conn, nil
		}
		if attempt+1 == attempts || role == joinsLine || !isDropped(err) {
			return nil, err
		}
		select {
		case <-time.After(pause << attempt):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// start runs ssh for a session on a line.
func (d *sshDialer) start(line *sshLine, role sshRole) (*sshConn, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.closed {
		return nil, fmt.Errorf("dial through ssh: %w", net.ErrClosed)
	}
	conn, err := startSSH(d.command, line.number, role)
	if err != nil {
		return nil, err
	}
	d.open[conn] = struct{}{}
	d.group.Go(func() error {
		conn.watch()
		d.mutex.Lock()
		defer d.mutex.Unlock()
		delete(d.open, conn)
		if conn.line != nil {
			d.leave(conn.line)
		}
		return nil
	})
	return conn, nil
}

// close ends all sessions and returns when no process of them is left. Lines end by themselves.
func (d *sshDialer) close() {
	d.mutex.Lock()
	d.closed = true
	for conn := range d.open {
		_ = conn.Close()
	}
	d.mutex.Unlock()
	_ = d.group.Wait()
}
