// Package form is what lies between the lines that logs are and the lines that people and programs read: filters, and ways to write.
//
// Every piece is a [Sink] that hands on to the next one, the last of them to a [logs.Printer] or to a writer. As [logs.Follow] does, they
// give their text for the duration of the call only, and expect to be called from one goroutine at a time; [Gather] says what it adds.
package form

import (
	"bytes"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/record"
)

// Sink takes items. Its error ends the following.
type Sink = func(logs.Item) error

// stream is one of the two streams of a container.
type stream struct {
	containerID string
	stream      engine.Stream
}

func streamOf(item logs.Item) stream { return stream{item.Source.ContainerID, item.Stream} }

// streams is what is known of the record that each stream is in.
type streams map[stream]*inRecord

type inRecord struct {
	seam  record.Seam
	level record.Level
	cut   bool // its last line goes on
}

// of returns what is known of a line's stream, and whether the line, or the first of those that were joined, goes on with the record
// before it.
func (s streams) of(item logs.Item) (in *inRecord, continues bool) {
	key := streamOf(item)
	if in = s[key]; in == nil {
		in = &inRecord{}
		s[key] = in
	}
	continues, in.cut = in.cut, item.Cut
	line, rest, more := bytes.Cut(item.Text, []byte{'\n'})
	if in.seam.Continues(line) {
		continues = true
	}
	for more {
		line, rest, more = bytes.Cut(rest, []byte{'\n'})
		in.seam.Continues(line)
	}
	return in, continues
}
