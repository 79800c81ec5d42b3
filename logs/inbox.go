package logs

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// task is something for a tail to do.
type task struct {
	kind taskKind
	time time.Time // of what it is about, by the engine's clock; zero where nobody knows

	follow  bool   // of taskRead: go on until the container ends
	started bool   // of taskRead: the container has just started
	name    string // of taskRename
	mark    *Item  // of taskMark

	passed, ended chan struct{} // of taskPass, and of taskAfter: either of them
	exit                        // of taskExit
}

type taskKind uint8

const (
	taskRead   taskKind = iota + 1 // read from the cursor on
	taskExit                       // say that the container has ended
	taskRename                     // the container has another name
	taskPass                       // close passed: what came before is told
	taskAfter                      // wait for that
	taskMark                       // hand a mark on; for a herald
)

// exit is the end of a run of a container.
type exit struct {
	code        int
	restarting  bool
	outOfMemory bool
	replaced    bool // by a container that takes its place
}

// inbox is what waits for a tail to do. It never holds up who fills it: a tail that is held back by a slow reader must not
// keep the others from being told of what happens.
type inbox struct {
	mutex  sync.Mutex
	tasks  []task
	length atomic.Int32 // of tasks
	closed bool
	change chan struct{} // holds a token after a change that was not waited for
	onExit func()        // see whenExit
}

func newInbox() *inbox { return &inbox{change: make(chan struct{}, 1)} }

func (b *inbox) push(tasks ...task) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.set(append(b.tasks, tasks...))
	b.notify()
}

func (b *inbox) set(tasks []task) {
	b.tasks = tasks
	b.length.Store(int32(len(tasks))) //nolint:gosec // few
}

// some says whether there is a task. It costs next to nothing.
func (b *inbox) some() bool { return b.length.Load() > 0 }

// close lets the tail end when it has done everything.
func (b *inbox) close() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.closed = true
	b.notify()
}

func (b *inbox) notify() {
	select {
	case b.change <- struct{}{}:
	default:
	}
	if _, waits := b.firstExit(); waits && b.onExit != nil {
		b.onExit()
		b.onExit = nil
	}
}

// next waits for a task. There is none when the inbox is closed and empty.
func (b *inbox) next(ctx context.Context) (task, bool, error) {
	for {
		b.mutex.Lock()
		if len(b.tasks) > 0 {
			first := b.tasks[0]
			b.set(b.tasks[1:])
			b.mutex.Unlock()
			return first, true, nil
		}
		closed := b.closed
		b.mutex.Unlock()
		if closed {
			return task{}, false, nil
		}
		select {
		case <-b.change:
		case <-ctx.Done():
			return task{}, false, ctx.Err()
		}
	}
}

// wait returns when there is a task or no more will come, or after a while: then it is false.
func (b *inbox) wait(ctx context.Context, atMost time.Duration) bool {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	for !b.filled() {
		select {
		case <-b.change:
		case <-timer.C:
			return b.filled()
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (b *inbox) filled() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return len(b.tasks) > 0 || b.closed
}

// last says whether no more will come.
func (b *inbox) last() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.closed
}

// exitAhead is the first exit that waits.
func (b *inbox) exitAhead() (task, bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.firstExit()
}

func (b *inbox) firstExit() (task, bool) {
	for _, t := range b.tasks {
		if t.kind == taskExit {
			return t, true
		}
	}
	return task{}, false
}

// overdue is what must be told before a line of the moment: an exit that was before it, which is taken, and once the container
// is known to run again that it has started, of which the reading is left to be done.
func (b *inbox) overdue(moment time.Time, runsAgain bool) (task, bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.tasks) == 0 {
		return task{}, false
	}
	first := b.tasks[0]
	switch {
	case first.kind == taskExit && !first.time.IsZero() && first.time.Before(moment):
		b.set(b.tasks[1:])
		return first, true
	case runsAgain && first.kind == taskRead && first.started:
		b.tasks[0].started = false
		return first, true
	}
	return task{}, false
}

// whenExit calls back once, as soon as an exit waits; nil takes the call back. The call must not block nor use the inbox.
func (b *inbox) whenExit(call func()) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.onExit = call
	b.notify()
}
