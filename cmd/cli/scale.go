package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newScale(g *globals) *cobra.Command {
	o := &upOptions{globals: g, detach: true}
	cmd := &cobra.Command{
		Use:   "scale [OPTIONS] SERVICE=REPLICAS...",
		Short: "Scale services",
		Long:  "Give services another number of replicas, and start what they need. The lowest numbers stay.",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			replicas, err := parseScale(args)
			if err != nil {
				return fmt.Errorf("invalid scale specifier: %w", err)
			}
			for service := range replicas {
				o.services = append(o.services, service)
			}
			o.scale, o.applying = args, applying(cmd, args)
			return runUp(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.noDeps, "no-deps", false, "Don't start linked services")
	return cmd
}
