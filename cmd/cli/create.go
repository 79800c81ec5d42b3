package cli

import (
	"github.com/spf13/cobra"
)

func newCreate(g *globals) *cobra.Command {
	o := &upOptions{globals: g, noStart: true}
	cmd := &cobra.Command{
		Use:   "create [OPTIONS] [SERVICE...]",
		Short: "Creates containers for a service",
		Long: `Create what ` + "`muster up`" + ` would, and start nothing. A container that is not as the file wants it is stopped and replaced.

` + "`muster start`" + ` starts what was created.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services, o.applying = args, applying(cmd, args)
			return runUp(cmd.Context(), o)
		},
	}
	o.bindBuild(cmd)
	bindRemoveOrphans(cmd, g, &o.removeOrphans)
	flags := cmd.Flags()
	flags.BoolVar(&o.forceRecreate, "force-recreate", false, "Recreate containers even if their configuration and image haven't changed")
	flags.BoolVar(&o.noRecreate, "no-recreate", false, "If containers already exist, don't recreate them. Incompatible with --force-recreate.")
	flags.StringArrayVar(&o.scale, "scale", nil, "Scale SERVICE to NUM instances. Overrides the scale setting in the Compose file if present.")
	return cmd
}
