package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
)

func newPause(g *globals) *cobra.Command {
	o := &lifecycleOptions{globals: g}
	return lifecycleCommand(o, "pause [SERVICE...]", "Pause services",
		`Freeze running containers, each after those that depend on it. They keep their memory and their ports, and answer nobody.

`+"`muster unpause`"+` lets them go on.`,
		func(ctx context.Context) error {
			return runPause(ctx, o, convergence.Converger.PlanPause, display.Title{Verb: "pause", Done: " is paused", Nothing: ": nothing runs"})
		})
}

func newUnpause(g *globals) *cobra.Command {
	o := &lifecycleOptions{globals: g}
	return lifecycleCommand(o, "unpause [SERVICE...]", "Unpause services",
		"Let paused containers go on, each after what it depends on.",
		func(ctx context.Context) error {
			return runPause(ctx, o, convergence.Converger.PlanUnpause, display.Title{Verb: "unpause", Done: " goes on", Nothing: ": nothing is paused"})
		})
}

// runPause applies one of the two plans. The title's texts follow the project's name.
func runPause(
	ctx context.Context, o *lifecycleOptions, planned func(convergence.Converger, context.Context, plan.PauseInput) (*plan.Plan, error),
	title display.Title,
) error {
	p, name, eng, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	title.Project, title.Done, title.Nothing = name, name+title.Done, name+title.Nothing
	return o.carryOut(ctx, eng, title, func(ctx context.Context) (*plan.Plan, error) {
		return planned(convergence.Converger{Engine: eng}, ctx, plan.PauseInput{Name: name, Project: p, Services: o.services})
	})
}
