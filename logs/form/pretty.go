package form

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/record"
)

const (
	clockLayout = "15:04:05"
	// levelWidth is the width of the widest level.
	levelWidth = len("ERROR")
	// sameTime is how far a line's own time may be from the engine's to say nothing new.
	sameTime = 2 * time.Second
	// blockIndent stands before lines of a value that has several, of which mostBlockLines are shown.
	blockIndent    = "    "
	mostBlockLines = 200
)

// PrettyOptions say how [Pretty] writes.
type PrettyOptions struct {
	// Place is that of the times.
	Place *time.Location
	// NoClock leaves the time out, where it stands before the text anyway.
	NoClock bool
	// Color colours levels and the names of fields.
	Color bool
}

// Pretty returns a sink that turns lines of JSON and logfmt into text for people: time, level, message, then the other fields in their
// order. A value of several lines stands below, indented. Other lines stay as they are. The next sink gets several lines as one item.
func Pretty(options PrettyOptions, next Sink) Sink {
	p := &pretty{PrettyOptions: options}
	return func(item logs.Item) error {
		if item.Kind == logs.KindLine && !item.Cut {
			if found := p.parser.Parse(item.Text); found.Form != record.Plain && len(found.Fields) > 0 {
				item.Text = p.write(item.Time, found)
			}
		}
		return next(item)
	}
}

type pretty struct {
	PrettyOptions
	parser record.Parser
	text   []byte
	value  []byte
	blocks []byte
}

func (p *pretty) write(at time.Time, found record.Record) []byte {
	p.text, p.blocks = p.text[:0], p.blocks[:0]
	if !p.NoClock {
		p.text = append(at.In(p.Place).AppendFormat(p.text, clockLayout), ' ')
	}
	p.level(found)
	wrote := false
	for _, field := range found.Fields {
		if field.Role == record.RoleMessage {
			p.message(field.Value)
			wrote = true
		}
	}
	gap := "   "
	if !wrote {
		gap = ""
	}
	for _, field := range found.Fields {
		if field.Role == record.RoleMessage || field.Role == record.RoleLevel && found.Level > record.Unknown || p.isTime(field, at) {
			continue
		}
		p.text = append(p.text, gap...)
		p.field(field)
		gap = " "
	}
	p.text = bytes.TrimRight(p.text, " ")
	return append(p.text, p.blocks...)
}

func (p *pretty) level(found record.Record) {
	name := strings.ToUpper(found.Level.String())
	color := levelColor(found.Level)
	if p.Color && color != "" {
		p.text = append(append(append(p.text, color...), name...), "\x1b[0m"...)
	} else {
		p.text = append(p.text, name...)
	}
	for range levelWidth + 1 - len(name) {
		p.text = append(p.text, ' ')
	}
}

func levelColor(level record.Level) string {
	switch level {
	case record.Trace, record.Debug:
		return dim
	case record.Warn:
		return "\x1b[33m"
	case record.Error:
		return "\x1b[31m"
	case record.Fatal:
		return "\x1b[31;1m"
	}
	return ""
}

const dim, undim = "\x1b[2m", "\x1b[22m"

// message writes the first line of the message, and the rest below.
func (p *pretty) message(value []byte) {
	p.value = record.AppendText(p.value[:0], value)
	first, rest, more := bytes.Cut(p.value, []byte{'\n'})
	p.text = logs.AppendHarmless(p.text, bytes.TrimRight(first, "\r"))
	if more {
		p.block(rest)
	}
}

func (p *pretty) field(field record.Field) {
	if p.Color {
		p.text = append(p.text, dim...)
	}
	p.value = append(p.value[:0], field.Key...)
	p.text = append(logs.AppendHarmless(p.text, p.value), '=')
	if p.Color {
		p.text = append(p.text, undim...)
	}
	p.value = record.AppendText(p.value[:0], field.Value)
	switch {
	case bytes.IndexByte(p.value, '\n') >= 0:
		p.text = append(p.text, "(below)"...)
		p.block(p.value)
	case len(field.Value) > 0 && field.Value[0] == '"' && needsQuotes(p.value):
		p.text = logs.AppendHarmless(p.text, field.Value)
	default:
		p.text = logs.AppendHarmless(p.text, p.value)
	}
}

// needsQuotes says whether a text could not be told from what stands around it.
func needsQuotes(text []byte) bool {
	return len(text) == 0 || bytes.ContainsAny(text, " \t\"=")
}

// block writes lines below.
func (p *pretty) block(text []byte) {
	n := 0
	for line := range bytes.SplitSeq(bytes.TrimRight(text, "\n"), []byte{'\n'}) {
		p.blocks = append(append(p.blocks, '\n'), blockIndent...)
		if n++; n > mostBlockLines {
			p.blocks = append(p.blocks, "[more lines]"...)
			return
		}
		p.blocks = logs.AppendHarmless(p.blocks, bytes.TrimRight(line, "\r"))
	}
}

// isTime says whether a field only says when the engine took the line.
func (p *pretty) isTime(field record.Field, at time.Time) bool {
	if field.Role != record.RoleTime {
		return false
	}
	p.value = record.AppendText(p.value[:0], field.Value)
	own, ok := parseTime(string(p.value))
	return ok && own.Sub(at).Abs() <= sameTime
}

// parseTime reads a time as programs write it: RFC 3339, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970.
func parseTime(text string) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, true
	}
	if at, err := time.Parse("2006-01-02T15:04:05.999999999Z0700", text); err == nil {
		return at, true
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || number < 0 || !utf8.ValidString(text) {
		return time.Time{}, false
	}
	const firstMillisecond, firstMicrosecond, firstNanosecond = 1e11, 1e14, 1e17
	switch {
	case number >= firstNanosecond:
		number /= 1e9
	case number >= firstMicrosecond:
		number /= 1e6
	case number >= firstMillisecond:
		number /= 1e3
	}
	const most = 1e11 // the year 5138
	if number > most {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(number * 1e3)), true
}
