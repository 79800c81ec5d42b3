package record

import (
	"unicode/utf16"
	"unicode/utf8"
)

// AppendText appends what a value says: a string without its quotes and escapes, anything else as it is. It may hold any bytes.
func AppendText(to, value []byte) []byte {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return append(to, value...)
	}
	text := value[1 : len(value)-1]
	for i := 0; i < len(text); {
		if text[i] != '\\' || i+1 == len(text) {
			to = append(to, text[i])
			i++
			continue
		}
		if text[i+1] == 'u' {
			var size int
			to, size = appendEscaped(to, text[i:])
			i += size
			continue
		}
		to = append(to, unescaped(text[i+1]))
		i += 2
	}
	return to
}

func unescaped(b byte) byte {
	switch b {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	}
	return b
}

// appendEscaped appends the character of the escape \uXXXX, or of two that are one character, at the beginning of text, and returns
// the length of what it has read. Half of a character is U+FFFD.
func appendEscaped(to, text []byte) ([]byte, int) {
	const size = len(`\u0000`)
	if len(text) < size {
		return append(to, text...), len(text)
	}
	first, ok := hexadecimal(text[2:size])
	if !ok {
		return append(to, text[:2]...), 2
	}
	if utf16.IsSurrogate(first) && len(text) >= 2*size && text[size] == '\\' && text[size+1] == 'u' {
		if second, ok := hexadecimal(text[size+2 : 2*size]); ok {
			if whole := utf16.DecodeRune(first, second); whole != utf8.RuneError {
				return utf8.AppendRune(to, whole), 2 * size
			}
		}
	}
	return utf8.AppendRune(to, first), size
}

func hexadecimal(digits []byte) (rune, bool) {
	var value rune
	for _, b := range digits {
		value <<= 4
		switch b = lowered(b); {
		case isDigit(b):
			value |= rune(b - '0')
		case b >= 'a' && b <= 'f':
			value |= rune(b-'a') + 10
		default:
			return 0, false
		}
	}
	return value, true
}
