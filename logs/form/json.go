package form

import (
	"bytes"
	"encoding/base64"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/record"
)

// JSON writes every item as an object on a line of its own, with one call of Write. The keys stand in this order, those in brackets
// only where there is something to say:
//
//	ts         when, by the engine's clock: RFC 3339 with nanoseconds, UTC [of a mark whose time nobody knows: not there]
//	project, service, replica, container
//	stream     "stdout" or "stderr"
//	line       the text, with U+FFFD for bytes that are no UTF-8
//	[bytes]    the text in base64, where it is no UTF-8
//	[level]    trace, debug, info, warn, error or fatal; of a line that goes on with the record before it, that one's
//	[fields]   the object that the line is, as it is; of logfmt, its pairs as strings
//	[cut]      true: the line was too long, and goes on in the next object of the stream
//
// A mark has "event" and what belongs to it in place of "stream" and what follows: started, with again (it ran before); exited, with exit_code
// (not there when nobody knows it), restarting, out_of_memory and replaced (another container takes its place); out_of_memory; health, with
// health; unreadable, with error.
type JSON struct {
	out     io.Writer
	parser  record.Parser
	streams streams
	buffer  []byte
}

// NewJSON returns a JSON that writes to out.
func NewJSON(out io.Writer) *JSON { return &JSON{out: out, streams: streams{}} }

// Item is a [Sink].
func (j *JSON) Item(item logs.Item) error {
	j.buffer = append(j.buffer[:0], '{')
	if !item.Time.IsZero() {
		j.key("ts")
		j.buffer = append(item.Time.UTC().AppendFormat(append(j.buffer, '"'), StampLayout), '"')
	}
	j.text("project", item.Source.Project)
	j.text("service", item.Source.Service)
	j.number("replica", item.Source.Number)
	j.text("container", item.Source.Container)
	if item.Kind == logs.KindLine {
		j.line(item.Line)
	} else if !j.mark(item) {
		return nil
	}
	j.buffer = append(j.buffer, '}', '\n')
	_, err := j.out.Write(j.buffer)
	return err
}

func (j *JSON) line(line logs.Line) {
	j.text("stream", streamName(line.Stream))
	j.key("line")
	j.buffer = appendQuoted(j.buffer, line.Text)
	valid := utf8.Valid(line.Text)
	if !valid {
		j.key("bytes")
		j.buffer = append(base64.StdEncoding.AppendEncode(append(j.buffer, '"'), line.Text), '"')
	}
	found := j.parser.Parse(line.Text)
	in, continues := j.streams.of(logs.Item{Line: line})
	if !continues {
		in.level = found.Level
	}
	if in.level > record.Unknown {
		j.text("level", in.level.String())
	}
	switch {
	case !valid:
	case found.Form == record.JSON:
		j.key("fields")
		j.buffer = appendObject(j.buffer, bytes.TrimSpace(line.Text))
	case found.Form == record.Logfmt:
		j.key("fields")
		j.pairs(found.Fields)
	}
	if line.Cut {
		j.truth("cut", true)
	}
}

// mark writes what has happened; false where the kind has no name here.
func (j *JSON) mark(item logs.Item) bool {
	switch item.Kind {
	case logs.KindStarted:
		j.text("event", "started")
		j.truth("again", item.Again)
	case logs.KindExited:
		j.text("event", "exited")
		if item.ExitCode != logs.UnknownExit {
			j.number("exit_code", item.ExitCode)
		}
		j.truth("restarting", item.Restarting)
		j.truth("out_of_memory", item.OutOfMemory)
		j.truth("replaced", item.Replaced)
	case logs.KindOutOfMemory:
		j.text("event", "out_of_memory")
	case logs.KindHealth:
		j.text("event", "health")
		j.text("health", string(item.Health))
	case logs.KindUnreadable:
		j.text("event", "unreadable")
		j.text("error", item.Err.Error())
	default:
		return false
	}
	return true
}

// pairs writes logfmt as an object.
func (j *JSON) pairs(fields []record.Field) {
	j.buffer = append(j.buffer, '{')
	var text [256]byte
	for i, field := range fields {
		if i > 0 {
			j.buffer = append(j.buffer, ',')
		}
		j.buffer = append(appendQuoted(j.buffer, field.Key), ':')
		j.buffer = appendQuoted(j.buffer, record.AppendText(text[:0], field.Value))
	}
	j.buffer = append(j.buffer, '}')
}

func (j *JSON) key(name string) {
	if len(j.buffer) > 1 {
		j.buffer = append(j.buffer, ',')
	}
	j.buffer = append(append(append(j.buffer, '"'), name...), '"', ':')
}

func (j *JSON) text(key, value string) {
	j.key(key)
	j.buffer = appendQuoted(j.buffer, []byte(value))
}

func (j *JSON) number(key string, value int) {
	j.key(key)
	j.buffer = strconv.AppendInt(j.buffer, int64(value), 10)
}

func (j *JSON) truth(key string, value bool) {
	j.key(key)
	j.buffer = strconv.AppendBool(j.buffer, value)
}

// appendQuoted appends text as a JSON string. No control character is left in it, nor what JavaScript takes for the end of a line.
func appendQuoted(to, text []byte) []byte {
	to = append(to, '"')
	done := 0
	for i := 0; i < len(text); {
		size := 1
		if b := text[i]; b >= ' ' && b < 0x7f && b != '"' && b != '\\' {
			i++
			continue
		}
		r := rune(text[i])
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
			if !isAwkward(r, size) {
				i += size
				continue
			}
		}
		to = appendEscape(append(to, text[done:i]...), r)
		i += size
		done = i
	}
	return append(append(to, text[done:]...), '"')
}

// isAwkward says whether a character beyond ASCII is to be escaped.
func isAwkward(r rune, size int) bool {
	return r == utf8.RuneError && size == 1 || isControl(r) || r == '\u2028' || r == '\u2029'
}

// isControl says whether a character is a control character in Unicode but not in JSON.
func isControl(r rune) bool { return r >= 0x7f && r < 0xa0 }

func appendEscape(to []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(to, '\\', byte(r))
	case '\n':
		return append(to, `\n`...)
	case '\r':
		return append(to, `\r`...)
	case '\t':
		return append(to, `\t`...)
	case utf8.RuneError:
		return append(to, "\ufffd"...)
	}
	const digits = "0123456789abcdef"
	return append(to, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

// appendObject appends JSON that is valid as it is, on one line: ends of lines can only stand between its parts, and control characters
// only in its strings.
func appendObject(to, object []byte) []byte {
	done := 0
	for i := 0; i < len(object); {
		b := object[i]
		r, size := rune(b), 1
		if b >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(object[i:])
		}
		switch {
		case b == '\n' || b == '\r':
			to = append(append(to, object[done:i]...), ' ')
			done = i + size
		case isControl(r):
			to = appendEscape(append(to, object[done:i]...), r)
			done = i + size
		}
		i += size
	}
	return append(to, object[done:]...)
}
