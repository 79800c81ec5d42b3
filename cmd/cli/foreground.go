package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/project"
)

// runForeground applies a plan and follows the logs of its services until all their containers have ended or the user
// interrupts. The first interrupt stops the containers in order, a second one kills them.
func (o *upOptions) runForeground(ctx context.Context, c *change, p *project.Project) error {
	eng := c.eng
	looks, err := o.looks()
	if err != nil {
		return err
	}
	progress := o.newProgress(looks)
	follow := o.newFollower(eng, p, c.made, looks)
	follow.printTo(progress.Output())
	follow.begin(ctx, c.made)
	defer follow.stop()

	err = c.apply(ctx, progress, o.title(c.made, true), follow.applied)
	if err != nil && ctx.Err() == nil {
		return err
	}
	if err == nil {
		o.addresses(ctx, eng, c.made, looks)
	}
	follow.allStarted(ctx)
	menu := o.openMenu(ctx, looks, follow)
	defer menu.close()
	select {
	case <-follow.ended:
		return follow.failure
	case <-menu.detached:
		return nil
	case item := <-follow.ending.first:
		menu.close()
		return o.abort(eng, p, looks, follow, item)
	case <-ctx.Done():
		menu.close()
	}
	progress.Say("Gracefully Stopping... press Ctrl+C again to force")
	if err := o.stopAll(eng, p, looks, follow); err != nil && !errors.Is(err, errInterrupted) {
		return err
	}
	follow.finish()
	return errInterrupted
}

// abort stops everything because a container has ended, and returns the exit code that counts for it.
func (o *upOptions) abort(eng engine.Engine, p *project.Project, looks display.Looks, follow *follower, item logs.Item) error {
	o.say("Aborting on container exit...")
	if err := o.stopAll(eng, p, looks, follow); err != nil {
		return err
	}
	follow.finish()
	if o.exitCodeFrom == "" || o.exitCodeFrom == item.Source.Service {
		return exitCode(item.ExitCode)
	}
	ctx, release := o.interrupts.fresh()
	defer release()
	containers, err := eng.ListContainers(ctx, engine.ContainerFilter{Project: p.Name})
	if err != nil {
		return fmt.Errorf("list containers of project %q: %w", p.Name, err)
	}
	for _, container := range containers {
		if container.Service == o.exitCodeFrom && !container.OneOff {
			details, err := eng.InspectContainer(ctx, container.ID)
			if err != nil {
				return fmt.Errorf("look at container %q: %w", container.Name, err)
			}
			return exitCode(details.ExitCode)
		}
	}
	return fmt.Errorf("service %q has no container whose exit code could be returned", o.exitCodeFrom)
}

// stopAll ends the containers of the named services, else of all in the file, in order, and at once when the user
// interrupts meanwhile.
func (o *upOptions) stopAll(eng engine.Engine, p *project.Project, looks display.Looks, follow *follower) error {
	services := o.services
	if len(services) == 0 {
		services = p.ServiceNames()
	}
	converger := convergence.Converger{Engine: eng}
	end := func(planned replan, alone bool) (interrupted bool, err error) {
		ctx, release := o.interrupts.fresh()
		defer release()
		progress := o.globals.newProgress(looks)
		follow.printTo(progress.Output())
		made, err := planned(ctx)
		c := &change{globals: o.globals, eng: eng, made: made, again: planned}
		if err == nil && alone {
			err = c.begin(ctx)
		}
		if err == nil {
			title := display.Title{Project: p.Name, Verb: "stop", Done: p.Name + " is stopped"}
			err = c.apply(ctx, progress, title, follow.applied)
		}
		return ctx.Err() != nil, err
	}
	interrupted, err := end(func(ctx context.Context) (*plan.Plan, error) {
		timeout := seconds(o.timeout, o.timeoutGiven)
		return converger.PlanStop(ctx, plan.StopInput{Name: p.Name, Project: p, Services: services, Timeout: timeout})
	}, true)
	if interrupted {
		_, err = end(func(ctx context.Context) (*plan.Plan, error) { // which waits for nobody
			return converger.PlanKill(ctx, plan.KillInput{Name: p.Name, Project: p, Services: services})
		}, false)
	}
	return err
}
