package display

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/muster-dev/muster/project"
)

// Warning writes a warning on one line, in the form of the mode.
func Warning(w io.Writer, message string, looks Looks) {
	switch looks.Mode {
	case Quiet:
	case JSON:
		writeJSON(w, warningEvent(message))
	default:
		writeWarning(w, style{looks.ColorErr}, message)
	}
}

// Problems writes everything that is wrong with a project's files, each with the lines around it, and how many there are.
func Problems(w io.Writer, load *project.LoadError, colors bool) {
	s := style{colors}
	for _, problem := range load.Problems {
		text := harmless(problem.String())
		if place := harmless(problem.Position.String()); place != "" {
			text = s.bold(place) + strings.TrimPrefix(text, place)
		}
		_, _ = fmt.Fprintln(w, text)
		writeExcerpt(w, s, problem, load.Source[problem.Position.File])
	}
	_, _ = fmt.Fprintf(w, "%s, nothing was touched\n", count(len(load.Problems), "problem"))
}

// writeExcerpt writes the line of a problem with the one before it, and marks what is meant.
func writeExcerpt(w io.Writer, s style, problem project.Problem, source []byte) {
	line := problem.Position.Line
	lines := bytes.Split(source, []byte("\n"))
	if line < 1 || line > len(lines) {
		return
	}
	const longest = 120
	for number := max(line-1, 1); number <= line; number++ {
		text := cut(harmless(strings.ReplaceAll(strings.TrimRight(string(lines[number-1]), "\r"), "\t", " ")), longest)
		_, _ = fmt.Fprintf(w, "%s %s\n", s.dim(fmt.Sprintf("%5d |", number)), text)
	}
	column := problem.Position.Column
	if column < 1 || column > longest {
		return
	}
	mark := strings.Repeat("^", min(max(problem.Length, 1), longest-column+1))
	_, _ = fmt.Fprintf(w, "%s %s%s\n", s.dim("      |"), strings.Repeat(" ", column-1), s.bad(mark))
}
