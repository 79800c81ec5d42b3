package logs

import (
	"bytes"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// Direct makes whole lines of what a container writes while somebody is attached to it: without the engine's stamps, which are
// only in what a log driver keeps. A line's time is when its beginning came. It belongs to one goroutine.
type Direct struct {
	source Source
	sink   func(Item) error
	now    func() time.Time
	halves [2]directHalf
	limit  int
}

// directHalf is what has come of a line of one of the two streams.
type directHalf struct {
	stream engine.Stream
	line   []byte
	begun  time.Time
}

// NewDirect makes lines of one run of a container and hands them to sink, which owns the text only during the call.
func NewDirect(source Source, sink func(Item) error) *Direct {
	return &Direct{
		source: source, sink: sink, now: time.Now, limit: lineLimit,
		halves: [2]directHalf{{stream: engine.Stdout}, {stream: engine.Stderr}},
	}
}

// Frame takes what comes next. The error is the sink's; nothing must follow it.
func (d *Direct) Frame(frame engine.Frame) error {
	h := &d.halves[0]
	if frame.Stream == engine.Stderr {
		h = &d.halves[1]
	}
	for data := frame.Data; len(data) > 0; {
		if len(h.line) == 0 {
			h.begun = d.now().UTC()
		}
		room := data[:min(len(data), d.limit-len(h.line))]
		text, _, ended := bytes.Cut(room, []byte{'\n'})
		h.line, data = append(h.line, text...), data[len(text):]
		if ended {
			data = data[1:]
		} else if len(h.line) < d.limit {
			return nil
		}
		if err := d.endLine(h, !ended); err != nil {
			return err
		}
	}
	return nil
}

// End hands on the lines that have begun: nothing more comes.
func (d *Direct) End() error {
	for i := range d.halves {
		if h := &d.halves[i]; len(h.line) > 0 {
			if err := d.endLine(h, false); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Direct) endLine(h *directHalf, cut bool) error {
	text := h.line
	if !cut {
		text = withoutReturn(text)
	}
	h.line = h.line[:0]
	return d.sink(Item{Kind: KindLine, Line: Line{Source: d.source, Stream: h.stream, Time: h.begun, Text: text, Cut: cut}})
}
