package display

import (
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

// Problems writes everything that is wrong with a project's files on the error stream, each with the lines around it, and how many
// there are. Values that look secret are masked in these lines.
func Problems(streams Streams, load *project.LoadError, colors bool) {
	s := style{colors}
	width := 0
	if streams.ErrTerminal {
		width = streams.width()
	}
	listings := map[string]*listing{}
	for _, problem := range load.Problems {
		text, file := harmless(problem.String()), problem.Position.File
		if place := harmless(problem.Position.String()); place != "" {
			text = s.bold(place) + strings.TrimPrefix(text, place)
		}
		_, _ = fmt.Fprintln(streams.Err, text)
		if listings[file] == nil {
			listings[file] = newListing(load.Source[file])
		}
		listings[file].write(streams.Err, s, problem, width)
	}
	_, _ = fmt.Fprintf(streams.Err, "%s, nothing was touched\n", count(len(load.Problems), "problem"))
}
