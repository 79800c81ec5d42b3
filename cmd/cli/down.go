package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

type downOptions struct {
	lifecycleOptions
	volumes       bool
	volume        bool // the old name
	removeOrphans bool
	images        string
}

func newDown(g *globals) *cobra.Command {
	o := &downOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "down [OPTIONS] [SERVICES]", "Stop and remove containers, networks",
		`Stop and remove containers and networks, each container after those that depend on it.

What belongs to the project is found by its labels, so it works without the file too. Volumes stay unless --volumes asks for
them; what is external stays always.`,
		func(ctx context.Context) error { return runDown(ctx, o) })
	o.bindTimeout(cmd)
	bindRemoveOrphans(cmd, g, &o.removeOrphans)
	flags := cmd.Flags()
	flags.StringVar(&o.images, "rmi", "",
		`Remove images used by services. "local" remove only images that don't have a custom tag ("local"|"all")`)
	flags.BoolVarP(&o.volumes, "volumes", "v", false,
		`Remove named volumes declared in the "volumes" section of the Compose file and anonymous volumes attached to containers`)
	flags.BoolVar(&o.volume, "volume", false, "Old name of --volumes")
	_ = flags.MarkHidden("volume")
	return cmd
}

func runDown(ctx context.Context, o *downOptions) error {
	if o.volume {
		o.warn([]project.Warning{{Message: "--volume is an old name: use --volumes"}})
	}
	images, err := parseRemoval(o.images)
	if err != nil {
		return err
	}
	p, name, eng, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	title := display.Title{Project: name, Verb: "down", Done: name + " is down"}
	return o.carryOut(ctx, eng, title, func(ctx context.Context) (*plan.Plan, error) {
		return convergence.Converger{Engine: eng, Providers: o.providers(p)}.PlanDown(ctx, plan.TeardownInput{
			Name: name, Project: p, Services: o.services, RemoveOrphans: o.removeOrphans, RemoveVolumes: o.volumes || o.volume,
			RemoveImages: images,
			StopTimeout:  seconds(o.timeout, o.timeoutGiven),
		})
	})
}

func parseRemoval(value string) (plan.ImageRemoval, error) {
	switch value {
	case "":
		return plan.KeepImages, nil
	case "local":
		return plan.RemoveLocalImages, nil
	case "all":
		return plan.RemoveAllImages, nil
	}
	return plan.KeepImages, fmt.Errorf("invalid value for --rmi: %q", value)
}
