package display

import (
	"cmp"
	"encoding/json"
	"io"
	"time"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
)

// jsonSchema is the version of the lines that jsonProgress writes. It grows when a key changes its meaning or goes.
const jsonSchema = 1

// jsonEvent is a line of progress: docker compose's keys (id, status, text, details, current, total, percent), and what it lacks.
type jsonEvent struct {
	Schema  int       `json:"schema"`
	Time    time.Time `json:"ts"`
	ID      string    `json:"id,omitempty"`
	Status  string    `json:"status,omitempty"` // Working, Done, Warning, Error
	Text    string    `json:"text,omitempty"`
	Details string    `json:"details,omitempty"`
	Current int64     `json:"current,omitempty"`
	Total   int64     `json:"total,omitempty"`
	Percent int       `json:"percent,omitempty"`

	Kind   string `json:"kind,omitempty"` // container, network, volume, image
	Name   string `json:"name,omitempty"`
	Ref    string `json:"ref,omitempty"` // "service web"
	Action string `json:"action,omitempty"`
	Phase  string `json:"phase,omitempty"`
	Cause  string `json:"cause,omitempty"`
	Error  string `json:"error,omitempty"`
	Undo   bool   `json:"undo,omitempty"`

	Step  string `json:"step,omitempty"`  // of a build: "[build 2/3] RUN make"
	Event string `json:"event,omitempty"` // of that step: started, cached, done, failed, log, transfer, warning
}

// jsonProgress writes a JSON object a line.
type jsonProgress struct {
	streams Streams
	causes  map[string]string // by ref
}

// Begin implements [Progress].
func (j *jsonProgress) Begin(_ Title, made *plan.Plan) {
	j.causes = map[string]string{}
	for _, change := range made.Changes {
		j.causes[change.Ref.String()] = joinReasons(change.Reasons)
	}
	for _, warning := range made.Warnings {
		j.write(warningEvent(warning.Message))
	}
}

func warningEvent(message string) jsonEvent {
	return jsonEvent{Time: time.Now(), Status: "Warning", Text: message, Phase: "warning"}
}

// Say implements [Progress].
func (j *jsonProgress) Say(text string) {
	j.write(jsonEvent{Time: time.Now(), Status: "Working", Text: text, Phase: "note"})
}

// Event implements [Progress].
func (j *jsonProgress) Event(event convergence.Event) {
	line := jsonEvent{
		Time: event.Time, ID: event.Object.String(), Name: event.Object.Name,
		Kind: kindOf(event), Phase: string(event.Phase), Status: statusOf(event), Text: words(event), Undo: event.Undo,
	}
	if event.Step != nil {
		if event.Object.Name == "" {
			return
		}
		line.Action, line.Ref = event.Step.Action(), event.Step.Ref().String()
		line.Cause = j.causes[line.Ref]
	}
	if event.Phase == convergence.Progress {
		line.Details = event.Progress.Text
		if build := event.Progress.Build; build != nil {
			line.Step, line.Event, line.Details = build.Name, buildEvent(build.Kind), cmp.Or(build.Text, build.Item)
		}
		line.Current, line.Total = event.Progress.Current, event.Progress.Total
		if line.Total > 0 {
			line.Percent = int(line.Current * 100 / line.Total) //nolint:mnd // per cent
		}
	}
	if event.Err != nil {
		line.Error = event.Err.Error()
	}
	j.write(line)
}

func kindOf(event convergence.Event) string {
	return lower(string(event.Object.Kind))
}

func statusOf(event convergence.Event) string {
	switch event.Phase {
	case convergence.Started, convergence.Progress:
		return "Working"
	case convergence.Failed:
		if event.Optional {
			return "Warning"
		}
		return "Error"
	case convergence.Skipped:
		return "Warning"
	}
	return "Done"
}

func (j *jsonProgress) write(line jsonEvent) { writeJSON(j.streams.Err, line) }

func writeJSON(w io.Writer, line jsonEvent) {
	line.Schema = jsonSchema
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(line)
}

// End implements [Progress].
func (j *jsonProgress) End(error) {}

// Output implements [Progress].
func (j *jsonProgress) Output() (out, err io.Writer) { return j.streams.Out, j.streams.Err }
