package display

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/muster-dev/muster/convergence/plan"
)

// FailureOptions say what there is to tell beside an error, and how.
type FailureOptions struct {
	// HeldUp are the services that were not started because of it, and Plan is what was being carried out; nil where nothing was.
	HeldUp []string
	Plan   *plan.Plan
	// Explain is what is known about an error. nil means what the error itself says.
	Explain func(err error) Explanation
	Colors  bool
	// Width is how many characters long texts of the engine may have in a line; 0 leaves them as they are.
	Width int
	// Zone is the zone of the times of log lines; nil means the local one.
	Zone *time.Location
}

func (o FailureOptions) explain(err error) Explanation {
	if o.Explain != nil {
		return o.Explain(err)
	}
	return Explanation{Try: hintOf(err)}
}

// Failure writes an error for people: what failed comes first, then the evidence, what it held up, what is now and what to try.
func Failure(w io.Writer, err error, options FailureOptions) {
	f := failureWriter{w, style{options.Colors}, options}
	reports, rest := Reports(err, options)
	timedOut := false
	for i, r := range reports {
		if i > 0 {
			_, _ = fmt.Fprintln(w)
		}
		switch {
		case !r.timedOut:
			f.headline(r.Message)
		case !timedOut:
			f.headline(r.Message)
			fallthrough
		default: // the time was one for all
			timedOut = true
			_, _ = fmt.Fprintf(w, "  %s\n", f.style.bold(harmless(r.Container+" was not ready: "+r.Reason)))
		}
		f.evidence(r)
	}
	f.heldUp(named(rest))
}

// Interrupted writes what was not started because the user interrupted.
func Interrupted(w io.Writer, heldUp []string, colors bool) {
	s := style{colors}
	_, _ = fmt.Fprintln(w, s.bold("interrupted"))
	failureWriter{w, s, FailureOptions{}}.heldUp(named(heldUp))
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
