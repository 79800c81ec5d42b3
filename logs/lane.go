package logs

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// errParked ends a stream whose turn another one takes: it goes on from the cursor later.
var errParked = errors.New("another log takes the turn")

// awaited says what the merger may expect of a lane that has nothing at hand.
type awaited uint8

const (
	awaitNothing awaited = iota // until it says otherwise
	awaitHistory                // a next item, or its end, for certain and soon: nothing passes before it is there
	awaitLive                   // maybe one, which may be older than what others have: that is held back for a moment
)

// lane is the way of one container's items to the merger, in their order. The upper part belongs to the tail.
type lane struct {
	to      *merger
	current *batch
	made    int
	most    int // batches that may be under way
	size    int // of a batch
	state   awaited
	free    chan *batch // what the merger gives back

	hungry atomic.Bool // the merger waits for this lane

	order
	queue   []*batch // of the merger
	expects awaited  // the merger's copy of state
	place   int      // in the merger's heap
}

// order is by what items of the same moment are sorted.
type order struct{ name, id string }

func newLane(to *merger, source Source, size, ahead int) *lane {
	return &lane{
		to: to, most: ahead, size: size, free: make(chan *batch, aheadLive),
		order: order{source.Name(), source.ContainerID}, place: nowhere,
	}
}

// ready waits until there is room for a frame. The stream gives its turn up when another one asks on turns meanwhile.
func (l *lane) ready(ctx context.Context, turns <-chan struct{}) error {
	if l.current != nil || l.obtain() {
		return nil
	}
	select {
	case b := <-l.free:
		l.current = b
		return nil
	case <-turns:
		return errParked
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *lane) obtain() bool {
	select {
	case l.current = <-l.free:
		return true
	default:
	}
	if l.made >= l.most {
		return false
	}
	l.made++
	l.current = &batch{}
	return true
}

// open is the batch that items go into. One frame may bring one batch more than may be under way; ready sees to the next.
func (l *lane) open(source Source) *batch {
	if l.current == nil && !l.obtain() {
		l.current = &batch{}
	}
	if len(l.current.records) == 0 {
		l.current.source, l.current.arrived = source, time.Now()
	}
	return l.current
}

func (l *lane) line(source Source, stream engine.Stream, at time.Time, text []byte, cut bool) {
	l.open(source).line(stream, at, text, cut)
}

func (l *lane) mark(item Item) { l.open(item.Source).mark(item) }

// pause is called between frames: it hands on what has come when the batch is full, or when nothing more is at hand and
// somebody may wait for it.
func (l *lane) pause(ctx context.Context, more bool) error {
	b := l.current
	switch {
	case b == nil || len(b.records) == 0:
		return nil
	case len(b.text) >= l.size || len(b.records) >= batchLines:
	case more, l.state == awaitHistory && (len(b.text) < leastBatch || !l.hungry.Load()):
		return nil // more of a history comes at once, or its end
	}
	return l.flush(ctx)
}

// flush hands on what has come.
func (l *lane) flush(ctx context.Context) error {
	b := l.current
	if b == nil || len(b.records) == 0 {
		return nil
	}
	l.current = nil
	return l.to.send(ctx, delivery{lane: l, batch: b})
}

// await tells the merger what to expect from now on, after what has come.
func (l *lane) await(ctx context.Context, state awaited) error {
	if err := l.flush(ctx); err != nil || l.state == state {
		return err
	}
	l.state = state
	if state == awaitLive {
		l.most = aheadLive
	}
	return l.to.send(ctx, delivery{lane: l, state: state})
}

// giveBack is for the merger.
func (l *lane) giveBack(b *batch) {
	select {
	case l.free <- b.empty():
	default: // one more than may be under way
	}
}

// before says whether the lane's next item comes before the other's.
func (l *lane) before(other *lane) bool {
	if l.to.loud {
		return l.queue[0].turn < other.queue[0].turn
	}
	mine, theirs := l.head().at, other.head().at
	if mine != theirs {
		return mine < theirs
	}
	return l.name < other.name || l.name == other.name && l.id < other.id
}

func (l *lane) head() *record {
	b := l.queue[0]
	return &b.records[b.next]
}
