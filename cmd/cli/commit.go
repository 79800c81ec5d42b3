package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

type commitOptions struct {
	lifecycleOptions
	index   int
	request engine.CommitContainer
}

func newCommit(g *globals) *cobra.Command {
	o := &commitOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "commit [OPTIONS] SERVICE [REPOSITORY[:TAG]]", "Create a new image from a service container's changes",
		`Create a new image from what a container of a service has written and from its settings.

What is mounted in it, volumes among it, is not in the image. Secrets from the environment and inline configs are: they are files of
the container.`,
		func(ctx context.Context) error { return runCommit(ctx, o) })
	const most = 2
	cmd.Args = cobra.RangeArgs(1, most)
	flags := cmd.Flags()
	flags.StringVarP(&o.request.Author, "author", "a", "", `Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")`)
	flags.StringArrayVarP(&o.request.Changes, "change", "c", nil, "Apply Dockerfile instruction to the created image")
	flags.IntVar(&o.index, indexFlag, 0, "index of the container if service has multiple replicas.")
	flags.StringVarP(&o.request.Message, "message", "m", "", "Commit message")
	flags.BoolVarP(&o.request.Pause, "pause", "p", true, "Pause container during commit")
	return cmd
}

const indexFlag = "index"

// checkIndex refuses what is not the number of a replica; 0 means that none was given.
func checkIndex(index int) error {
	if index < 0 {
		return fmt.Errorf("invalid value for --index: %d is not the number of a replica", index)
	}
	return nil
}

// openOne is open for a command about one service, which is the first of its arguments.
func (o *lifecycleOptions) openOne(ctx context.Context, index int) (name string, eng *engine.Hub, err error) {
	if err := checkIndex(index); err != nil {
		return "", nil, err
	}
	here, err := o.look(ctx, o.services[:1])
	return here.name, here.engine, err
}

func runCommit(ctx context.Context, o *commitOptions) error {
	if len(o.services) > 1 {
		o.request.Reference = o.services[1]
	}
	name, eng, err := o.openOne(ctx, o.index)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	made, err := convergence.Converger{Engine: eng}.PlanCommit(ctx, plan.CommitInput{
		Name: name, Pick: plan.Pick{Service: o.services[0], Index: o.index}, Request: o.request,
	})
	if err != nil {
		return err
	}
	return o.finish(ctx, eng, made, display.Title{Project: name, Verb: "commit", Done: o.services[0] + " is committed"})
}
