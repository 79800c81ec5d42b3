package record

import "bytes"

const tracebackStart = "Traceback (most recent call last):"

// Seam tells, line by line of one stream of a container, which lines go on with the record before them: indented ones, and those of
// a stack trace. The zero value stands before the first line.
type Seam struct {
	state    seamState
	indented bool // the last line was
	any      bool // there was one
}

// seamState is what the record under way is.
type seamState uint8

const (
	inRecord    seamState = iota
	inTraceback           // of Python
	inPanic               // of Go
)

// Continues says whether a line goes on with the record before it.
func (s *Seam) Continues(line []byte) bool {
	indented := len(line) > 0 && (line[0] == ' ' || line[0] == '\t') && len(bytes.TrimSpace(line)) > 0
	continues := s.any && (indented || s.closes(line) || s.goesOn(line))
	if !continues {
		s.state = stateOf(line)
	}
	s.any, s.indented = true, indented
	return continues
}

func stateOf(line []byte) seamState {
	switch {
	case bytes.HasPrefix(line, []byte(tracebackStart)):
		return inTraceback
	case bytes.HasPrefix(line, []byte("panic: ")), bytes.HasPrefix(line, []byte("fatal error: ")):
		return inPanic
	}
	return inRecord
}

// closes says whether a line, after an indented one, is the end of what that is in: a bracket.
func (s *Seam) closes(line []byte) bool {
	return s.indented && len(line) > 0 && len(bytes.Trim(line, "}]);, \t")) == 0
}

// goesOn says whether a line that is not indented belongs to the stack trace under way.
func (s *Seam) goesOn(line []byte) bool {
	switch s.state {
	case inPanic:
		return isOfPanic(line)
	case inTraceback:
		if s.indented { // the exception itself
			return len(line) > 0 && !bytes.HasPrefix(line, []byte(tracebackStart))
		}
		return len(line) == 0 || hasAnyPrefix(line, tracebackStart, "During handling of the above exception", "The above exception was")
	}
	return hasAnyPrefix(line, "Caused by: ", "Suppressed: ", "... ", "---> ") || isDetail(line)
}

func isOfPanic(line []byte) bool {
	return len(line) == 0 || hasAnyPrefix(line, "goroutine ", "[signal ", "created by ", "runtime stack:", "exit status ", "panic: ") ||
		line[len(line)-1] == ')' && bytes.IndexByte(line, '(') > 0 && !bytes.ContainsAny(line[:bytes.IndexByte(line, '(')], " \t")
}

// isDetail says whether a line is of those that PostgreSQL writes after one with a level: "2026-… UTC [1] STATEMENT:  select 1".
func isDetail(line []byte) bool {
	if len(line) == 0 || !isDigit(line[0]) {
		return false
	}
	rest := line[:min(len(line), plainHead)]
	for range plainWords {
		var w word
		if w, rest = nextWord(rest); len(w.text) == 0 {
			return false
		}
		if w.colon {
			switch string(w.text) {
			case "DETAIL", "HINT", "STATEMENT", "CONTEXT", "QUERY":
				return true
			}
		}
		if !w.bracketed && !hasDigit(w.text) && !isZone(w.text) {
			return false
		}
	}
	return false
}

func hasAnyPrefix(line []byte, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if len(line) >= len(prefix) && string(line[:len(prefix)]) == prefix {
			return true
		}
	}
	return false
}
