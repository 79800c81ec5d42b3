package display

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/muster-dev/muster/project"
)

// listing is a file whose lines are shown.
type listing struct {
	lines  []string
	secret []bool // lines that hold nothing but the value of a secret key above them
}

func newListing(source []byte) *listing {
	lines := strings.Split(string(source), "\n")
	return &listing{lines: lines, secret: secretLines(lines)}
}

// window is the part of the lines that is shown, in the terminal's cells.
type window struct{ offset, width int }

// write writes the line of a problem with the one before it, and marks what is meant. width is the terminal's; 0 where there is
// none.
func (l *listing) write(w io.Writer, s style, problem project.Problem, width int) {
	const (
		gutter  = len("    1 | ")
		usual   = 120
		longest = 10_000 // bytes of a line; nobody reads longer ones
	)
	position := problem.Position
	if position.Line < 1 || position.Line > len(l.lines) || len(l.lines[position.Line-1]) > longest {
		return
	}
	room := usual
	if width > 0 {
		room = max(width-gutter, 1)
	}
	from, to := l.show(position.Line).cells(position.Column-1, problem.Length)
	view := window{width: room}
	if to > room {
		view.offset = max(from-room/2, 0) //nolint:mnd // what is meant comes into the middle
	}
	for number := max(position.Line-1, 1); number <= position.Line; number++ {
		if len(l.lines[number-1]) > longest {
			continue
		}
		if text := view.cut(strings.Join(l.show(number), "")); text != "…" {
			_, _ = fmt.Fprintf(w, "%s %s\n", s.dim(fmt.Sprintf("%5d |", number)), text)
		}
	}
	if position.Column > 0 {
		mark := strings.Repeat("^", max(min(to-from, room-(from-view.offset)), 1))
		_, _ = fmt.Fprintf(w, "%s %s%s\n", s.dim("      |"), strings.Repeat(" ", from-view.offset), s.bad(mark))
	}
}

// cut is what of a text is in the window.
func (v window) cut(text string) string {
	if v.offset > 0 {
		text = runewidth.TruncateLeft(text, v.offset+1, "…")
	}
	return cut(text, v.width)
}

// shown is a line as it is written: what stands for each of its characters. What is left out is empty.
type shown []string

// show makes a line fit to be shown: without control characters, and with secret values masked.
func (l *listing) show(number int) shown {
	line := strings.TrimRight(l.lines[number-1], "\r")
	spans := secretSpans(line)
	if l.secret[number-1] {
		spans = append(spans, span{len(line) - len(strings.TrimLeft(line, " \t")), len(line)})
	}
	characters := masked(line, spans)
	for i, character := range characters {
		characters[i] = harmless(strings.ReplaceAll(character, "\t", " "))
	}
	return characters
}

// cells is where some of the characters are on the screen.
func (s shown) cells(first, length int) (from, to int) {
	first = min(max(first, 0), len(s))
	last := min(first+max(length, 1), len(s))
	for first > 0 && first < len(s) && s[first] == "" {
		first-- // it is in a mask, which is one thing
	}
	from = runewidth.StringWidth(strings.Join(s[:first], ""))
	to = from + runewidth.StringWidth(strings.Join(s[first:last], ""))
	return from, max(to, from+1)
}
