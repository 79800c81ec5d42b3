package docker

import (
	"context"
	"time"
)

// sshLine is a connection to the server, which sessions share. The first of them makes it, alone. What changes is guarded by
// the dialer's mutex.
type sshLine struct {
	number   int
	sessions int
	limit    int // how many sessions the server opens on it, as far as is known
	stands   bool
}

// sshPatience is how long to wait for a place on the lines that there are before one more is made: most calls are short.
const sshPatience = 250 * time.Millisecond

// queue returns a place on a line, on a further one when patience is over.
func (d *sshDialer) queue(patience context.Context) *sshLine {
	for {
		line, left := d.take(patience.Err() != nil)
		if line != nil {
			return line
		}
		select {
		case <-left:
		case <-patience.Done():
		}
	}
}

// take finds a place on a line, the first that has one. Where none has, it is on a further line, or there is a channel to wait on.
func (d *sshDialer) take(mayMake bool) (*sshLine, <-chan struct{}) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, line := range d.lines {
		if line.sessions < line.limit {
			line.sessions++
			return line, nil
		}
	}
	if !mayMake && len(d.lines) > 0 {
		return nil, d.left
	}
	line := &sshLine{number: len(d.lines), sessions: 1, limit: d.nextLimit()}
	d.lines = append(d.lines, line)
	return line, nil
}

// nextLimit is a further line's limit. The last line's tells the server's; the first line's need not: others that ran before, or
// run at the same time, may have sessions on it.
func (d *sshDialer) nextLimit() int {
	if len(d.lines) > 1 {
		return d.lines[len(d.lines)-1].limit
	}
	return d.command.sharing.sessions
}

// settle makes a connection leave its line when it ends; none, or one that has ended, leaves at once.
func (d *sshDialer) settle(conn *sshConn, line *sshLine) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if _, ok := d.open[conn]; ok {
		conn.line = line
		return
	}
	d.leave(line)
}

// leave is called with the mutex held. Without sessions a line ends some time later.
func (d *sshDialer) leave(line *sshLine) {
	if line.sessions--; line.sessions == 0 {
		line.stands = false
	}
	close(d.left)
	d.left = make(chan struct{})
}

func (d *sshDialer) isStanding(line *sshLine) bool {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return line.stands
}

func (d *sshDialer) stand(line *sshLine) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	line.stands = true
}

// forget makes the next session make the line anew.
func (d *sshDialer) forget(line *sshLine) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	line.stands = false
}

// narrow remembers that the server opens no more sessions on a line than there are now.
func (d *sshDialer) narrow(line *sshLine) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	line.limit = max(1, min(line.limit, line.sessions))
}
