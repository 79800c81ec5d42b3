package form

import (
	"sync"
	"time"

	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/record"
)

const (
	// quietAfter is how long after its last line a record is taken for whole, and longestHeld how long its first line waits at most;
	// both by the clock here. What is read of a history goes by the engine's clock, with longestHeld too.
	// With the 50 ms that [logs.Follow] holds back no line is shown later than 100 ms after it came.
	quietAfter, longestHeld = 30 * time.Millisecond, 45 * time.Millisecond
	// mostLines and mostBytes bound a record: what is longer goes on as another one.
	mostLines, mostBytes = 500, 256 << 10
	// mostHeld and mostHeldBytes bound what waits in all: above them the first record goes.
	mostHeld, mostHeldBytes = 1024, 1 << 20
	// keptBuffer is the size up to which a buffer is used again.
	keptBuffer = 64 << 10
)

// Gather keeps the lines of a record together, such as those of a stack trace, where other containers write meanwhile: records come in the
// order of their first lines. No line waits longer than 45 ms.
//
// Its Item may be called from one goroutine at a time; while lines wait, a timer may call the next sink from another, never at the same
// time. Close must be called in the end. An error of the next sink in between is returned by the next call.
type Gather struct {
	joined bool
	next   Sink

	mutex   sync.Mutex
	streams map[stream]*gathered
	queue   []*held // in the order of their first lines, from head on
	head    int
	bytes   int // that wait
	newest  time.Time
	spare   []*held
	timer   *time.Timer
	armed   bool
	closed  bool
	failure error
}

// gathered is a stream.
type gathered struct {
	seam record.Seam
	open *held // what its next line may go on with; nil when there is none
}

// held is a record, or a mark, that waits.
type held struct {
	item  logs.Item
	of    *gathered // nil of a mark
	text  []byte
	lines []heldLine
	whole bool // nothing more belongs to it

	came, touched time.Time // its first line and its last, by the clock here
	last          time.Time // its last line, by the engine's clock
}

type heldLine struct {
	end  int // in the text
	time time.Time
}

// NewGather returns a Gather before next. With joined a record is handed on as one item, its lines joined by line feeds; else line by line.
func NewGather(joined bool, next Sink) *Gather {
	g := &Gather{joined: joined, next: next, streams: map[stream]*gathered{}}
	return g
}

// Item is a [Sink].
func (g *Gather) Item(item logs.Item) error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.failure != nil {
		return g.failure
	}
	now := time.Now()
	if item.Time.After(g.newest) {
		g.newest = item.Time
	}
	if item.Kind == logs.KindLine {
		g.line(item, now)
	} else {
		g.mark(item, now)
	}
	return g.pass(now)
}

// Close hands on all that waits. Nothing is to be given after it.
func (g *Gather) Close() error {
	g.mutex.Lock()
	if g.timer != nil {
		g.timer.Stop()
	}
	g.closed = true
	g.mutex.Unlock()
	return g.Flush()
}

// Flush hands on all that waits.
func (g *Gather) Flush() error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	for g.waiting() > 0 && g.failure == nil {
		g.failure = g.first()
	}
	return g.failure
}

// line takes a line into the record that it goes on with, or begins one.
func (g *Gather) line(item logs.Item, now time.Time) {
	key := streamOf(item)
	s := g.streams[key]
	if s == nil {
		s = &gathered{}
		g.streams[key] = s
	}
	continues := s.seam.Continues(item.Text)
	h := s.open
	if h == nil || !continues || len(h.lines) == mostLines || len(h.text)+len(item.Text) > mostBytes {
		if h != nil {
			h.whole = true
		}
		h = g.hold(item, now)
		h.of, s.open = s, h
	} else {
		h.text = append(h.text, '\n')
	}
	h.text = append(h.text, item.Text...)
	h.lines = append(h.lines, heldLine{len(h.text), item.Time})
	h.touched, h.last = now, item.Time
	g.bytes += len(item.Text)
	if item.Cut {
		h.item.Cut, h.whole, s.open = true, true, nil
	}
}

// mark takes a mark, which ends the records of its container.
func (g *Gather) mark(item logs.Item, now time.Time) {
	for key, s := range g.streams {
		if key.containerID == item.Source.ContainerID && s.open != nil {
			s.open.whole, s.open = true, nil
		}
	}
	g.hold(item, now).whole = true
}

func (g *Gather) hold(item logs.Item, now time.Time) *held {
	var h *held
	if n := len(g.spare); n > 0 {
		h, g.spare = g.spare[n-1], g.spare[:n-1]
	} else {
		h = &held{}
	}
	text := h.text[:0]
	if cap(text) > keptBuffer {
		text = nil
	}
	*h = held{item: item, text: text, lines: h.lines[:0], came: now, touched: now, last: item.Time}
	h.item.Text = nil
	g.queue = append(g.queue, h)
	return h
}

// pass hands on what is whole, in order, and has the timer look again when the first of the rest will be.
func (g *Gather) pass(now time.Time) error {
	for g.waiting() > 0 && g.failure == nil && g.ready(g.queue[g.head], now) {
		g.failure = g.first()
	}
	if g.waiting() == 0 || g.armed || g.closed || g.failure != nil {
		return g.failure
	}
	g.armed = true
	wait := g.queue[g.head].due().Sub(now)
	if g.timer == nil {
		g.timer = time.AfterFunc(wait, g.late)
	} else {
		g.timer.Reset(wait)
	}
	return nil
}

// late is called by the timer.
func (g *Gather) late() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.armed = false
	if !g.closed {
		_ = g.pass(time.Now()) // the next call returns it
	}
}

func (g *Gather) waiting() int { return len(g.queue) - g.head }

func (g *Gather) ready(h *held, now time.Time) bool {
	return h.whole || !now.Before(h.due()) || g.newest.Sub(h.last) > longestHeld || g.waiting() > mostHeld || g.bytes > mostHeldBytes
}

// due is when a record is taken for whole.
func (h *held) due() time.Time {
	due, last := h.touched.Add(quietAfter), h.came.Add(longestHeld)
	if last.Before(due) {
		return last
	}
	return due
}

// first hands on what waits first.
func (g *Gather) first() error {
	h := g.queue[g.head]
	g.head++
	if g.head >= len(g.queue)-g.head { // half of it is free
		g.queue = append(g.queue[:0], g.queue[g.head:]...)
		g.head = 0
	}
	if h.of != nil && h.of.open == h {
		h.of.open = nil
	}
	g.bytes -= len(h.text) - max(0, len(h.lines)-1)
	err := g.give(h)
	h.item, h.of = logs.Item{}, nil
	g.spare = append(g.spare, h)
	return err
}

func (g *Gather) give(h *held) error {
	item := h.item
	if g.joined || len(h.lines) <= 1 {
		item.Text = h.text
		return g.next(item)
	}
	start := 0
	for i, line := range h.lines {
		item.Text, item.Time, item.Cut = h.text[start:line.end], line.time, h.item.Cut && i == len(h.lines)-1
		if err := g.next(item); err != nil {
			return err
		}
		start = line.end + 1
	}
	return nil
}
