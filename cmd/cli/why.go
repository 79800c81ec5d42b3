package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
)

type whyOptions struct {
	*globals
	services []string
	format   string
	schema   bool
}

func newWhy(g *globals) *cobra.Command {
	o := &whyOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "why [OPTIONS] [SERVICE...]",
		Short: "Say when each container was made, and why",
		Long: `Say when each container was made, by which change, and why: which fields were replaced by what.

That is read from the containers' own labels, so no file is needed: ` + "`muster -p NAME why`" + `. Values that are or may be secret
are not in the labels. Of containers that docker compose made, only when and by which version is known.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			return runWhy(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.format, formatFlag, "text", `Format ("text"|"json")`)
	flags.BoolVar(&o.schema, schemaFlag, false, "Write the JSON Schema of --format json, and look at nothing")
	return cmd
}

// checkFormat refuses formats other than text and JSON.
func checkFormat(format string) error {
	if format != "text" && format != "json" {
		return fmt.Errorf("unsupported --format value %q: use text or json", format)
	}
	return nil
}

func runWhy(ctx context.Context, o *whyOptions) error {
	if o.schema {
		return display.WriteSchema(o.app.Out, display.WhySchema)
	}
	if err := checkFormat(o.format); err != nil {
		return err
	}
	here, err := o.look(ctx, o.services)
	if err != nil {
		return err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	containers := slices.DeleteFunc(here.containers, func(c engine.Container) bool {
		return len(o.services) > 0 && !slices.Contains(o.services, c.Service)
	})
	if o.format == "json" {
		return display.WhyJSON(o.app.Out, here.name, containers)
	}
	if len(containers) == 0 {
		o.say("%s: no containers", here.name)
		return nil
	}
	display.Why(o.app.Streams, containers, display.WhyOptions{Now: time.Now(), Colors: o.colorOut()})
	return nil
}
