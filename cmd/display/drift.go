package display

import (
	"fmt"
	"io"

	"github.com/mattn/go-runewidth"

	"github.com/muster-dev/muster/convergence/plan"
)

// DriftSchema names the form of [DriftJSON], as [Schema] has it.
const DriftSchema = "muster.drift/1"

// Drift tells people what is not as it was made: as it was, and as it is.
func Drift(streams Streams, projectName string, drifts plan.Drifts, colors bool) {
	s, w, width, names := style{colors}, streams.Out, 0, 0
	if streams.OutTerminal {
		width = streams.width()
	}
	switch len(drifts.Found) {
	case 0:
		_, _ = fmt.Fprintf(w, "%s: as it was made (%s)\n", harmless(projectName), count(drifts.Looked, "container"))
	case 1:
		_, _ = fmt.Fprintf(w, "%s: 1 thing is not as it was made\n\n", harmless(projectName))
	default:
		_, _ = fmt.Fprintf(w, "%s: %d things are not as they were made\n\n", harmless(projectName), len(drifts.Found))
	}
	for _, drift := range drifts.Found {
		names = max(names, runewidth.StringWidth(driftName(drift)))
	}
	const beforeNames = 4
	for _, drift := range drifts.Found {
		lines := reasonLines(drift.Reasons, width-names-beforeNames)
		if width == 0 {
			lines = reasonLines(drift.Reasons, 0)
		}
		for i, line := range lines {
			mark, name := s.busy("~"), driftName(drift)
			if i > 0 {
				mark, name = " ", ""
			}
			_, _ = fmt.Fprintf(w, "%s %s  %s\n", mark, pad(name, names), line)
		}
	}
	if len(drifts.Unknown) > 0 {
		text := fmt.Sprintf("docker compose made %s: with which limits and names is not known", count(len(drifts.Unknown), "container"))
		_, _ = fmt.Fprintln(w, s.dim(text))
	}
}

// driftName is a container's name, or that of something else with its kind.
func driftName(drift plan.Drift) string {
	if drift.Object.Kind == containerKind {
		return harmless(drift.Object.Name)
	}
	return harmless(lower(string(drift.Object.Kind)) + " " + drift.Object.Name)
}

const containerKind = "Container"

type jsonDrifts struct {
	Schema  string      `json:"schema"`
	Project string      `json:"project"`
	Drifted bool        `json:"drifted"`
	Looked  int         `json:"containers"`
	Found   []jsonDrift `json:"found"`
	Unknown []string    `json:"unknown"`
}

type jsonDrift struct {
	Kind    string            `json:"kind"` // container, network, volume
	Name    string            `json:"name"`
	Service string            `json:"service,omitempty"`
	Fields  []jsonDriftReason `json:"fields"`
}

type jsonDriftReason struct {
	Path string `json:"path,omitempty"`
	Made string `json:"made,omitempty"`
	Is   string `json:"is,omitempty"`
	Text string `json:"text"`
}

// DriftJSON tells machines what is not as it was made.
func DriftJSON(w io.Writer, projectName string, drifts plan.Drifts) error {
	document := jsonDrifts{
		Schema: DriftSchema, Project: projectName, Drifted: len(drifts.Found) > 0, Looked: drifts.Looked, Found: []jsonDrift{},
		Unknown: append([]string{}, drifts.Unknown...),
	}
	for _, drift := range drifts.Found {
		one := jsonDrift{Kind: lower(string(drift.Object.Kind)), Name: drift.Object.Name, Fields: []jsonDriftReason{}}
		if drift.Object.Kind == containerKind {
			one.Service = drift.Ref.Name
		}
		for _, reason := range drift.Reasons {
			told := withoutSecrets(reason)
			one.Fields = append(one.Fields, jsonDriftReason{Path: told.Path, Made: told.Old, Is: told.New, Text: told.String()})
		}
		document.Found = append(document.Found, one)
	}
	return writeIndented(w, document)
}
