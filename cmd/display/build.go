package display

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
)

// buildLog writes what happens in builds in BuildKit's plain form, which scripts and people know: "#3 [web build 2/4] RUN make",
// "#3 0.512 cc -o web", "#3 DONE 1.2s". Numbers count over all builds of a run, so that lines of several can be told apart.
type buildLog struct {
	w     io.Writer
	steps map[buildStep]*loggedStep
}

type buildStep struct {
	node plan.NodeID
	step int
}

type loggedStep struct {
	number  int
	named   bool
	quiet   bool // its end was told, and nothing after it; BuildKit may begin and end it again
	started time.Time
}

func newBuildLog(w io.Writer) *buildLog { return &buildLog{w: w, steps: map[buildStep]*loggedStep{}} }

func (l *buildLog) event(event convergence.Event) {
	progress := *event.Progress.Build
	key := buildStep{event.Node, progress.Step}
	logged := l.steps[key]
	if logged == nil {
		logged = &loggedStep{number: len(l.steps) + 1, started: event.Time}
		l.steps[key] = logged
	}
	if !logged.named && progress.Name != "" {
		logged.named = true
		l.line(logged, buildName(serviceOf(event), progress.Name))
	}
	switch progress.Kind {
	case engine.BuildStepStarted:
		logged.started = event.Time
	case engine.BuildStepCached:
		l.end(logged, "CACHED")
	case engine.BuildStepDone:
		l.end(logged, fmt.Sprintf("DONE %.1fs", progress.Took.Seconds()))
	case engine.BuildStepFailed:
		l.end(logged, "ERROR: "+progress.Text)
	case engine.BuildLog:
		l.line(logged, fmt.Sprintf("%.3f %s", event.Time.Sub(logged.started).Seconds(), progress.Text))
	case engine.BuildTransfer:
		if progress.Total > 0 && progress.Done == progress.Total {
			l.line(logged, progress.Item+" "+megabytes(progress.Total)+" done")
		}
	case engine.BuildWarning:
		l.line(logged, "WARNING: "+progress.Text)
	}
}

func (l *buildLog) line(logged *loggedStep, text string) {
	logged.quiet = false
	_, _ = fmt.Fprintf(l.w, "#%d %s\n", logged.number, harmless(text))
}

// end tells how a step ended, with an empty line after it; of one that ran again and had nothing to say, once.
func (l *buildLog) end(logged *loggedStep, text string) {
	if !logged.quiet {
		l.line(logged, text)
		_, _ = fmt.Fprintln(l.w)
		logged.quiet = true
	}
}

// serviceOf is the service that a build is for.
func serviceOf(event convergence.Event) string {
	if build, ok := event.Step.(step.BuildImage); ok {
		return build.Request.Service
	}
	return event.Object.Name
}

// buildName puts the service into a step's name: "[web build 2/4] RUN make".
func buildName(service, name string) string {
	if rest, ok := strings.CutPrefix(name, "["); ok {
		return "[" + service + " " + rest
	}
	return "[" + service + "] " + name
}

// buildEvent is what happened to a step, for machines.
func buildEvent(kind engine.BuildProgressKind) string {
	return map[engine.BuildProgressKind]string{
		engine.BuildStepStarted: "started", engine.BuildStepCached: "cached", engine.BuildStepDone: "done",
		engine.BuildStepFailed: "failed", engine.BuildLog: "log", engine.BuildTransfer: "transfer", engine.BuildWarning: "warning",
	}[kind]
}

// megabytes is a size for people, in bytes where it is small.
func megabytes(bytes int64) string {
	const kilo, mega = 1000, 1_000_000
	switch {
	case bytes < kilo:
		return fmt.Sprintf("%d B", bytes)
	case bytes < mega:
		return fmt.Sprintf("%.1f kB", float64(bytes)/kilo)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/mega)
}

// buildLines are the last lines of a build's step that are shown.
const buildLines = 10

// writeBuildEvidence shows where in the Dockerfile a build failed and what the step had said.
func writeBuildEvidence(w io.Writer, s style, failed *engine.BuildError) {
	writeSource(w, s, failed.Lines)
	if len(failed.Output) > 0 {
		lines := failed.Output[max(0, len(failed.Output)-buildLines):]
		failureWriter{w: w, style: s}.block("output", lines)
	}
}

// writeSource shows lines of a Dockerfile, and which of them it is about.
func writeSource(w io.Writer, s style, lines []engine.SourceLine) {
	width := 1
	for _, line := range lines {
		width = max(width, len(strconv.Itoa(line.Number)))
	}
	word := "file"
	for _, line := range lines {
		text := fmt.Sprintf("%*d | %s", width, line.Number, harmless(line.Text))
		if line.Failed {
			text = s.bad("> " + text)
		} else {
			text = "  " + text
		}
		writeFact(w, s, word, text)
		word = ""
	}
}

// CheckedBuild is what the checks found in the Dockerfile of a service.
type CheckedBuild struct {
	Service  string
	Findings []engine.BuildFinding
}

// BuildFindings shows what the checks of Dockerfiles found: a paragraph for each finding, and a line for a service without any.
func BuildFindings(w io.Writer, checked []CheckedBuild, color bool) {
	s := style{color}
	for _, one := range checked {
		if len(one.Findings) == 0 {
			_, _ = fmt.Fprintf(w, "%s %s: nothing found\n", s.good("✔"), one.Service)
		}
		for _, finding := range one.Findings {
			mark, rule := s.busy("!"), harmless(finding.Rule)
			if rule == "" {
				mark, rule = s.bad("✘"), "cannot be built"
			}
			_, _ = fmt.Fprintf(w, "%s %s: %s: %s: %s\n", mark, one.Service, harmless(finding.Place()), rule, harmless(finding.Text))
			writeSource(w, s, finding.Lines)
			if finding.URL != "" {
				writeFact(w, s, "see", harmless(finding.URL))
			}
		}
	}
}
