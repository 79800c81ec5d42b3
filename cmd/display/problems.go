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
// there are. Of many only the first ones have these lines. Values that look secret are masked in them.
func Problems(streams Streams, load *project.LoadError, colors bool) {
	s := style{colors}
	width := 0
	if streams.ErrTerminal {
		width = streams.width()
	}
	const detailed = 20
	listings := map[string]*listing{}
	for i, problem := range load.Problems {
		text, file := harmless(problem.String()), problem.Position.File
		if place := harmless(problem.Position.String()); place != "" {
			text = s.bold(place) + strings.TrimPrefix(text, place)
		}
		_, _ = fmt.Fprintln(streams.Err, text)
		if i >= detailed {
			continue
		}
		if listings[file] == nil {
			listings[file] = newListing(load.Source[file])
		}
		listings[file].write(streams.Err, s, problem, width)
	}
	if load.More > 0 {
		_, _ = fmt.Fprintf(streams.Err, "and %d more\n", load.More)
	}
	_, _ = fmt.Fprintf(streams.Err, "%s, nothing was touched\n", count(len(load.Problems)+load.More, "problem"))
}
