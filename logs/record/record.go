// Package record finds in a line of a log what programs put there: its level, its message and its fields.
//
// It reads JSON objects, logfmt, and the common plain forms. It never fails: what it does not know is plain text without a level.
package record

import "bytes"

// Form is how a line is written.
type Form uint8

// The forms of lines.
const (
	Plain  Form = iota
	JSON        // one object
	Logfmt      // key=value key="value", and nothing else
)

const (
	// largest is the size, in bytes, above which a line is not looked into.
	largest = 256 << 10
	// deepest is how far arrays and objects may be in each other, and mostFields how many fields a line may have, for it to be more
	// than plain text.
	deepest, mostFields = 32, 512
)

// Field is a field of a line. Both are parts of the line, as it has them: a JSON key without its quotes, a value with them.
type Field struct {
	Key, Value []byte
	Role       Role
}

// Role is what a field is for.
type Role uint8

// The roles of fields. In a record every role but other has one field at most: the best by its name, then the first.
const (
	RoleOther Role = iota
	RoleLevel
	RoleMessage
	RoleTime
)

// Record is what is known of a line.
type Record struct {
	Form   Form
	Level  Level
	Fields []Field // in the line's order; none of plain text
}

// Parser reads lines. It keeps its memory between them: it is for one goroutine, and a record lives until the next call.
type Parser struct {
	fields, nested []Field
}

// Parse reads a line, or several that are one record.
func (p *Parser) Parse(text []byte) Record {
	if len(text) > largest {
		return Record{Level: plainLevel(text)}
	}
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	var ok bool
	switch {
	case len(trimmed) > 0 && trimmed[0] == '{':
		if p.fields, ok = appendObject(p.fields[:0], trimmed); ok {
			record := Record{Form: JSON, Fields: p.fields}
			record.Level = p.assign(record)
			return record
		}
	case looksLikePairs(text):
		if p.fields, ok = appendPairs(p.fields[:0], text); ok {
			record := Record{Form: Logfmt, Fields: p.fields}
			record.Level = p.assign(record)
			return record
		}
	}
	return Record{Level: plainLevel(text)}
}

// assign gives the fields their roles and returns the level.
func (p *Parser) assign(r Record) Level {
	var best [RoleTime + 1]struct{ rank, at int }
	var level Level
	for i := range r.Fields {
		f := &r.Fields[i]
		role, rank := roleOf(f.Key)
		if role == RoleOther || best[role].rank >= rank || role == RoleMessage && !isText(r.Form, f.Value) {
			continue
		}
		if role == RoleLevel {
			found := p.levelOf(r.Form, *f)
			if found == Unknown {
				continue
			}
			level = found
		}
		best[role].rank, best[role].at = rank, i
	}
	for role, found := range best {
		if found.rank > 0 {
			r.Fields[found.at].Role = Role(role) //nolint:gosec // an index of an array of that size
		}
	}
	if level == Unknown && r.Form == JSON {
		return withoutLevel(r.Fields)
	}
	return level
}

// isText says whether a value can be a message.
func isText(form Form, value []byte) bool { return form == Logfmt || value[0] == '"' }

// longestName is the length of the longest name in roleOf.
const longestName = 16

// roleOf says what a field of that name is for, and how good a name that is: above 0.
func roleOf(key []byte) (role Role, rank int) {
	var lower [longestName]byte
	if len(key) > len(lower) {
		return RoleOther, 0
	}
	for i, b := range key {
		lower[i] = lowered(b)
	}
	switch string(lower[:len(key)]) {
	case "level", "@level", "log.level":
		return RoleLevel, 4
	case "severity", "lvl", "loglevel", "log_level", "levelname", "level_name", "severity_text", "severitytext", "@l":
		return RoleLevel, 3
	case "log", "levelno", "priority":
		return RoleLevel, 2
	case "s":
		return RoleLevel, 1
	case "msg", "message", "@message", "@m":
		return RoleMessage, 3
	case "@mt", "short_message":
		return RoleMessage, 2
	case "event":
		return RoleMessage, 1
	case "time", "ts", "timestamp", "@timestamp", "@t":
		return RoleTime, 2
	case "t", "datetime", "asctime":
		return RoleTime, 1
	}
	return RoleOther, 0
}

func lowered(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// levelOf reads the level that a field holds.
func (p *Parser) levelOf(form Form, f Field) Level {
	value := f.Value
	switch {
	case len(value) == 0:
		return Unknown
	case value[0] == '{': // {"log":{"level":"info"}}
		nested, ok := appendObject(p.nested[:0], value)
		p.nested = nested
		if !ok || !bytes.EqualFold(f.Key, []byte("log")) {
			return Unknown
		}
		for _, inner := range nested {
			if string(inner.Key) == "level" && len(inner.Value) > 1 && inner.Value[0] == '"' {
				return levelNamed(inner.Value[1 : len(inner.Value)-1])
			}
		}
		return Unknown
	case value[0] == '"':
		value = value[1 : len(value)-1]
	case form == JSON, isDigit(value[0]):
		return levelNumbered(value, string(f.Key) == "levelno")
	}
	if string(f.Key) == "s" { // MongoDB's, where one letter is all there is
		return levelLettered(value)
	}
	return levelNamed(value)
}

// withoutLevel is the level of an object that names none: Serilog's compact form leaves out that of information.
func withoutLevel(fields []Field) Level {
	var at, text bool
	for _, f := range fields {
		at = at || string(f.Key) == "@t"
		text = text || string(f.Key) == "@mt" || string(f.Key) == "@m"
	}
	if at && text {
		return Info
	}
	return Unknown
}
