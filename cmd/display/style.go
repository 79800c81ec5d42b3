package display

import (
	"strings"

	"github.com/fatih/color"
	"github.com/mattn/go-runewidth"
)

// style gives colours their meaning: green is done, yellow waits or changes, red failed, dim is unchanged or help.
type style struct{ enabled bool }

func (s style) paint(text string, attributes ...color.Attribute) string {
	c := color.New(attributes...)
	if s.enabled {
		c.EnableColor()
	} else {
		c.DisableColor()
	}
	return c.Sprint(text)
}

func (s style) good(text string) string { return s.paint(text, color.FgGreen) }
func (s style) busy(text string) string { return s.paint(text, color.FgYellow) }
func (s style) bad(text string) string  { return s.paint(text, color.FgRed) }
func (s style) dim(text string) string  { return s.paint(text, color.Faint) }
func (s style) bold(text string) string { return s.paint(text, color.Bold) }

// pad fills text with spaces up to a width of the terminal's cells.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-runewidth.StringWidth(text), 0))
}

// cut shortens text to a width of the terminal's cells.
func cut(text string, width int) string {
	return runewidth.Truncate(text, max(width, 1), "…")
}

// row is a line with something at its left and something at its right end.
func row(left, right string, width int) string {
	if right == "" {
		return cut(left, width)
	}
	room := width - runewidth.StringWidth(right) - 1
	return pad(cut(left, room), room) + " " + right
}

// wrap joins words into lines of at most a width where they fit; 0 and less means one line.
func wrap(words []string, separator string, width int) []string {
	var lines []string
	for i, word := range words {
		if i < len(words)-1 {
			word += strings.TrimRight(separator, " ")
		}
		last := len(lines) - 1
		if last >= 0 && (width <= 0 || runewidth.StringWidth(lines[last])+1+runewidth.StringWidth(word) <= width) {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}
