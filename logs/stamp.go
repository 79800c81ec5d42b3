package logs

import (
	"bytes"
	"time"
)

const (
	secondLayout = "2006-01-02T15:04:05"
	stampLayout  = "2006-01-02T15:04:05.000000000Z07:00"
	// usualStamp is the length of a stamp as the engine writes it, without the space.
	usualStamp = len("2006-01-02T15:04:05.000000000Z")
	// longestStamp is the length of the longest one, with the space.
	longestStamp = len("2006-01-02T15:04:05.000000000-07:00 ")
)

// finding is what a search for a stamp comes to.
type finding uint8

const (
	noStamp    finding = iota
	halfAStamp         // it may become one when more bytes come
	aStamp
)

// stampReader reads the time that the engine writes before what a container wrote. It remembers the last second, because the
// next line is most often of the same one.
type stampReader struct {
	second [len(secondLayout)]byte
	base   time.Time
}

// read looks for a stamp at the beginning of data and returns it with its length, the space after it included.
func (s *stampReader) read(data []byte) (time.Time, int, finding) {
	head := data[:min(len(data), longestStamp)]
	end := bytes.IndexByte(head, ' ')
	if end == usualStamp {
		if at, ok := s.usual(head[:end]); ok {
			return at, end + 1, aStamp
		}
	}
	if end < 0 {
		if len(head) < longestStamp && beginsLikeStamp(head) {
			return time.Time{}, 0, halfAStamp
		}
		return time.Time{}, 0, noStamp
	}
	if !beginsLikeStamp(head[:end]) || end < len(secondLayout) {
		return time.Time{}, 0, noStamp
	}
	at, err := time.Parse(time.RFC3339Nano, string(head[:end]))
	if err != nil {
		return time.Time{}, 0, noStamp
	}
	return at.UTC(), end + 1, aStamp
}

// usual reads the one form that engines write almost always, nine digits and Z. The stamp has its length.
func (s *stampReader) usual(stamp []byte) (time.Time, bool) {
	if stamp[len(secondLayout)] != '.' || stamp[usualStamp-1] != 'Z' {
		return time.Time{}, false
	}
	var nanoseconds time.Duration
	for _, digit := range stamp[len(secondLayout)+1 : usualStamp-1] {
		if digit < '0' || digit > '9' {
			return time.Time{}, false
		}
		nanoseconds = nanoseconds*10 + time.Duration(digit-'0')
	}
	if second := stamp[:len(secondLayout)]; s.base.IsZero() || !bytes.Equal(second, s.second[:]) {
		base, err := time.Parse(secondLayout, string(second))
		if err != nil {
			return time.Time{}, false
		}
		copy(s.second[:], second)
		s.base = base
	}
	return s.base.Add(nanoseconds), true
}

// beginsLikeStamp says whether the bytes are, as far as they go, of the shape of a date and a time.
func beginsLikeStamp(head []byte) bool {
	for i, b := range head {
		switch {
		case b == '\n':
			return false
		case i >= len(secondLayout):
		case secondLayout[i] >= '0' && secondLayout[i] <= '9':
			if b < '0' || b > '9' {
				return false
			}
		case b != secondLayout[i]:
			return false
		}
	}
	return true
}
