package sshdial

import (
	"context"
	"errors"
)

// line is a connection to the server, which sessions share. The first of them makes it, alone. What changes is guarded by the
// dialer's mutex.
type line struct {
	number   int
	sessions int
	limit    int // how many sessions the server opens on it, as far as is known
	stands   bool
}

// queue returns a place on a line; when the time to wait for one is over, on a further line.
func (d *Dialer) queue(waiting context.Context) *line {
	for {
		l, left := d.take(waiting.Err() != nil)
		if l != nil {
			return l
		}
		select {
		case <-left:
		case <-waiting.Done():
		}
	}
}

// take finds a place on a line, the first that has one. Where none has, it is on a further line, or there is a channel to wait on.
func (d *Dialer) take(mayMake bool) (*line, <-chan struct{}) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, l := range d.lines {
		if l.sessions < l.limit {
			l.sessions++
			return l, nil
		}
	}
	if !mayMake && len(d.lines) > 0 {
		return nil, d.left
	}
	l := &line{number: len(d.lines), sessions: 1, limit: d.nextLimit()}
	d.lines = append(d.lines, l)
	return l, nil
}

// nextLimit is a further line's limit. The last line's tells the server's; the first line's need not: others that ran before, or
// run at the same time, may have sessions on it.
func (d *Dialer) nextLimit() int {
	if len(d.lines) > 1 {
		return d.lines[len(d.lines)-1].limit
	}
	return d.command.sharing.sessions
}

// settle says what became of a place on a line. A session leaves it when it ends; none, or one that has ended, leaves at once.
func (d *Dialer) settle(l *line, c *conn, err error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if _, ok := d.open[c]; ok && err == nil {
		c.line = l
		return
	}
	switch {
	case errors.Is(err, errLineFull): // it opens no more than the others on it
		l.limit = max(1, min(l.limit, l.sessions-1))
	case errors.Is(err, errLineGone): // the next session makes it anew
		l.stands = false
	}
	d.leave(l)
}

// ended forgets a session whose process is no more.
func (d *Dialer) ended(c *conn) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.open, c)
	if c.line != nil {
		d.leave(c.line)
	}
}

// leave is called with the mutex held. A line without sessions is to be made again: it may have ended until then.
func (d *Dialer) leave(l *line) {
	if l.sessions--; l.sessions == 0 {
		l.stands = false
	}
	close(d.left)
	d.left = make(chan struct{})
}

func (d *Dialer) isStanding(l *line) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return l.stands
}

func (d *Dialer) stand(l *line) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	l.stands = true
}
