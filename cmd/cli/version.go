package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/project"
)

type versionOptions struct {
	*globals
	format string
	short  bool
}

func newVersion(g *globals) *cobra.Command {
	o := &versionOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "version [OPTIONS]",
		Short: "Show the version",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return runVersion(o) },
	}
	cmd.Flags().StringVarP(&o.format, "format", "f", "", `Format the output ("pretty"|"json")`)
	cmd.Flags().BoolVar(&o.short, "short", false, "Show only the version number")
	return cmd
}

func runVersion(o *versionOptions) error {
	switch {
	case o.short:
		_, err := fmt.Fprintln(o.app.Out, o.app.Version)
		return err
	case o.format == "json":
		return json.NewEncoder(o.app.Out).Encode(map[string]string{
			"version": "v" + o.app.Version, "compose": "v" + project.ComposeVersion,
		})
	case o.format == "" || o.format == "pretty":
		_, err := fmt.Fprintf(o.app.Out, "Muster version %s (writes what docker compose %s writes)\n", o.app.Version, project.ComposeVersion)
		return err
	}
	return fmt.Errorf("unsupported --format value %q: use pretty or json", o.format)
}
