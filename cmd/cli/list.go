package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
)

// The formats of lists.
const (
	formatTable = "table"
	formatJSON  = "json"
)

// listFormats is the help of their flag.
const listFormats = `Format the output ("table"|"json", a Go template, or "table TEMPLATE")`

// listOptions are those of the commands that list something of a project's services.
type listOptions struct {
	*globals
	services []string
	format   string
	form     display.Form // that the format means
	quiet    bool
}

// listCommand makes one of them. run is given what the engine has of the project.
func listCommand(
	g *globals, use, short, quiet string, run func(context.Context, *listOptions, found) error,
) *cobra.Command {
	o := &listOptions{globals: g}
	cmd := &cobra.Command{
		Use: use, Short: short,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.services = args
			if o.form, err = display.ParseForm(o.format); err != nil {
				return err
			}
			here, err := o.look(cmd.Context(), o.services)
			if err != nil {
				return err
			}
			defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
			return run(cmd.Context(), o, here)
		},
	}
	cmd.Flags().StringVar(&o.format, formatFlag, formatTable, listFormats)
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, quiet)
	return cmd
}
