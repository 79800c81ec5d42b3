package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

// showPlan tells what would be done, and how to have it done.
func (g *globals) showPlan(made *plan.Plan, applying string) {
	display.Plan(g.app.Streams, made, g.colorOut())
	if made.HasChanges() {
		_, _ = fmt.Fprintf(g.app.Out, "\nNothing was touched. `%s` applies this.\n", applying)
	}
}

// applyError is what went wrong while a plan was applied, and what it held up.
type applyError struct {
	error
	heldUp []string // services that were not started
	plan   *plan.Plan
}

func (e *applyError) Unwrap() error { return e.error }

// apply carries out a plan, shows it, and tells others that want to know. The error says what it held up.
func apply(
	ctx context.Context, eng engine.Engine, made *plan.Plan, progress display.Progress, title display.Title,
	others ...convergence.Sink,
) error {
	if err := made.Refusal(); err != nil {
		return err
	}
	held := &heldUp{plan: made}
	progress.Begin(title, made)
	err := convergence.Apply(ctx, eng, made, func(event convergence.Event) {
		held.event(event)
		if event.Progress.Hook == nil { // a line for the logs
			progress.Event(event)
		}
		for _, tell := range others {
			tell(event)
		}
	})
	progress.End(err)
	if err == nil {
		return nil
	}
	return &applyError{error: err, heldUp: held.services, plan: made}
}

// heldUp collects the services that were not started. One whose container was to be replaced still runs.
type heldUp struct {
	plan     *plan.Plan
	services []string
}

func (h *heldUp) event(event convergence.Event) {
	if event.Phase != convergence.Skipped || event.Step.Action() != "start" || h.plan.Nodes[event.Node].Group > 0 {
		return
	}
	if name := event.Step.Ref().Name; !slices.Contains(h.services, name) {
		h.services = append(h.services, name)
	}
}
