package record

// appendObject reads a JSON object, which must be all of the text, and appends its fields. It takes what encoding/json takes, as
// far as that is not deeper than deepest, and nothing else.
func appendObject(to []Field, text []byte) ([]Field, bool) {
	s := scanner{text: text}
	s.space()
	if !s.eat('{') {
		return to, false
	}
	s.space()
	if !s.eat('}') {
		for {
			var field Field
			if field.Key, field.Value = s.pair(1); field.Value == nil || len(to) == mostFields {
				return to, false
			}
			to = append(to, field)
			if s.eat('}') {
				break
			}
			if !s.eat(',') {
				return to, false
			}
		}
	}
	s.space()
	return to, s.at == len(text)
}

// scanner goes through JSON.
type scanner struct {
	text []byte
	at   int
}

func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *scanner) eat(b byte) bool {
	if s.peek() != b || s.at == len(s.text) {
		return false
	}
	s.at++
	return true
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// pair reads a key and its value with the space around; the value is nil where there is none.
func (s *scanner) pair(depth int) (key, value []byte) {
	s.space()
	start := s.at
	if !s.string() {
		return nil, nil
	}
	key = s.text[start+1 : s.at-1]
	s.space()
	if !s.eat(':') {
		return nil, nil
	}
	s.space()
	start = s.at
	if !s.value(depth) {
		return nil, nil
	}
	value = s.text[start:s.at]
	s.space()
	return key, value
}

func (s *scanner) value(depth int) bool {
	switch b := s.peek(); {
	case b == '"':
		return s.string()
	case b == '{' || b == '[':
		return depth < deepest && s.inner(depth+1)
	case b == '-' || isDigit(b):
		return s.number()
	case b == 't':
		return s.word("true")
	case b == 'f':
		return s.word("false")
	case b == 'n':
		return s.word("null")
	}
	return false
}

// inner reads an object or an array in another one.
func (s *scanner) inner(depth int) bool {
	object, end := s.text[s.at] == '{', byte(']')
	if object {
		end = '}'
	}
	s.at++
	s.space()
	if s.eat(end) {
		return true
	}
	for {
		ok := false
		if object {
			_, value := s.pair(depth)
			ok = value != nil
		} else {
			s.space()
			ok = s.value(depth)
			s.space()
		}
		switch {
		case !ok:
			return false
		case s.eat(end):
			return true
		case !s.eat(','):
			return false
		}
	}
}

func (s *scanner) word(word string) bool {
	if end := s.at + len(word); end <= len(s.text) && string(s.text[s.at:end]) == word {
		s.at = end
		return true
	}
	return false
}

func (s *scanner) string() bool {
	if !s.eat('"') {
		return false
	}
	for s.at < len(s.text) {
		switch b := s.text[s.at]; {
		case b == '"':
			s.at++
			return true
		case b == '\\':
			if !s.escape() {
				return false
			}
		case b < ' ':
			return false
		default:
			s.at++
		}
	}
	return false
}

func (s *scanner) escape() bool {
	s.at++
	const digits = 4
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return true
	case 'u':
		s.at++
		if len(s.text)-s.at < digits {
			return false
		}
		_, ok := hexadecimal(s.text[s.at : s.at+digits])
		s.at += digits
		return ok
	}
	return false
}

func (s *scanner) number() bool {
	s.eat('-')
	if !s.eat('0') && !s.digits() {
		return false
	}
	if s.eat('.') && !s.digits() {
		return false
	}
	if s.eat('e') || s.eat('E') {
		if !s.eat('+') {
			s.eat('-')
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.at
	for isDigit(s.peek()) {
		s.at++
	}
	return s.at > start
}
