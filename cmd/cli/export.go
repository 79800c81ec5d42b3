package cli

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/transfer"
)

type exportOptions struct {
	lifecycleOptions
	index  int
	output string
}

func newExport(g *globals) *cobra.Command {
	o := &exportOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "export [OPTIONS] SERVICE", "Export a service container's filesystem as a tar archive",
		`Export a service container's filesystem as a tar archive. What is mounted in it, volumes among it, is left out.

A file is whole or not there at all: what was there before stays until the archive is complete.`,
		func(ctx context.Context) error { return runExport(ctx, o) })
	cmd.Args = cobra.ExactArgs(1)
	cmd.Flags().IntVar(&o.index, indexFlag, 0, "index of the container if service has multiple replicas.")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "Write to a file, instead of STDOUT")
	return cmd
}

func runExport(ctx context.Context, o *exportOptions) error {
	if o.output == "" && o.app.OutTerminal && !o.dryRun {
		return &hinted{
			errors.New("output option is required when exporting to terminal"), "name a file with --output, or redirect the output",
		}
	}
	name, eng, err := o.openOne(ctx, o.index)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	made, err := convergence.Converger{Engine: eng}.PlanExport(ctx, plan.ExportInput{
		Name: name, Pick: plan.Pick{Service: o.services[0], Index: o.index},
		To: transfer.Output{Path: o.absolute(o.output), Stream: o.app.Out},
	})
	if err != nil {
		return err
	}
	return o.finish(ctx, eng, made, display.Title{Project: name, Verb: "export", Done: o.services[0] + " is exported"})
}

// absolute is a path as seen from the current folder; none stays none.
func (g *globals) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(g.app.Dir, path)
}
