package form

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/muster-dev/muster/logs"
)

// mostKept bounds, in bytes, what a [Last] keeps of all sources.
const mostKept = 64 << 20

// mostMarks bounds how many marks wait between the lines that are kept.
const mostMarks = 1024

// Last keeps the last lines of every source until it is told that a history has ended, and then hands them on in the order in which
// they came. From then on everything passes.
type Last struct {
	count int
	of    func(logs.Source) string
	next  Sink

	rings   map[string]*ring
	marks   []keptLine // between the lines
	came    uint64
	bytes   int
	dropped bool
	passing bool
}

// ring is the last lines of a source: the oldest is at start once it is full.
type ring struct {
	lines []keptLine
	start int
}

type keptLine struct {
	item logs.Item
	came uint64
}

// NewLast returns a Last before next, which keeps count lines of all sources for which of is the same.
func NewLast(count int, of func(logs.Source) string, next Sink) *Last {
	return &Last{count: count, of: of, next: next, rings: map[string]*ring{}}
}

// OfContainer counts the lines of each container.
func OfContainer(source logs.Source) string { return source.ContainerID }

// OfService counts the lines of all containers of a service.
func OfService(source logs.Source) string { return source.Service }

// OfAll counts all lines.
func OfAll(logs.Source) string { return "" }

// Item is a [Sink].
func (l *Last) Item(item logs.Item) error {
	switch {
	case l.passing:
		return l.next(item)
	case item.Kind != logs.KindLine && len(l.marks) < mostMarks:
		l.came++
		l.marks = append(l.marks, keptLine{item, l.came})
		return nil
	case item.Kind != logs.KindLine:
		return l.next(item)
	case l.count == 0:
		return nil
	}
	key := l.of(item.Source)
	r := l.rings[key]
	if r == nil {
		r = &ring{}
		l.rings[key] = r
	}
	l.came++
	for len(r.lines)-r.start > 0 && (len(r.lines)-r.start >= l.count || l.bytes+len(item.Text) > mostKept) {
		l.dropped = l.dropped || len(r.lines)-r.start < l.count
		l.bytes -= len(r.lines[r.start].item.Text)
		r.lines[r.start] = keptLine{}
		r.start++
	}
	if r.start > l.count { // half of it is free
		r.lines = append(r.lines[:0], r.lines[r.start:]...)
		r.start = 0
	}
	item.Text = bytes.Clone(item.Text)
	r.lines = append(r.lines, keptLine{item, l.came})
	l.bytes += len(item.Text)
	return nil
}

// Full says whether lines were dropped, although fewer than asked for are kept, because they were too large.
func (l *Last) Full() bool { return l.dropped }

// End hands on what is kept: the history has ended.
func (l *Last) End() error {
	l.passing = true
	lines := l.marks
	for _, r := range l.rings {
		lines = append(lines, r.lines[r.start:]...)
	}
	l.rings, l.marks = nil, nil
	slices.SortFunc(lines, func(a, b keptLine) int { return cmp.Compare(a.came, b.came) })
	for _, line := range lines {
		if err := l.next(line.item); err != nil {
			return err
		}
	}
	return nil
}
