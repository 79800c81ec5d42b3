package logs

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

const (
	escape   = 0x1b
	deletion = 0x7f
	// longestColor is the length of the longest colour sequence that passes, in bytes.
	longestColor = 64
	colorOff     = "\x1b[0m"
)

// appendHarmless appends text in such a form that a terminal shows it on its line and does nothing else: colours pass and end
// with the line, every other control character is shown as what it is.
func appendHarmless(to, text []byte) []byte {
	done, colored := 0, false
	for i := 0; i < len(text); {
		b := text[i]
		if b >= ' ' && b < deletion || b == '\t' {
			i++
			continue
		}
		size, shown := control(text[i:])
		if b == escape && size > 1 {
			colored = true
		}
		if shown != "" {
			to = append(append(to, text[done:i]...), shown...)
			done = i + size
		}
		i += size
	}
	to = append(to, text[done:]...)
	if colored {
		to = append(to, colorOff...)
	}
	return to
}

// overwritten is what a line shows that goes back to its beginning: the last that it wrote there.
func overwritten(text []byte) []byte {
	text = bytes.TrimRight(text, "\r")
	return text[bytes.LastIndexByte(text, '\r')+1:]
}

// control says how long the character at the beginning of text is, and how to show it when it must not pass.
func control(text []byte) (size int, shown string) {
	b := text[0]
	switch {
	case b == escape:
		if size := colorSequence(text); size > 0 {
			return size, ""
		}
		return 1, "^["
	case b < ' ' || b == deletion:
		return 1, "^" + string(rune(b^0x40))
	}
	r, size := utf8.DecodeRune(text)
	switch {
	case r >= 0x80 && r < 0xa0: // controls of two bytes in UTF-8
		return size, `\x` + strconv.FormatInt(int64(r), 16)
	case r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // they end lines or turn the direction of what follows
		return size, `\u` + strconv.FormatInt(int64(r), 16)
	case r == utf8.RuneError && size == 1 && b < 0xa0: // the same in the encodings of one byte
		return size, `\x` + strconv.FormatInt(int64(b), 16)
	}
	return size, ""
}

// colorSequence is the length of the sequence at the beginning of text when it only sets colours: ESC [ digits ; : m. Else 0.
func colorSequence(text []byte) int {
	if len(text) < 3 || text[1] != '[' {
		return 0
	}
	for i, b := range text[2:min(len(text), longestColor)] {
		switch {
		case b == 'm':
			return i + 3
		case b != ';' && b != ':' && (b < '0' || b > '9'):
			return 0
		}
	}
	return 0
}
