package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// lifecycleOptions are those of the commands that work on the containers that are there.
type lifecycleOptions struct {
	*globals
	services     []string
	timeout      int
	timeoutGiven bool
	quiet        bool   // of the commands that have the flag: no progress is shown
	applying     string // the command that does what --dry-run only tells of
}

// lifecycleCommand makes a command of one of them.
func lifecycleCommand(o *lifecycleOptions, use, short, long string, run func(context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services, o.applying = args, applying(cmd, args)
			o.timeoutGiven = cmd.Flags().Changed(timeoutFlag)
			return run(cmd.Context())
		},
	}
}

const timeoutFlag = "timeout"

func (o *lifecycleOptions) bindTimeout(cmd *cobra.Command) {
	cmd.Flags().IntVarP(&o.timeout, timeoutFlag, "t", 0, "Specify a shutdown timeout in seconds")
}

// bindRemoveOrphans binds --remove-orphans, which has its default from the environment.
func bindRemoveOrphans(cmd *cobra.Command, g *globals, into *bool) {
	const name = "remove-orphans"
	cmd.Flags().BoolVar(into, name, false, "Remove containers for services not defined in the Compose file")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed(name) {
			*into = g.isSet("COMPOSE_REMOVE_ORPHANS")
		}
		return run(cmd, args)
	}
}

// open reads the project, or only its name, and connects to the engine. Services that are nowhere are refused.
func (o *lifecycleOptions) open(ctx context.Context) (p *project.Project, name string, eng *engine.Hub, err error) {
	if p, name, err = o.projectOrName(ctx); err != nil {
		return nil, "", nil, err
	}
	if p != nil {
		if err := checkServices(p, nil, o.services); err != nil {
			return nil, "", nil, err
		}
	}
	if eng, err = o.dial(ctx, name); err != nil {
		return nil, "", nil, err
	}
	if p == nil && len(o.services) > 0 {
		containers, err := eng.ListContainers(ctx, engine.ContainerFilter{Project: name})
		if err != nil {
			err = fmt.Errorf("list containers of project %q: %w", name, err)
		} else {
			err = checkServices(nil, containers, o.services)
		}
		if err != nil {
			_ = eng.Close()
			return nil, "", nil, err
		}
	}
	return p, name, eng, nil
}

// finish shows a plan where only that is asked for, else applies it and tells others, too, what happens. It is for what changes
// nothing of a project's containers, networks and volumes.
func (o *lifecycleOptions) finish(
	ctx context.Context, eng engine.Engine, made *plan.Plan, title display.Title, others ...convergence.Sink,
) error {
	if o.dryRun {
		o.showPlan(made, o.applying)
		return nil
	}
	progress, err := o.progress()
	if err != nil {
		return err
	}
	return apply(ctx, eng, made, progress, title, others...)
}

// carryOut is finish for what changes a project: as its only writer, by a plan that was made anew then.
func (o *lifecycleOptions) carryOut(ctx context.Context, eng engine.Engine, title display.Title, planned replan) error {
	made, err := planned(ctx)
	if err != nil {
		return err
	}
	return o.carry(ctx, &change{globals: o.globals, eng: eng, made: made, again: planned}, title)
}

// carry is the rest of carryOut, for a change of which the plan is there.
func (o *lifecycleOptions) carry(ctx context.Context, c *change, title display.Title) error {
	if o.dryRun {
		o.showPlan(c.made, o.applying)
		return nil
	}
	progress, err := o.progress()
	if err != nil {
		return err
	}
	if err := c.begin(ctx); err != nil {
		return err
	}
	return c.apply(ctx, progress, title)
}

func (o *lifecycleOptions) progress() (display.Progress, error) {
	looks, err := o.looks()
	if err != nil {
		return nil, err
	}
	if o.quiet {
		looks.Mode = display.Quiet
	}
	return o.newProgress(looks), nil
}
