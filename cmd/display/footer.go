package display

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// Footer is a line that stays below what is written to a terminal in raw mode. Its methods may be called at any time.
type Footer struct {
	mutex sync.Mutex
	to    io.Writer
	text  string
	shown bool
}

// NewFooter is a footer of a terminal, which does not show yet. The text is to be narrower than any terminal.
func NewFooter(to io.Writer, text string, looks Looks) *Footer {
	return &Footer{to: to, text: style{looks.ColorOut}.dim(text)}
}

// clearLine goes to the begin of the line and clears it.
const clearLine = "\r\x1b[K"

// Show draws the line.
func (f *Footer) Show() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.shown = true
	_, _ = io.WriteString(f.to, clearLine+f.text)
}

// Hide takes the line away; what is written then is written as ever.
func (f *Footer) Hide() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.shown {
		f.shown = false
		_, _ = io.WriteString(f.to, clearLine)
	}
}

// Say writes a line above the footer.
func (f *Footer) Say(text string) { _, _ = fmt.Fprintln(f.Above(f.to), text) }

// Above is a writer to the same terminal. Each call of Write must be whole lines.
func (f *Footer) Above(to io.Writer) io.Writer { return aboveFooter{f, to} }

type aboveFooter struct {
	footer *Footer
	to     io.Writer
}

// Write implements [io.Writer]. A terminal in raw mode does not begin a new line at its left by itself.
func (a aboveFooter) Write(lines []byte) (int, error) {
	f := a.footer
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if !f.shown {
		return a.to.Write(lines)
	}
	text := append([]byte(clearLine), bytes.ReplaceAll(lines, []byte("\n"), []byte("\r\n"))...)
	if _, err := a.to.Write(text); err != nil {
		return 0, err
	}
	_, err := io.WriteString(f.to, f.text)
	return len(lines), err
}
