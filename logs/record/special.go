package record

import "bytes"

// specialLevel finds the level of lines in forms that have no word for it.
func specialLevel(text []byte) Level {
	if len(text) < 3 {
		return Unknown
	}
	switch {
	case text[0] == '<' && text[1] >= '0' && text[1] <= '7' && text[2] == '>': // systemd's
		return levelNumbered(text[1:2], false)
	case isKlog(text):
		return levelLettered(text[:1])
	case isDigit(text[0]):
		return redisLevel(text)
	}
	return crashLevel(text)
}

// isKlog says whether a line begins like "E0102 15:04:05.000000".
func isKlog(text []byte) bool {
	const shape = "L0000 00:00:00"
	if len(text) < len(shape) || bytes.IndexByte([]byte("IWEF"), text[0]) < 0 {
		return false
	}
	for i := 1; i < len(shape); i++ {
		if shape[i] == '0' && !isDigit(text[i]) || shape[i] != '0' && shape[i] != text[i] {
			return false
		}
	}
	return true
}

// redisLevel finds the sign in "1:M 30 Nov 2026 12:00:00.000 * Ready".
func redisLevel(text []byte) Level {
	const least, signAfter = 8, 5 // words before the sign
	colon := bytes.IndexByte(text[:min(len(text), least)], ':')
	if colon < 1 || len(text) < colon+3 || bytes.IndexByte([]byte("XCSM"), text[colon+1]) < 0 || text[colon+2] != ' ' {
		return Unknown
	}
	for range signAfter {
		_, rest, ok := bytes.Cut(text, []byte{' '})
		if !ok {
			return Unknown
		}
		text = rest
	}
	if len(text) < 2 || text[1] != ' ' {
		return Unknown
	}
	switch text[0] {
	case '.':
		return Debug
	case '-', '*':
		return Info
	case '#':
		return Warn
	}
	return Unknown
}

// crashLevel knows how runtimes begin to tell of a crash.
func crashLevel(text []byte) Level {
	for _, known := range [...]struct {
		start string
		level Level
	}{
		{"panic: ", Fatal},
		{"fatal error: ", Fatal},
		{"thread '", Unknown}, // see below
		{tracebackStart, Error},
		{"Exception in thread ", Error},
		{"Unhandled exception", Fatal},
		{"Caused by: ", Error},
	} {
		if bytes.HasPrefix(text, []byte(known.start)) {
			if known.level == Unknown && bytes.Contains(text, []byte("' panicked at ")) {
				return Fatal
			}
			return known.level
		}
	}
	return exceptionLevel(text)
}

// exceptionLevel knows a line that begins with the name of an exception: "TypeError: x is not a function",
// "java.lang.IllegalStateException: closed".
func exceptionLevel(text []byte) Level {
	end := bytes.IndexByte(text, ':')
	if end < 0 || end+1 < len(text) && text[end+1] != ' ' {
		return Unknown
	}
	name := text[:end]
	for _, b := range name {
		if b != '.' && b != '_' && b != '$' && !isDigit(b) && (lowered(b) < 'a' || lowered(b) > 'z') {
			return Unknown
		}
	}
	if bytes.HasSuffix(name, []byte("Error")) || bytes.HasSuffix(name, []byte("Exception")) {
		return Error
	}
	return Unknown
}
