// Package sshdial connects to an engine on another host through OpenSSH: each connection is an ssh whose other end runs
// `docker system dial-stdio`, as the docker CLI has it. The docker CLI leaves open how many of them a server takes. sshd drops
// those that come too many at once (MaxStartups), and opens ten sessions at most on one connection (MaxSessions). So here
// sessions share few connections, called lines, and lines are made one after the other.
package sshdial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// Options say which host is meant, and where to find what it takes.
type Options struct {
	// Address is ssh://[user@]host[:port][/path/to/engine.sock].
	Address string
	// Env looks up environment variables; nil means the process's own. They are XDG_RUNTIME_DIR and TMPDIR, for the sockets
	// through which connections are shared.
	Env func(name string) string
	// LookPath finds a program as [exec.LookPath] does, which nil means.
	LookPath func(name string) (string, error)
}

// Dialer connects to one engine. Its methods may be called from many goroutines at once.
type Dialer struct {
	command command
	making  *semaphore.Weighted // of the one line that is being made
	begun   *semaphore.Weighted // of sessions that are being opened

	mutex  sync.Mutex
	lines  []*line
	left   chan struct{} // closed, and a new one made, when a session has left its line
	open   map[*conn]struct{}
	closed bool
	group  errgroup.Group // watches over the processes
}

// New finds ssh, and how to call it for the address. Nothing is connected yet. [Dialer.Close] ends it.
// The error is an [*Error] where ssh is missing; else the address is none.
func New(ctx context.Context, options Options) (*Dialer, error) {
	if options.Env == nil {
		options.Env = os.Getenv
	}
	if options.LookPath == nil {
		options.LookPath = exec.LookPath
	}
	command, err := newCommand(ctx, options)
	if err != nil {
		return nil, err
	}
	const atOnce = 6 // sessions being opened: it bounds what starting them costs both sides
	return &Dialer{
		command: command, making: semaphore.NewWeighted(1), begun: semaphore.NewWeighted(atOnce),
		left: make(chan struct{}), open: map[*conn]struct{}{},
	}, nil
}

// Dial returns a connection that is made when something is written to it; then an error of ssh is an [*Error]. HTTP transports
// dial more often than they need to: a request takes the next connection that is free, and the one that was dialled for it is
// left unused.
func (d *Dialer) Dial(context.Context) (net.Conn, error) { return newLateConn(d.connect), nil }

// Close ends all sessions and returns when no process of them is left. A line ends by itself some time later: until then the
// next command is spared a login.
func (d *Dialer) Close() {
	d.mutex.Lock()
	d.closed = true
	for c := range d.open {
		_ = c.Close()
	}
	d.mutex.Unlock()
	_ = d.group.Wait()
}

// connect returns a connection on which the engine has answered already. So what is wrong with ssh is wrong before a request is
// sent, and trying again never does anything twice.
func (d *Dialer) connect(ctx context.Context) (net.Conn, error) {
	const attempts = 4                          // on lines that turn out not to be there
	const untilOneMore = 250 * time.Millisecond // to wait for a place on the lines that there are: most calls are short
	waiting, cancel := context.WithTimeout(ctx, untilOneMore)
	defer cancel()
	for gone := 0; ; {
		line := d.queue(waiting)
		c, err := d.session(ctx, line, gone >= attempts)
		d.settle(line, c, err)
		switch {
		case err == nil:
			return c, nil
		case errors.Is(err, errLineGone):
			gone++
		case !errors.Is(err, errLineFull):
			return nil, err
		}
	}
}

// What a session on a line that stood can meet with. Nothing was begun then.
var (
	errLineFull = errors.New("the server opens no more sessions on this connection")
	errLineGone = errors.New("the shared connection is gone")
)

// session opens a session on a line, which the first one makes. One that is alone shares nothing.
func (d *Dialer) session(ctx context.Context, l *line, alone bool) (*conn, error) {
	if alone || d.command.sharing.none {
		return d.try(ctx, l, sharesNone)
	}
	if c, err := d.makeLine(ctx, l); c != nil || err != nil {
		return c, err
	}
	c, err := d.try(ctx, l, joinsLine)
	return c, lineTrouble(err)
}

// makeLine opens the session that makes a line; it returns none where the line stands already.
func (d *Dialer) makeLine(ctx context.Context, l *line) (*conn, error) {
	if d.isStanding(l) {
		return nil, nil
	}
	if err := d.making.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer d.making.Release(1)
	if d.isStanding(l) {
		return nil, nil
	}
	c, err := d.try(ctx, l, makesLine)
	if err == nil {
		d.stand(l)
	}
	return c, err
}

// try opens a session, and again where the server has dropped it because too many came at once, from others then.
func (d *Dialer) try(ctx context.Context, l *line, role role) (*conn, error) {
	const attempts, pause = 4, 250 * time.Millisecond
	if err := d.begun.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer d.begun.Release(1)
	for attempt := 0; ; attempt++ {
		c, err := d.start(l, role)
		if err == nil {
			err = c.greet(ctx)
		}
		if err == nil {
			return c, nil
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
func (d *Dialer) start(l *line, role role) (*conn, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.closed {
		return nil, fmt.Errorf("dial through ssh: %w", net.ErrClosed)
	}
	c, err := startSSH(d.command, l.number, role)
	if err != nil {
		return nil, err
	}
	d.open[c] = struct{}{}
	d.group.Go(func() error {
		c.watch()
		d.ended(c)
		return nil
	})
	return c, nil
}
