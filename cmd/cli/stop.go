package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
)

func newStop(g *globals) *cobra.Command {
	o := &lifecycleOptions{globals: g}
	cmd := lifecycleCommand(o, "stop [OPTIONS] [SERVICE...]", "Stop services",
		`Stop running containers without removing them, each after those that depend on it.

`+"`muster start`"+` starts them again.`,
		func(ctx context.Context) error { return runStop(ctx, o) })
	o.bindTimeout(cmd)
	return cmd
}

func runStop(ctx context.Context, o *lifecycleOptions) error {
	p, name, eng, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	title := display.Title{Project: name, Verb: "stop", Done: name + " is stopped", Nothing: name + ": nothing runs"}
	return o.carryOut(ctx, eng, title, func(ctx context.Context) (*plan.Plan, error) {
		return convergence.Converger{Engine: eng, Providers: o.providers(p)}.PlanStop(ctx, plan.StopInput{
			Name: name, Project: p, Services: o.services, Timeout: seconds(o.timeout, o.timeoutGiven),
		})
	})
}
