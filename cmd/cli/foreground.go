package cli

import (
	"context"
	"errors"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// runForeground applies a plan and follows the logs of its services until all their containers have ended or the user
// interrupts. The first interrupt stops the containers in order, a second one kills them.
func (o *upOptions) runForeground(ctx context.Context, eng engine.Engine, p *project.Project, made *plan.Plan) error {
	looks, err := o.looks()
	if err != nil {
		return err
	}
	progress := o.newProgress(looks)
	follow := o.newFollower(eng, p, made, looks)
	follow.printTo(progress.Output())
	follow.begin(ctx)
	defer follow.stop()

	err = apply(ctx, eng, made, progress, o.title(made, true), follow.applied)
	if err != nil && ctx.Err() == nil {
		return err
	}
	if err == nil {
		o.addresses(ctx, eng, made, looks)
	}
	follow.allStarted(ctx)
	select {
	case <-follow.ended:
		return follow.failure
	case <-ctx.Done():
	}
	progress.Say("Gracefully Stopping... press Ctrl+C again to force")
	if err := o.stopAll(eng, p, looks, follow); err != nil && !errors.Is(err, errInterrupted) {
		return err
	}
	follow.finish()
	return errInterrupted
}

// stopAll ends the containers of the named services, else of all in the file, because the user interrupted: in order, and when
// interrupted again at once.
func (o *upOptions) stopAll(eng engine.Engine, p *project.Project, looks display.Looks, follow *follower) error {
	services := o.services
	if len(services) == 0 {
		services = p.ServiceNames()
	}
	converger := convergence.Converger{Engine: eng}
	end := func(planned func(context.Context) (*plan.Plan, error)) (interrupted bool, err error) {
		ctx, release := o.interrupts.fresh()
		defer release()
		progress := display.NewProgress(looks, o.app.Streams)
		follow.printTo(progress.Output())
		made, err := planned(ctx)
		if err == nil {
			title := display.Title{Project: p.Name, Verb: "stop", Done: p.Name + " is stopped"}
			err = apply(ctx, eng, made, progress, title)
		}
		return ctx.Err() != nil, err
	}
	interrupted, err := end(func(ctx context.Context) (*plan.Plan, error) {
		timeout := seconds(o.timeout, o.timeoutGiven)
		return converger.PlanStop(ctx, plan.StopInput{Name: p.Name, Services: services, Timeout: timeout})
	})
	if interrupted {
		_, err = end(func(ctx context.Context) (*plan.Plan, error) {
			return converger.PlanKill(ctx, plan.KillInput{Name: p.Name, Project: p, Services: services})
		})
	}
	return err
}
