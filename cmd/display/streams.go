// Package display shows events, plans and tables to people and to scripts. It decides how things look and nothing else.
package display

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are where a command reads and writes, and what is known about the terminals behind them. They are a value, so that
// a command can be run against buffers.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// InTerminal, OutTerminal and ErrTerminal say whether a person sits at the other end.
	InTerminal, OutTerminal, ErrTerminal bool
	// Size is the terminal's width and height in characters; 0, 0 where it is not known.
	Size func() (width, height int)
}

// System are the process's own streams.
func System() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal:  isTerminal(os.Stdin),
		OutTerminal: isTerminal(os.Stdout), ErrTerminal: isTerminal(os.Stderr),
		Size: func() (width, height int) {
			for _, file := range []*os.File{os.Stderr, os.Stdout} {
				if width, height, err := term.GetSize(int(file.Fd())); err == nil {
					return width, height
				}
			}
			return 0, 0
		},
	}
}

func isTerminal(file *os.File) bool { return term.IsTerminal(int(file.Fd())) }

// width is the terminal's, or 80 where it is not known.
func (s Streams) width() int {
	const usual = 80
	if s.Size != nil {
		if width, _ := s.Size(); width > 0 {
			return width
		}
	}
	return usual
}
