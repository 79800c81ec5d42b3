package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
)

type rmOptions struct {
	lifecycleOptions
	force, stop, volumes bool
}

func newRm(g *globals) *cobra.Command {
	o := &rmOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "rm [OPTIONS] [SERVICE...]", "Removes stopped service containers",
		`Remove containers that stand still, after asking.

Named volumes stay; so do anonymous ones unless --volumes asks for them. What is in a container and not in a volume is lost.`,
		func(ctx context.Context) error { return runRm(ctx, o) })
	flags := cmd.Flags()
	flags.BoolVarP(&o.force, "force", "f", false, "Don't ask to confirm removal")
	flags.BoolVarP(&o.stop, "stop", "s", false, "Stop the containers, if required, before removing")
	flags.BoolVarP(&o.volumes, "volumes", "v", false, "Remove any anonymous volumes attached to containers")
	flags.BoolP("all", "a", false, "Has no effect: it was for one-off containers")
	_ = flags.MarkHidden("all")
	return cmd
}

func runRm(ctx context.Context, o *rmOptions) error {
	p, name, eng, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	planned := func(ctx context.Context) (*plan.Plan, error) {
		return convergence.Converger{Engine: eng}.PlanRemove(ctx, plan.RemoveInput{
			Name: name, Project: p, Services: o.services, Stop: o.stop, Volumes: o.volumes,
		})
	}
	made, err := planned(ctx)
	if err != nil {
		return err
	}
	if !o.dryRun {
		if made.Empty() {
			o.say("No stopped containers")
			return nil
		}
		if sure, err := o.confirm(made); err != nil || !sure {
			return err
		}
	}
	c := &change{globals: o.globals, eng: eng, made: made, again: func(ctx context.Context) (*plan.Plan, error) {
		now, err := planned(ctx)
		if err == nil {
			err = o.agrees(made, now)
		}
		return now, err
	}}
	return o.carry(ctx, c, display.Title{Project: name, Verb: "rm", Done: name + ": removed"})
}

// agrees says whether what is to be removed by now was agreed to: no more than before, unless the user wants no questions.
func (o *rmOptions) agrees(before, now *plan.Plan) error {
	sure, names := removedBy(before), removedBy(now)
	switch {
	case !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(sure, name) }):
		return nil
	case o.force:
		_, err := o.confirm(now)
		return err
	}
	return errors.New("more containers stand still by now than those that were to be removed: run this again")
}

// removedBy are the names of what a plan removes.
func removedBy(made *plan.Plan) []string {
	var names []string
	for _, change := range made.Changes {
		for _, object := range change.Objects {
			names = append(names, object.Name)
		}
	}
	return names
}

// confirm asks whether the containers may go. Without a terminal the answer is still read, as scripts pipe it in.
func (o *rmOptions) confirm(made *plan.Plan) (bool, error) {
	text := "Going to remove " + strings.Join(removedBy(made), ", ")
	if o.force {
		_, err := fmt.Fprintln(o.app.Out, text)
		return true, err
	}
	_, _ = fmt.Fprintf(o.app.Err, "%s [yN] ", text)
	return o.isYes(bufio.NewReader(o.app.In))
}
