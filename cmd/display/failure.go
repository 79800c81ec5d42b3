package display

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
)

// FailureOptions say what there is to tell beside an error, and how.
type FailureOptions struct {
	// HeldUp are the services that were not started because of it.
	HeldUp []string
	// Try is what to try about an error, fit to be copied; empty where nothing is known. nil means what the error itself says.
	Try    func(err error) string
	Colors bool
}

// Failure writes an error for people: what failed comes first, then the evidence, what is now, what to try, and last what it held
// up.
func Failure(w io.Writer, err error, options FailureOptions) {
	s := style{options.Colors}
	if options.Try == nil {
		options.Try = hintOf
	}
	heldUp := slices.Clone(options.HeldUp)
	for i, one := range split(err) {
		if i > 0 {
			_, _ = fmt.Fprintln(w)
		}
		writeFailure(w, s, one, options.Try)
		var failed *convergence.StepError
		if errors.As(one, &failed) && failed.Undone != nil && len(failed.Undone.Restored) > 0 {
			heldUp = slices.DeleteFunc(heldUp, func(service string) bool { return service == failed.Undone.Group })
		}
	}
	writeHeldUp(w, s, heldUp)
}

// Interrupted writes what was not started because the user interrupted.
func Interrupted(w io.Writer, heldUp []string, colors bool) {
	s := style{colors}
	_, _ = fmt.Fprintln(w, s.bold("interrupted"))
	writeHeldUp(w, s, heldUp)
}

func writeHeldUp(w io.Writer, s style, services []string) {
	if len(services) > 0 {
		writeFact(w, s, "held up", harmless(strings.Join(services, ", "))+" (not started)")
	}
}

// split takes joined errors apart: those that only list others. One that says something of its own stays whole.
func split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error }) // only the outermost join is one of several failures
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, split(one)...)
	}
	return all
}

func writeFailure(w io.Writer, s style, err error, try func(error) string) {
	lines := strings.Split(strings.TrimRight(err.Error(), "\n"), "\n")
	_, _ = fmt.Fprintf(w, "%s %s\n", s.bad("✘"), s.bold(harmless(lines[0])))
	for _, line := range lines[1:] {
		_, _ = fmt.Fprintf(w, "  %s\n", harmless(line))
	}
	var waited *step.WaitError
	if errors.As(err, &waited) {
		writeEvidence(w, s, waited)
	}
	var built *engine.BuildError
	if errors.As(err, &built) {
		writeBuildEvidence(w, s, built)
	}
	var failed *convergence.StepError
	undone := errors.As(err, &failed) && failed.Undone != nil
	if undone {
		writeUndone(w, s, failed.Undone)
	}
	if undone && waited != nil {
		return // the container that it would send to is gone
	}
	if advice := try(err); advice != "" {
		writeFact(w, s, "try", harmless(advice))
	}
}

// hintOf is what an error says to try; empty where it does not.
func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) {
		return ""
	}
	return hinted.Hint()
}

// writeFact writes a word and what it says, in two columns.
func writeFact(w io.Writer, s style, word, text string) {
	const column = 10
	_, _ = fmt.Fprintf(w, "  %s%s\n", s.dim(pad(word, column)), text)
}

// killedCode is the exit code of a program that SIGKILL has ended: 128 and the signal's number.
const killedCode = 137

// most of what a container says that is shown in a failure.
const (
	probeLines = 3
	logLines   = 10
)

func writeEvidence(w io.Writer, s style, failed *step.WaitError) {
	details := failed.Details
	if check := details.HealthCheck; check != nil && len(check.Probes) > 0 {
		last := check.Probes[len(check.Probes)-1]
		head := fmt.Sprintf("exit %d, %d of %d failed", last.ExitCode, check.FailingStreak, check.Retries)
		writeBlock(w, s, block{word: "probe", head: head, text: []byte(last.Output), most: probeLines})
	}
	switch {
	case details.OOMKilled:
		writeFact(w, s, "memory", "the kernel ended it: out of memory")
	case details.ExitCode == killedCode && !details.Running():
		writeFact(w, s, "killed", "by SIGKILL: out of memory, which the engine did not notice, or from outside")
	}
	if details.RestartCount > 0 {
		writeFact(w, s, "restarts", fmt.Sprint(details.RestartCount))
	}
	if details.Error != "" {
		writeFact(w, s, "engine", harmless(details.Error))
	}
	if len(failed.Log) > 0 {
		writeBlock(w, s, block{word: "log", text: failed.Log, most: logLines})
	}
}

type block struct {
	word, head string
	text       []byte
	most       int // the last lines that are shown
}

func writeBlock(w io.Writer, s style, b block) {
	lines := strings.Split(strings.TrimSpace(string(bytes.ToValidUTF8(b.text, []byte("\ufffd")))), "\n")
	if len(lines) > b.most {
		lines = lines[len(lines)-b.most:]
	}
	word := b.word
	if b.head != "" {
		writeFact(w, s, word, b.head)
		word = ""
	}
	for _, line := range lines {
		if strings.TrimSpace(line) != "" {
			writeFact(w, s, word, harmless(strings.TrimRight(line, "\r")))
			word = ""
		}
	}
}

func writeUndone(w io.Writer, s style, undone *convergence.Undone) {
	names := harmless(strings.Join(undone.Restored, ", "))
	switch {
	case undone.Err != nil:
		writeFact(w, s, "now", "putting back what ran before failed: "+harmless(undone.Err.Error()))
	case len(undone.Restored) == 0:
	case undone.Untouched:
		writeFact(w, s, "now", "what ran before was not touched: "+names)
	case len(undone.Restored) == 1:
		writeFact(w, s, "now", "the "+names+" that ran before is running again")
	default:
		writeFact(w, s, "now", "the containers that ran before are running again: "+names)
	}
}
