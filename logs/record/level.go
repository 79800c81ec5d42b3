package record

import "strconv"

// Level is how much a line matters. A higher one matters more.
type Level uint8

// The levels. What programs call otherwise is the nearest of these: a notice is information, an alert is fatal.
const (
	Unknown Level = iota
	Trace
	Debug
	Info
	Warn
	Error
	Fatal
)

// Levels are all that can be known, from the lowest on.
func Levels() []Level { return []Level{Trace, Debug, Info, Warn, Error, Fatal} }

// String is the level's name; empty for an unknown one.
func (l Level) String() string {
	switch l {
	case Trace:
		return "trace"
	case Debug:
		return "debug"
	case Info:
		return "info"
	case Warn:
		return "warn"
	case Error:
		return "error"
	case Fatal:
		return "fatal"
	}
	return ""
}

// ParseLevel reads a level by any name that programs give it, in any case: "warn", "WARNING".
func ParseLevel(name string) (Level, bool) {
	level := levelNamed([]byte(name))
	return level, level != Unknown
}

// longestLevel is the length of the longest name of a level.
const longestLevel = len("informational")

// levelNamed finds a level by its name: also one with a distance, as Go's slog has it ("ERROR+2").
func levelNamed(name []byte) Level {
	var lower [longestLevel]byte
	for len(name) > 0 && name[len(name)-1] == ' ' {
		name = name[:len(name)-1]
	}
	n := 0
	for ; n < len(name) && name[n] != '+' && name[n] != '-'; n++ {
		if n == len(lower) {
			return Unknown
		}
		lower[n] = lowered(name[n])
	}
	for _, digit := range name[min(n+1, len(name)):] {
		if !isDigit(digit) {
			return Unknown
		}
	}
	switch string(lower[:n]) {
	case "trace", "trc", "trce", "verbose", "vrb", "finest", "finer", "silly":
		return Trace
	case "debug", "dbg", "dbug", "fine", "debug1", "debug2", "debug3", "debug4", "debug5":
		return Debug
	case "info", "inf", "information", "informational", "notice", "note", "log":
		return Info
	case "warn", "wrn", "warning":
		return Warn
	case "error", "err", "eror", "severe", "fail":
		return Error
	case "fatal", "ftl", "critical", "crit", "crt", "panic", "dpanic", "pnc", "emerg", "emergency", "alert":
		return Fatal
	}
	return Unknown
}

// levelNumbered finds a level by its number: syslog's 0 to 7, those of pino and bunyan from 10 on, Monolog's from 100 on. Python's,
// from 10 on too, are one step lower.
func levelNumbered(digits []byte, python bool) Level {
	const longest, syslog, tens, hundreds = 4, 7, 10, 100
	if len(digits) > longest {
		return Unknown
	}
	n, err := strconv.Atoi(string(digits))
	switch {
	case err != nil:
		return Unknown
	case n < 0: // zap and slog count down from information
		return Debug
	case n <= syslog:
		return [...]Level{Fatal, Fatal, Fatal, Error, Warn, Info, Info, Debug}[n]
	case n < tens:
		return Unknown
	case python:
		n += tens
	case n >= hundreds:
		return [...]Level{Debug, Info, Warn, Error, Fatal, Fatal}[min(n/hundreds, 6)-1]
	}
	return [...]Level{Trace, Debug, Info, Warn, Error, Fatal}[min(n/tens, 6)-1]
}

// levelLettered finds a level by its first letter.
func levelLettered(letter []byte) Level {
	if len(letter) == 0 || len(letter) > 2 || len(letter) == 2 && (letter[0] != 'D' || !isDigit(letter[1])) {
		return Unknown
	}
	switch letter[0] {
	case 'D':
		return Debug
	case 'I':
		return Info
	case 'W':
		return Warn
	case 'E':
		return Error
	case 'F':
		return Fatal
	}
	return Unknown
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
