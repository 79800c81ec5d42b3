package display

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

// lostSteps takes the steps out of some errors that failed because the one engine was lost. A single one tells of that itself, and stays.
func lostSteps(all []error) (lost, others []error) {
	for _, one := range all {
		var failed *convergence.StepError
		if errors.As(one, &failed) && errors.Is(failed.Err, engine.ErrUnavailable) {
			lost = append(lost, one)
		} else {
			others = append(others, one)
		}
	}
	if len(lost) < 2 {
		return nil, all
	}
	return lost, others
}

// lostReport is the one report of them: what was lost, what that cut short, and what is not put back.
func lostReport(lost []error, options FailureOptions) Report {
	var r Report
	left := false
	for i, one := range lost {
		var failed *convergence.StepError
		_ = errors.As(one, &failed)
		if i == 0 {
			known := options.explain(failed.Err)
			r = Report{Code: known.Code, Message: strings.TrimRight(failed.Err.Error(), "\n"), Try: known.Try}
		}
		r.During = append(r.During, failed.What())
		left = left || failed.Undone != nil && failed.Undone.Err != nil
		for _, held := range options.heldUpBy(one) {
			if !slices.ContainsFunc(r.HeldUp, func(h plan.HeldUp) bool { return h.Service == held.Service }) {
				r.HeldUp = append(r.HeldUp, held)
			}
		}
	}
	if left {
		r.Now = "what was begun is half done: the next `muster up` finishes it or puts it back"
	}
	return r
}

// during are the steps that were cut short, the first ones by name.
func (f failureWriter) during(steps []string) {
	const most = 5
	lines := make([]string, 0, most+1)
	for _, one := range steps[:min(most, len(steps))] {
		lines = append(lines, harmless(one))
	}
	if more := len(steps) - most; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	f.block("during", lines)
}
