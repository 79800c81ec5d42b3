package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
)

type restartOptions struct {
	lifecycleOptions
	noDeps bool
}

func newRestart(g *globals) *cobra.Command {
	o := &restartOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "restart [OPTIONS] [SERVICE...]", "Restart service containers",
		`Stop and start containers again, with the settings that they have: changes of the file are what `+"`muster up`"+` is for.

Services that depend on a restarted one with restart: true are restarted, too, and stop before it; what depends on others waits
until those are as its condition asks for.`,
		func(ctx context.Context) error { return runRestart(ctx, o) })
	cmd.Flags().BoolVar(&o.noDeps, "no-deps", false, "Don't restart dependent services")
	o.bindTimeout(cmd)
	return cmd
}

func runRestart(ctx context.Context, o *restartOptions) error {
	p, name, eng, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	input := plan.LifecycleInput{
		Name: name, Project: p, Services: o.services, NoDeps: o.noDeps, StopTimeout: seconds(o.timeout, o.timeoutGiven),
	}
	if p != nil {
		input.Project, input.Unread = o.readContents(ctx, p)
	}
	title := display.Title{Project: name, Verb: "restart", Done: name + " is restarted"}
	return o.carryOut(ctx, eng, title, func(ctx context.Context) (*plan.Plan, error) {
		return convergence.Converger{Engine: eng}.PlanRestart(ctx, input)
	})
}
