package display

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/muster-dev/muster/convergence/plan"
)

// longestReason is how long a reason may be where there is no terminal whose width it has to fit into. The JSON form has all of it.
const longestReason = 400

// shortened is a line that fits into a width, or into a number of characters where there is none, with a mark where something is left out.
func shortened(line string, width int) string {
	if width <= 0 {
		width = longestReason
	}
	return cut(line, width)
}

// writeReasons writes why, the paths and the values in columns. width is the terminal's; 0 where there is none.
func writeReasons(w io.Writer, reasons []plan.Reason, indent, width int) {
	const narrowest = 20
	if width > 0 {
		width = max(width-indent, narrowest)
	}
	margin := strings.Repeat(" ", indent)
	for _, line := range reasonLines(reasons, width) {
		_, _ = fmt.Fprintln(w, margin+line)
	}
}

// reasonLines are reasons for people, within a width where there is one. Two values that do not fit stand below each other; a value that
// does not fit alone is cut, with a mark, and words go on in the next line.
func reasonLines(reasons []plan.Reason, width int) []string {
	paths := 0
	for _, reason := range reasons {
		if reason.Text == "" {
			paths = max(paths, runewidth.StringWidth(harmless(reason.Path)))
		}
	}
	var lines []string
	for _, reason := range reasons {
		reason = withoutSecrets(reason)
		text, path := harmless(reason.String()), harmless(reason.Path)
		rest, isField := strings.CutPrefix(text, path+" ")
		isField = isField && reason.Text == ""
		inColumns := pad(path, paths) + "  " + rest
		switch {
		case !isField:
			lines = append(lines, wrap(strings.Fields(shortened(text, 0)), " ", width)...)
		case width <= 0 || runewidth.StringWidth(inColumns) <= width:
			lines = append(lines, shortened(inColumns, width))
		case reason.Old != "" && reason.New != "":
			lines = append(lines, shortened(path, width),
				shortened("  - "+harmless(reason.Old), width), shortened("  + "+harmless(reason.New), width))
		default:
			lines = append(lines, shortened(text, width))
		}
	}
	return lines
}
