package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
)

type startOptions struct {
	lifecycleOptions
	wait        bool
	waitTimeout int
}

func newStart(g *globals) *cobra.Command {
	o := &startOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "start [OPTIONS] [SERVICE...]", "Start services",
		`Start containers that are there and stand still, each once what its service depends on is as it asked for.

Nothing is created and nothing is replaced: that is what `+"`muster up`"+` does.`,
		func(ctx context.Context) error { return runStart(ctx, o) })
	cmd.Flags().BoolVar(&o.wait, "wait", false, "Wait for services to be running|healthy. Implies detached mode.")
	cmd.Flags().IntVar(&o.waitTimeout, "wait-timeout", 0, "Maximum duration in seconds to wait for the project to be running|healthy")
	return cmd
}

func runStart(ctx context.Context, o *startOptions) error {
	if o.waitTimeout < 0 {
		return errors.New("--wait-timeout must be a non-negative integer")
	}
	p, name, eng, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	input := plan.LifecycleInput{
		Name: name, Project: p, Services: o.services, Wait: o.wait, WaitTimeout: time.Duration(o.waitTimeout) * time.Second,
	}
	if p != nil {
		input.Project, input.Unread = o.readContents(ctx, p)
	}
	title := display.Title{Project: name, Verb: "start", Done: name + " is started", Nothing: name + ": everything runs"}
	return o.carryOut(ctx, eng, title, func(ctx context.Context) (*plan.Plan, error) {
		return convergence.Converger{Engine: eng, Nearby: o.nearby}.PlanStart(ctx, input)
	})
}
