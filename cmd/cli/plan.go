package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

type planOptions struct {
	upOptions
	format, out string
	schema      bool
	call        savedCall
}

func newPlan(g *globals) *cobra.Command {
	o := &planOptions{upOptions: upOptions{globals: g}}
	cmd := &cobra.Command{
		Use:   "plan [OPTIONS] [SERVICE...]",
		Short: "Show what up would do, and why; change nothing",
		Long: `Show what ` + "`muster up`" + ` would do, and why: what is replaced for which fields, what is down meanwhile and for how long
at least, and what depends on it. Nothing is changed.

How long a service is down at least is only what the file makes certain: the time until the first health check of a new
container can succeed. How long programs take to end and to start comes on top of that.

The exit code is 0 when there is nothing to do, 2 when there is, and 1 when no plan can be made.`,
		Example: `  muster plan --out plan.json           save the plan, for ` + "`muster up --from plan.json`" + ` to carry out just that
  muster plan --format json             the plan for machines; --schema writes what it looks like
  muster plan --show-secrets web        with the values that are otherwise left out`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services, o.applying = args, applying(cmd, args)
			o.call = o.upOptions.call(cmd)
			return runPlan(cmd.Context(), o)
		},
	}
	o.bindImages(cmd)
	bindRemoveOrphans(cmd, g, &o.removeOrphans)
	flags := cmd.Flags()
	flags.StringVar(&o.format, formatFlag, "text", `Format of the plan ("text"|"json")`)
	flags.BoolVar(&o.forceRecreate, "force-recreate", false, "Plan to recreate containers even if nothing has changed")
	flags.StringVar(&o.out, outFlag, "", "Save the plan to this file, without secret values, for `muster up --from`")
	flags.BoolVar(&o.consent.showSecrets, showSecretsFlag, false, "Show secret values, too")
	flags.BoolVar(&o.schema, schemaFlag, false, "Write the JSON Schema of --format json, and plan nothing")
	flags.BoolVar(&o.recreateDeps, "always-recreate-deps", false, "Plan to recreate dependent containers. Incompatible with --no-recreate.")
	flags.BoolVar(&o.noStart, "no-start", false, "Plan to create the services, and not to start them")
	flags.BoolVarP(&o.renewVolumes, "renew-anon-volumes", "V", false, "Plan to give new containers new anonymous volumes")
	flags.BoolVar(&o.noDeps, "no-deps", false, "Leave out the services that the named ones depend on")
	flags.BoolVar(&o.noRecreate, "no-recreate", false, "Plan to keep containers that exist. Incompatible with --force-recreate.")
	flags.StringArrayVar(&o.scale, "scale", nil, "Scale SERVICE to NUM instances")
	return cmd
}

const (
	formatFlag = "format"
	schemaFlag = "schema"
	outFlag    = "out"
)

func runPlan(ctx context.Context, o *planOptions) error {
	if o.schema {
		return display.WriteSchema(o.app.Out, display.PlanSchema)
	}
	p, err := o.loadForPlan(ctx)
	if err != nil {
		return err
	}
	eng, err := o.dial(ctx, p.Name)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	made, err := convergence.Converger{Engine: eng, Providers: o.providers(p), Nearby: o.nearby}.Plan(ctx, p, o.policy(), true)
	if err != nil {
		return err
	}
	if err := o.write(made); err != nil {
		return err
	}
	o.tellUnfinished(p.Name, convergence.FindUnfinished(p.Name, made.State()))
	if made.HasChanges() {
		return exitCode(exitChanges)
	}
	return nil
}

// loadForPlan looks at the flags and loads the project.
func (o *planOptions) loadForPlan(ctx context.Context) (*project.Project, error) {
	if err := checkFormat(o.format); err != nil {
		return nil, err
	}
	if o.out != "" && o.consent.showSecrets {
		return nil, errors.New("--out and --show-secrets are incompatible: the file is to have no secret values")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	p, err := o.loadForRun(ctx)
	if err == nil && o.out != "" {
		err = o.refuseInput(p)
	}
	return p, err
}

// write saves the plan where that is asked for, and tells it.
func (o *planOptions) write(made *plan.Plan) error {
	if o.out != "" {
		if err := o.writePlan(o.out, made, o.call); err != nil {
			return err
		}
		o.applying = o.invocation + " up --from " + quoted(o.out)
	}
	if o.format == "json" {
		return display.PlanJSON(o.app.Out, made, nil)
	}
	o.showPlan(made, o.applying)
	return nil
}
