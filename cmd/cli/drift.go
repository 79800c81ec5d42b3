package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
)

type driftOptions struct {
	*globals
	services []string
	format   string
	schema   bool
}

func newDrift(g *globals) *cobra.Command {
	o := &driftOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "drift [OPTIONS] [SERVICE...]",
		Short: "Show what was changed by hand on the engine, field by field",
		Long: `Show in what containers, networks and volumes are not as they were made: limits and restart policies (` + "`docker update`" + `), networks
that were connected, disconnected or removed, new names, what was stopped or paused, containers that only carry the
project's labels, images whose names stand for others now. Nothing is changed.

What counts is what was made, which the labels tell, and not the file: what a changed file asks for is what ` + "`muster plan`" + ` tells.
A container that has ended by itself, and was not to, is shown like one that was stopped. Of containers that docker compose
made, limits and names are not known.

The exit code is 0 when everything is as it was made, 2 when something is not, and 1 when that cannot be found out.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			return runDrift(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.format, formatFlag, "text", `Format ("text"|"json")`)
	flags.BoolVar(&o.schema, schemaFlag, false, "Write the JSON Schema of --format json, and look at nothing")
	return cmd
}

func runDrift(ctx context.Context, o *driftOptions) error {
	if o.schema {
		return display.WriteSchema(o.app.Out, display.DriftSchema)
	}
	if err := checkFormat(o.format); err != nil {
		return err
	}
	p, name, err := o.projectOrName(ctx)
	if err != nil {
		return err
	}
	eng, err := o.dial(ctx, name)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	drifts, err := convergence.Converger{Engine: eng}.Drift(ctx, name, o.services)
	if err != nil {
		return err
	}
	if err := checkServices(p, drifts.Containers, o.services); err != nil {
		return err
	}
	if o.format == "json" {
		err = display.DriftJSON(o.app.Out, name, drifts)
	} else {
		display.Drift(o.app.Streams, name, drifts, o.colorOut())
	}
	if err == nil && len(drifts.Found) > 0 {
		return exitCode(exitChanges)
	}
	return err
}
