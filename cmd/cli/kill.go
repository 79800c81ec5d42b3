package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
)

type killOptions struct {
	lifecycleOptions
	signal        string
	removeOrphans bool
}

func newKill(g *globals) *cobra.Command {
	o := &killOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "kill [OPTIONS] [SERVICE...]", "Force stop service containers",
		"Send running containers a signal, all at once, one-offs included. SIGKILL ends them without asking.",
		func(ctx context.Context) error { return runKill(ctx, o) })
	bindRemoveOrphans(cmd, g, &o.removeOrphans)
	cmd.Flags().StringVarP(&o.signal, "signal", "s", "SIGKILL", "SIGNAL to send to the container")
	return cmd
}

func runKill(ctx context.Context, o *killOptions) error {
	p, name, eng, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	title := display.Title{Project: name, Verb: "kill", Done: name + " is killed"}
	return o.carryOut(ctx, eng, title, func(ctx context.Context) (*plan.Plan, error) {
		made, err := convergence.Converger{Engine: eng}.PlanKill(ctx, plan.KillInput{
			Name: name, Project: p, Services: o.services, Signal: o.signal, OneOffs: true, RemoveOrphans: o.removeOrphans,
		})
		if err == nil && made.Empty() && !o.dryRun {
			o.say("No container to kill")
		}
		return made, err
	})
}
