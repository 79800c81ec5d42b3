package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
)

type downOptions struct {
	*globals
	services      []string
	volumes       bool
	removeOrphans bool
	images        string
	timeout       int
	timeoutGiven  bool
	applying      string // the command that does what --dry-run only tells of
}

func newDown(g *globals) *cobra.Command {
	o := &downOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "down [OPTIONS] [SERVICES]",
		Short: "Stop and remove containers, networks",
		Long: `Stop and remove containers and networks, each container after those that depend on it.

What belongs to the project is found by its labels, so it works without the file too. Volumes stay unless --volumes asks for
them; what is external stays always.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services, o.timeoutGiven, o.applying = args, cmd.Flags().Changed("timeout"), applying(cmd, args)
			if !cmd.Flags().Changed("remove-orphans") {
				o.removeOrphans = g.isSet("COMPOSE_REMOVE_ORPHANS")
			}
			return runDown(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.removeOrphans, "remove-orphans", false, "Remove containers for services not defined in the Compose file")
	flags.StringVar(&o.images, "rmi", "",
		`Remove images used by services. "local" remove only images that don't have a custom tag ("local"|"all")`)
	flags.IntVarP(&o.timeout, "timeout", "t", 0, "Specify a shutdown timeout in seconds")
	flags.BoolVarP(&o.volumes, "volumes", "v", false,
		`Remove named volumes declared in the "volumes" section of the Compose file and anonymous volumes attached to containers`)
	flags.BoolVar(&o.volumes, "volume", false, "Old name of --volumes")
	_ = flags.MarkDeprecated("volume", "use --volumes")
	return cmd
}

func runDown(ctx context.Context, o *downOptions) error {
	images, err := parseRemoval(o.images)
	if err != nil {
		return err
	}
	p, name, err := o.projectOrName(ctx)
	if err != nil {
		return err
	}
	if p != nil {
		if err := checkServices(p, nil, o.services); err != nil {
			return err
		}
	}
	eng, err := o.dial(ctx, name)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	made, err := convergence.Converger{Engine: eng}.PlanDown(ctx, plan.TeardownInput{
		Name: name, Project: p, Services: o.services, RemoveOrphans: o.removeOrphans, RemoveVolumes: o.volumes,
		RemoveImages: images,
		StopTimeout:  seconds(o.timeout, o.timeoutGiven),
	})
	if err != nil {
		return err
	}
	if o.dryRun {
		o.showPlan(made, o.applying)
		return nil
	}
	looks, err := o.looks()
	if err != nil {
		return err
	}
	return apply(ctx, eng, made, display.NewProgress(looks, o.app.Streams), display.Title{
		Project: name, Verb: "down", Done: name + " is down", Nothing: "",
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
