package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/plan"
)

type pushOptions struct {
	lifecycleOptions
	ignoreFailures, includeDeps bool
}

func newPush(g *globals) *cobra.Command {
	o := &pushOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "push [OPTIONS] [SERVICE...]", "Push service images",
		`Push the images that services build and name, with all their tags, each once.

Credentials come from the docker CLI's configuration and its helpers.`,
		func(ctx context.Context) error { return runPush(ctx, o) })
	flags := cmd.Flags()
	flags.BoolVar(&o.ignoreFailures, "ignore-push-failures", false, "Push what it can and ignores images with push failures")
	flags.BoolVar(&o.includeDeps, "include-deps", false, "Also push images of services declared as dependencies")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "Push without printing progress information")
	return cmd
}

func runPush(ctx context.Context, o *pushOptions) error {
	p, err := o.load(ctx, o.services, !o.includeDeps)
	if err != nil {
		return err
	}
	eng, err := o.dial(ctx, p.Name)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	made := plan.PushImages(plan.PushInput{Project: p, IgnoreFailures: o.ignoreFailures})
	return o.finish(ctx, eng, made, display.Title{
		Project: p.Name, Verb: "push", Done: p.Name + ": pushed", Nothing: p.Name + ": nothing to push",
	})
}
