package logs

import (
	"bytes"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

const (
	// messageSize is how much of a line the engine stores in one go; a longer line is several messages.
	messageSize = 16 << 10
	// lineLimit is how much of a line is held before it is cut, in bytes.
	lineLimit = 1 << 20
	// leastPart is the smallest part that an engine makes of a long line. A smaller message without a line end was the last
	// that a run of the container wrote.
	leastPart = 8 << 10
)

// decoder turns the frames of one container into whole lines, whatever connections they come over. Frames must carry stamps.
//
// Each stream is a sequence of messages "<stamp> <text>". Where a message begins is told by what is there: after a line end;
// after exactly messageSize bytes of text; and at the beginning of a frame, unless the container has a terminal, whose output
// the engine cuts anywhere. So the same bytes make the same lines however they are cut.
type decoder struct {
	emit func(stream engine.Stream, at time.Time, text []byte, cut bool) error

	cursor cursor // what was read
	replay cursor // what the connection in use will give again
	stamps stampReader
	raw    bool // frames begin anywhere
	halves [2]half

	messageSize, lineLimit, leastPart int
}

// half is one of the two streams of a container.
type half struct {
	stream engine.Stream
	line   []byte    // the line that has begun
	time   time.Time // its stamp
	begun  bool

	inside bool      // a message has begun
	again  bool      // it was read over an earlier connection
	at     time.Time // its stamp, or where it has none that of the one before
	size   int       // of its text so far
	start  int       // where in line it begins
	stamp  []byte    // what may be the beginning of the next message's stamp

	open    int  // size of the message that a stream ended in, while it is the last that was read
	repeats bool // the message under way is that one
}

func newDecoder(emit func(engine.Stream, time.Time, []byte, bool) error) *decoder {
	return &decoder{
		emit:        emit,
		halves:      [2]half{{stream: engine.Stdout}, {stream: engine.Stderr}},
		messageSize: messageSize, lineLimit: lineLimit, leastPart: leastPart,
	}
}

// frame takes the next frame. The error is that of emit; nothing must be decoded after one.
func (d *decoder) frame(frame engine.Frame) error {
	h := &d.halves[0]
	if frame.Stream == engine.Stderr {
		h = &d.halves[1]
	}
	if err := d.boundary(h, frame.Data); err != nil {
		return err
	}
	data := frame.Data
	for len(data) > 0 {
		if !h.inside {
			if data = d.begin(h, data); !h.inside {
				return nil
			}
		}
		rest, ended, err := d.text(h, data)
		if err != nil {
			return err
		}
		d.raw = d.raw || ended && len(rest) > 0
		data = rest
	}
	return nil
}

// boundary ends the message under way where the beginning of a frame says so.
func (d *decoder) boundary(h *half, data []byte) error {
	if d.raw {
		return nil
	}
	at, _, found := d.stamps.read(data)
	if d.raw = found != aStamp; d.raw || !h.inside || h.size == 0 {
		return nil
	}
	short := h.size < d.leastPart && !h.again
	if err := d.finish(h); err != nil {
		return err
	}
	if short && h.begun && !at.Equal(h.time) {
		return d.endLine(h)
	}
	return nil
}

// begin reads the stamp of a message. What it returns is the text; while the stamp is not whole, no message has begun.
func (d *decoder) begin(h *half, data []byte) []byte {
	head := data
	if len(h.stamp) > 0 {
		head = append(h.stamp, data[:min(len(data), longestStamp)]...) //nolint:gocritic // kept only when it is still half a stamp
	}
	at, size, found := d.stamps.read(head)
	switch found {
	case halfAStamp:
		h.stamp = append(h.stamp[:0], head...)
		return nil
	case aStamp:
		data = data[size-len(h.stamp):]
		d.beginMessage(h, at)
	case noStamp:
		d.beginMessage(h, h.at)
		h.hold(h.stamp)
	}
	h.stamp = h.stamp[:0]
	return data
}

func (d *decoder) beginMessage(h *half, at time.Time) {
	h.inside, h.at, h.size, h.start = true, at, 0, len(h.line)
	h.again = d.replay.again(at)
	h.repeats = h.again && h.open > 0 && d.replay.at+d.replay.behind == 0
	if h.again {
		return
	}
	h.open = 0
	if !h.begun {
		h.begun, h.time = true, at
	}
}

// hold keeps text of the message under way until its line is whole.
func (h *half) hold(text []byte) {
	h.size += len(text)
	if !h.again {
		h.line = append(h.line, text...)
	}
}

// text reads the message under way to its end, or as far as there is data.
func (d *decoder) text(h *half, data []byte) (rest []byte, lineEnded bool, err error) {
	size := d.messageSize
	if h.repeats {
		size = h.open // after it comes the next run's first message, or the rest of the line
	}
	part := data[:min(len(data), size-h.size)]
	end := bytes.IndexByte(part, '\n')
	if end < 0 {
		h.hold(part)
		if h.size >= size {
			err = d.finish(h)
		}
		return data[len(part):], false, err
	}
	part, rest = data[:end], data[end+1:]
	if h.again {
		h.inside = false
		return rest, true, nil
	}
	d.cursor.pass(h.at)
	h.inside = false
	if len(h.line) == 0 {
		h.begun = false
		return rest, true, d.emit(h.stream, h.time, withoutReturn(part), false)
	}
	h.line = append(h.line, part...)
	return rest, true, d.endLine(h)
}

// finish ends a message that does not end its line.
func (d *decoder) finish(h *half) error {
	h.inside = false
	if h.again {
		return nil
	}
	d.cursor.pass(h.at)
	if len(h.line) < d.lineLimit {
		return nil
	}
	err := d.emit(h.stream, h.time, h.line, true)
	h.line = h.line[:0]
	return err
}

func (d *decoder) endLine(h *half) error {
	err := d.emit(h.stream, h.time, withoutReturn(h.line), false)
	h.line, h.begun = h.line[:0], false
	return err
}

// withoutReturn takes off the carriage return that a terminal puts before a line end.
func withoutReturn(line []byte) []byte { return bytes.TrimSuffix(line, []byte{'\r'}) }

// end is called when a stream has come to its end: lines that have begun are as whole as they will be.
func (d *decoder) end() error {
	for i := range d.halves {
		if err := d.endHalf(&d.halves[i]); err != nil {
			return err
		}
	}
	d.replay = d.cursor
	return nil
}

func (d *decoder) endHalf(h *half) error {
	if len(h.stamp) > 0 {
		d.beginMessage(h, h.at)
		h.hold(h.stamp)
		h.stamp = h.stamp[:0]
	}
	if h.inside {
		if !h.again {
			h.open = h.size
		}
		if err := d.finish(h); err != nil {
			return err
		}
	}
	h.begun = false
	if len(h.line) == 0 {
		return nil
	}
	return d.endLine(h)
}

// lost is called when a connection has broken off. What is left of messages that are not whole is dropped, because the next
// connection, which must begin at the cursor's time, gives them again.
func (d *decoder) lost() {
	for i := range d.halves {
		h := &d.halves[i]
		if h.inside && !h.again {
			h.line = h.line[:h.start]
			h.begun = h.begun && h.start > 0
		}
		h.inside, h.stamp = false, h.stamp[:0]
	}
	d.replay = d.cursor
}
