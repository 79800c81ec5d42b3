package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

// The formats of lists.
const (
	formatTable = "table"
	formatJSON  = "json"
)

func checkListFormat(format string) error {
	if format != formatTable && format != formatJSON {
		return fmt.Errorf("unsupported --format value %q: use table or json", format)
	}
	return nil
}

// listOptions are those of the commands that list something of a project's services.
type listOptions struct {
	*globals
	services []string
	format   string
	quiet    bool
}

// listCommand makes one of them. run is given what the engine has of the project.
func listCommand(
	g *globals, use, short, quiet string, run func(context.Context, *listOptions, found) error,
) *cobra.Command {
	o := &listOptions{globals: g}
	cmd := &cobra.Command{
		Use: use, Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			if err := checkListFormat(o.format); err != nil {
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
	cmd.Flags().StringVar(&o.format, formatFlag, formatTable, `Format the output ("table"|"json")`)
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, quiet)
	return cmd
}
