package display

import (
	"fmt"
	"io"
	"time"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
)

// Progress shows how a plan is applied. Its methods are called from one goroutine at a time, but for the writers of Output,
// which may be used at any time.
type Progress interface {
	// Begin is called once, before the plan is applied. title is the project and what is done to it: "shop", "up".
	Begin(title Title, p *plan.Plan)
	// Event is a [convergence.Sink].
	Event(event convergence.Event)
	// Say tells people something that is no event, on a line of its own. It may be called before Begin, between events and after End.
	Say(text string)
	// End is called once, whatever happened. Afterwards the terminal is as it was.
	End(err error)
	// Output are writers for what others have to say meanwhile: lines of logs. Each call of Write must be whole lines.
	Output() (out, err io.Writer)
}

// Title says what is being done.
type Title struct {
	Project string
	Verb    string // "up", "down"
	// Done is what is said in the end when something changed, and Nothing when nothing did; on a terminal only.
	Done, Nothing string
	// Attached says that logs follow: containers' starts are not told on a terminal, as docker compose has it.
	Attached bool
}

// NewProgress returns the progress of a mode.
func NewProgress(looks Looks, streams Streams) Progress {
	switch looks.Mode {
	case TTY:
		return newLive(looks, streams)
	case JSON:
		return &jsonProgress{streams: streams}
	case Quiet:
		return quiet{streams}
	}
	return &plain{streams: streams, builds: newBuildLog(streams.Out)}
}

// quiet says nothing.
type quiet struct{ streams Streams }

func (quiet) Begin(Title, *plan.Plan) {}

func (quiet) Event(convergence.Event) {}

func (quiet) Say(string) {}

func (quiet) End(error) {}

// Output implements [Progress].
func (q quiet) Output() (out, err io.Writer) { return q.streams.Out, q.streams.Err }

// plain writes docker compose's lines, one a change: " Container shop-web-1 Started ". Scripts read them.
type plain struct {
	streams Streams
	builds  *buildLog
}

// Begin implements [Progress].
func (p *plain) Begin(_ Title, made *plan.Plan) {
	for _, warning := range made.Warnings {
		writeWarning(p.streams.Err, style{}, warning.Message)
	}
}

// Event implements [Progress].
func (p *plain) Event(event convergence.Event) {
	if event.Progress.Build != nil {
		p.builds.event(event)
		return
	}
	text := words(event)
	if event.Phase == convergence.Progress && event.Object.Kind == step.Provider {
		text = event.Progress.Text // what its program says
	}
	if text == "" {
		return
	}
	_, _ = fmt.Fprintf(p.streams.Err, " %s %s \n", harmless(event.Object.String()), harmless(text))
}

// Say implements [Progress].
func (p *plain) Say(text string) { _, _ = fmt.Fprintln(p.streams.Err, harmless(text)) }

// End implements [Progress].
func (p *plain) End(error) {}

// Output implements [Progress].
func (p *plain) Output() (out, err io.Writer) { return p.streams.Out, p.streams.Err }

// words are docker compose's for an event; empty where it says nothing.
func words(event convergence.Event) string {
	switch event.Phase {
	case convergence.Unchanged:
		return unchangedWords(event)
	case convergence.Failed:
		return failedWords(event)
	case convergence.Started, convergence.Done:
	default:
		return ""
	}
	doing, done := event.Step.Words()
	if event.Phase == convergence.Started {
		return doing
	}
	return done
}

func unchangedWords(event convergence.Event) string {
	switch {
	case event.Skipped && event.Reason != "":
		return "Skipped: " + event.Reason
	case event.Skipped:
		return "Skipped"
	case event.Object.Kind == step.Container:
		return "Running"
	}
	return ""
}

// writeWarning writes a line for people about something that stops nothing.
func writeWarning(w io.Writer, s style, message string) {
	_, _ = fmt.Fprintf(w, "%s %s\n", s.busy("warning:"), harmless(message))
}

// seconds is a duration with one decimal: "4.2 s".
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
