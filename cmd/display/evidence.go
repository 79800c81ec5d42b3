package display

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/plan"
)

// failureWriter writes reports for people.
type failureWriter struct {
	w       io.Writer
	style   style
	options FailureOptions
}

// most of what a container says that is shown in a failure.
const (
	probeLines = 3
	logLines   = 20
	lineLength = 300 // characters of one line
)

// factColumn is where what a fact says begins, after its word.
const factColumn = 10

func (f failureWriter) headline(message string) {
	first, rest, more := strings.Cut(message, "\n")
	lines := []string{first}
	if f.options.Width > 0 {
		lines = wrap(strings.Fields(first), " ", f.room()+factColumn)
	}
	for i, line := range lines {
		mark := " "
		if i == 0 {
			mark = f.style.bad("✘")
		}
		_, _ = fmt.Fprintf(f.w, "%s %s\n", mark, f.style.bold(harmless(line)))
	}
	if !more {
		return
	}
	for line := range strings.SplitSeq(rest, "\n") {
		_, _ = fmt.Fprintf(f.w, "  %s\n", harmless(line))
	}
}

func (f failureWriter) evidence(r Report) {
	f.during(r.During)
	f.probe(r.Probe)
	f.end(r)
	if r.Restarts > 0 {
		f.fact("restarts", fmt.Sprint(r.Restarts))
	}
	f.words("engine", r.Engine)
	if len(r.Log) > 0 {
		f.block("log", f.log(r.Log))
	}
	if r.build != nil {
		writeBuildEvidence(f.w, f.style, r.build)
	}
	f.heldUp(r.HeldUp)
	f.words("now", r.Now)
	f.block("try", f.advice(r.Try))
}

// advice breaks a long advice into lines, but no command in it: that is to be copied. One stands at the end behind a colon, or alone.
func (f failureWriter) advice(text string) []string {
	room := f.room()
	isCommand := func(text string) bool {
		program, _, _ := strings.Cut(text, " ")
		return slices.Contains([]string{"muster", "docker", "sudo", "ss"}, program)
	}
	if room == 0 || len(text) <= room || isCommand(text) {
		return []string{text}
	}
	words := strings.Fields(text)
	if end := strings.LastIndex(text, ": "); end >= 0 && isCommand(text[end+2:]) {
		words = append(strings.Fields(text[:end+1]), text[end+2:])
	}
	return wrap(words, " ", room)
}

func (f failureWriter) probe(probe *Probe) {
	if probe == nil {
		return
	}
	head := fmt.Sprintf("exit %d, %d of %d failed", probe.ExitCode, probe.Failed, probe.Retries)
	switch {
	case probe.Failed == 0:
		head = fmt.Sprintf("exit %d", probe.ExitCode)
	case probe.Failed > probe.Retries:
		head = fmt.Sprintf("exit %d, %d failed in a row, %d make it unhealthy", probe.ExitCode, probe.Failed, probe.Retries)
	}
	lines := strings.Split(probe.Output, "\n")
	texts := []string{head}
	for _, line := range lines[max(0, len(lines)-probeLines):] {
		texts = append(texts, shorten(line))
	}
	f.block("probe", texts)
}

// end is how it ended, where that says more than the exit code in the headline.
func (f failureWriter) end(r Report) {
	switch {
	case r.OOM:
		f.fact("memory", "the kernel ended it: out of memory")
	case r.ExitCode == nil || r.Meaning == "":
	case *r.ExitCode == killedCode:
		f.fact("killed", "by SIGKILL: from outside, or out of memory unnoticed by the engine")
	default:
		f.fact("exit", r.Meaning)
	}
}

// log is lines with the time of day at which they were written.
func (f failureWriter) log(lines []LogLine) []string {
	zone := f.options.Zone
	if zone == nil {
		zone = time.Local
	}
	var texts []string
	for _, line := range lines[max(0, len(lines)-logLines):] {
		text := shorten(line.Text)
		if !line.Time.IsZero() {
			text = line.Time.In(zone).Format(time.TimeOnly) + "  " + text
		}
		texts = append(texts, text)
	}
	return texts
}

// shorten cuts a line that would fill a screen.
func shorten(line string) string {
	if runes := []rune(line); len(runes) > lineLength {
		return string(runes[:lineLength]) + "…"
	}
	return line
}

// heldUp names services that were not started, and below them those that wait for these.
func (f failureWriter) heldUp(held []plan.HeldUp) {
	var direct, further []string
	for _, h := range held {
		isHeld := func(name string) bool {
			return slices.ContainsFunc(held, func(other plan.HeldUp) bool { return other.Service == name })
		}
		if len(h.WaitsFor) == 0 || slices.ContainsFunc(h.WaitsFor, func(name string) bool { return !isHeld(name) }) {
			direct = append(direct, h.Service)
			continue
		}
		further = append(further, h.Service+" (waits for "+strings.Join(h.WaitsFor, ", ")+")")
	}
	if len(direct) == 0 {
		direct, further = further, nil
	}
	if len(direct) == 0 {
		return
	}
	direct[len(direct)-1] += " (not started)"
	f.block("held up", slices.Concat(wrap(direct, ", ", f.room()), wrap(further, ", ", f.room())))
}

// named are services of which only the name is known.
func named(services []string) []plan.HeldUp {
	var held []plan.HeldUp
	for _, service := range services {
		held = append(held, plan.HeldUp{Service: service})
	}
	return held
}

// room is how wide what a fact says may be; 0 where that does not matter.
func (f failureWriter) room() int {
	const indent, least = 2, 20
	if f.options.Width == 0 {
		return 0
	}
	return max(f.options.Width-indent-factColumn, least)
}

// words writes a text that may be long.
func (f failureWriter) words(word, text string) {
	if text == "" {
		return
	}
	if room := f.room(); room > 0 {
		f.block(word, wrap(strings.Fields(text), " ", room))
		return
	}
	f.block(word, strings.Split(text, "\n"))
}

// block writes a word and lines beside it; empty lines are left out.
func (f failureWriter) block(word string, lines []string) {
	for _, line := range lines {
		if line = strings.TrimRight(line, "\r"); strings.TrimSpace(line) != "" {
			f.fact(word, line)
			word = ""
		}
	}
}

// fact writes a word and what it says, in two columns; nothing where it says nothing.
func (f failureWriter) fact(word, text string) {
	if text != "" {
		writeFact(f.w, f.style, word, harmless(text))
	}
}
