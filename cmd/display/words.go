package display

import (
	"context"
	"errors"
	"strings"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/step"
)

// failedWords are docker compose's for a step that failed.
func failedWords(event convergence.Event) string {
	var inUse *step.InUseError
	switch {
	case errors.As(event.Err, &inUse):
		return "Resource is still in use"
	case errors.Is(event.Err, context.Canceled):
		return "Interrupted"
	case event.Optional:
		return "Skipped: " + firstLine(event.Err.Error())
	}
	text := firstLine(event.Err.Error())
	if strings.HasPrefix(text, "Error ") {
		return text // the engine says so itself
	}
	return "Error " + text
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
