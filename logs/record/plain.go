package record

import "bytes"

const (
	// plainHead is how much of a plain line is looked at for its level, in bytes, and plainWords how many of its words.
	plainHead, plainWords = 256, 10
	// proseWords is after how many words of a sentence a level is only another word of it.
	proseWords = 3
)

// plainLevel finds the level of a line that is plain text: a word in capitals or brackets or before a colon near its beginning, or
// what klog, Redis, systemd and runtimes that crash write.
func plainLevel(text []byte) Level {
	text = text[:min(len(text), plainHead)]
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		text = text[:end]
	}
	if level := specialLevel(text); level != Unknown {
		return level
	}
	prose := 0
	rest := text
	for n := range plainWords {
		var w word
		if w, rest = nextWord(rest); len(w.text) == 0 || prose > proseWords {
			break
		}
		if level := w.level(n == 0 || prose == 0); level != Unknown {
			return level
		}
		if !w.bracketed && !hasDigit(w.text) && !isZone(w.text) {
			prose++
		}
	}
	return Unknown
}

// word is a part of a plain line.
type word struct {
	text      []byte
	bracketed bool // stands alone in brackets
	colon     bool // is followed by one
}

// nextWord cuts the first word off a text.
func nextWord(text []byte) (w word, rest []byte) {
	var before byte
	for len(text) > 0 {
		if size := ColorSize(text); size > 0 {
			text = text[size:]
			continue
		}
		if !isSeparator(text[0]) {
			break
		}
		if text[0] != ' ' {
			before = text[0]
		}
		text = text[1:]
	}
	end := 0
	for end < len(text) && !isSeparator(text[end]) && text[end] != 0x1b {
		end++
	}
	w.text, rest = text[:end], text[end:]
	after := bytes.TrimLeft(rest, " ")
	w.bracketed = before == '[' && len(after) > 0 && after[0] == ']'
	for len(w.text) > 1 && (w.text[len(w.text)-1] == ':' || w.text[len(w.text)-1] == '!') {
		w.colon = w.colon || w.text[len(w.text)-1] == ':'
		w.text = w.text[:len(w.text)-1]
	}
	return w, rest
}

func isSeparator(b byte) bool {
	switch b {
	case ' ', '\t', '[', ']', '(', ')', '|', ',', ';', '<', '>', '{', '}', '"', '\r':
		return true
	}
	return false
}

// ColorSize is the length of the colour sequence at the beginning of text, ESC [ digits ; : m, or 0: what of a line is not seen.
func ColorSize(text []byte) int {
	const longest = 64
	if len(text) < 3 || text[0] != 0x1b || text[1] != '[' {
		return 0
	}
	for i, b := range text[2:min(len(text), longest)] {
		switch {
		case b == 'm':
			return i + 3
		case b != ';' && b != ':' && !isDigit(b):
			return 0
		}
	}
	return 0
}

// level is that of a word which says one. early says that nothing of the sentence has come before it.
func (w word) level(early bool) Level {
	if key, value, ok := bytes.Cut(w.text, []byte{'='}); ok {
		if role, _ := roleOf(key); role == RoleLevel {
			return levelNamed(bytes.Trim(value, `"`))
		}
		return Unknown
	}
	text, colon := w.text, w.colon
	if at := bytes.IndexByte(text, ':'); at > 0 && !isDigit(text[0]) {
		if w.bracketed { // Apache's [core:error]
			text = text[at+1:]
		} else { // Python's ERROR:name:text
			text, colon = text[:at], true
		}
	}
	level := levelNamed(text)
	switch {
	case level == Unknown:
	case w.bracketed, colon && early:
		return level
	case isCapital(text) && len(text) >= len("ERR") && string(text) != "LOG" && string(text) != "NOTE" && string(text) != "FAIL":
		return level
	}
	return Unknown
}

func isCapital(text []byte) bool {
	for _, b := range text {
		if b < 'A' || b > 'Z' {
			return false
		}
	}
	return true
}

func hasDigit(text []byte) bool { return bytes.ContainsAny(text, "0123456789") }

// isZone says whether a word is a time zone's or what stands between columns.
func isZone(text []byte) bool {
	switch string(text) {
	case "UTC", "GMT", "AM", "PM", "-", "--", "---":
		return true
	}
	return false
}
