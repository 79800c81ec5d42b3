package record

import "bytes"

// fewestPairs is how many pairs make a line logfmt rather than a text with an equals sign.
const fewestPairs = 2

// longestKey bounds the search for the first pair.
const longestKey = 64

// looksLikePairs says whether a line begins with a key and an equals sign.
func looksLikePairs(text []byte) bool {
	n := 0
	for n < len(text) && n < longestKey && inKey(text[n]) {
		n++
	}
	return n > 0 && n < len(text) && text[n] == '='
}

func inKey(b byte) bool { return b > ' ' && b != '=' && b != '"' && b != 0x7f }

// appendPairs reads logfmt, which must be all of the text, and appends its fields.
func appendPairs(to []Field, text []byte) ([]Field, bool) {
	for text = bytes.TrimLeft(text, " "); len(text) > 0; text = bytes.TrimLeft(text, " ") {
		n := 0
		for n < len(text) && inKey(text[n]) {
			n++
		}
		if n == 0 || n == len(text) || text[n] != '=' || len(to) == mostFields {
			return to, false
		}
		field := Field{Key: text[:n]}
		size := pairValue(text[n+1:])
		if size < 0 {
			return to, false
		}
		field.Value, text = text[n+1:n+1+size], text[n+1+size:]
		to = append(to, field)
	}
	return to, len(to) >= fewestPairs
}

// pairValue is the length of the value at the beginning of text, with its quotes; negative where there is none that ends.
func pairValue(text []byte) int {
	if len(text) == 0 || text[0] != '"' {
		n := bytes.IndexAny(text, " \"\n")
		switch {
		case n < 0:
			return len(text)
		case text[n] != ' ':
			return -1
		}
		return n
	}
	for n := 1; n < len(text); n++ {
		switch text[n] {
		case '\\':
			n++
		case '"':
			if n+1 < len(text) && text[n+1] != ' ' {
				return -1
			}
			return n + 1
		}
	}
	return -1
}
