package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
)

type planOptions struct {
	upOptions
	format string
}

func newPlan(g *globals) *cobra.Command {
	o := &planOptions{upOptions: upOptions{globals: g}}
	cmd := &cobra.Command{
		Use:   "plan [OPTIONS] [SERVICE...]",
		Short: "Show what up would do, and why; change nothing",
		Long: `Show what ` + "`muster up`" + ` would do, and why. Nothing is changed.

The exit code is 0 when there is nothing to do, 2 when there is, and 1 when no plan can be made.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services, o.applying = args, applying(cmd, args)
			return runPlan(cmd.Context(), o)
		},
	}
	o.bindImages(cmd)
	bindRemoveOrphans(cmd, g, &o.removeOrphans)
	flags := cmd.Flags()
	flags.StringVar(&o.format, formatFlag, "text", `Format of the plan ("text"|"json")`)
	flags.BoolVar(&o.forceRecreate, "force-recreate", false, "Plan to recreate containers even if nothing has changed")
	flags.BoolVar(&o.noDeps, "no-deps", false, "Leave out the services that the named ones depend on")
	flags.BoolVar(&o.noRecreate, "no-recreate", false, "Plan to keep containers that exist. Incompatible with --force-recreate.")
	flags.StringArrayVar(&o.scale, "scale", nil, "Scale SERVICE to NUM instances")
	return cmd
}

const formatFlag = "format"

func runPlan(ctx context.Context, o *planOptions) error {
	if o.format != "text" && o.format != "json" {
		return fmt.Errorf("unsupported --format value %q: use text or json", o.format)
	}
	if err := o.check(); err != nil {
		return err
	}
	p, err := o.loadForRun(ctx)
	if err != nil {
		return err
	}
	eng, err := o.dial(ctx, p.Name)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	made, err := convergence.Converger{Engine: eng, Providers: o.providers(p)}.Plan(ctx, p, o.policy(), true)
	if err != nil {
		return err
	}
	if o.format == "json" {
		if err := display.PlanJSON(o.app.Out, made, nil); err != nil {
			return err
		}
	} else {
		o.showPlan(made, o.applying)
	}
	if made.HasChanges() {
		return exitCode(exitChanges)
	}
	return nil
}
