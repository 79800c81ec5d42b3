package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/project"
)

// runForeground applies a plan and follows the logs of its services until all their containers have ended or the user
// interrupts. The first interrupt stops the containers in order, a second one kills them.
func (o *upOptions) runForeground(ctx context.Context, eng engine.Engine, p *project.Project, made *plan.Plan) error {
	looks, err := o.looks()
	if err != nil {
		return err
	}
	progress := display.NewProgress(looks, o.app.Streams)
	out, errOut := progress.Output()
	follow := o.newFollower(eng, p, looks)
	follow.printTo(out, errOut)

	following, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFollowing()
	var logsRun errgroup.Group
	logsRun.Go(func() error { return follow.run(following) })
	<-follow.ready

	err = apply(ctx, eng, made, progress, o.title(made, true))
	close(follow.starting)
	if err != nil && ctx.Err() == nil {
		stopFollowing()
		_ = logsRun.Wait()
		return err
	}
	ended := make(chan error, 1)
	var waiting errgroup.Group
	waiting.Go(func() error { ended <- logsRun.Wait(); return nil })
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	err = o.stopAll(eng, p.Name, looks, follow)
	stopFollowing()
	_ = waiting.Wait()
	return err
}

// stopAll ends the project's containers because the user interrupted: in order, and when interrupted again at once.
func (o *upOptions) stopAll(eng engine.Engine, name string, looks display.Looks, follow *follower) error {
	_, _ = fmt.Fprintln(o.app.Err, "Gracefully Stopping... press Ctrl+C again to force")
	ctx, release := o.interrupts.fresh()
	defer release()
	progress := display.NewProgress(looks, o.app.Streams)
	follow.printTo(progress.Output())
	converger := convergence.Converger{Engine: eng, Sink: progress.Event}
	stop := plan.StopInput{Name: name, Services: o.services, Timeout: seconds(o.timeout, o.timeoutGiven)}
	err := o.stopPlan(ctx, converger, stop, progress)
	if ctx.Err() != nil {
		killing, release := o.interrupts.fresh()
		defer release()
		stop.Kill = true
		err = o.stopPlan(killing, converger, stop, display.NewProgress(looks, o.app.Streams))
	}
	if err != nil && !errors.Is(err, errInterrupted) {
		return err
	}
	return errInterrupted
}

func (o *upOptions) stopPlan(
	ctx context.Context, converger convergence.Converger, input plan.StopInput, progress display.Progress,
) error {
	made, err := converger.PlanStop(ctx, input)
	if err != nil {
		return err
	}
	return apply(ctx, converger.Engine, made, progress, display.Title{Project: input.Name, Verb: "stop", Done: input.Name + " is stopped"})
}

// follower prints the logs of an attached `up`.
type follower struct {
	eng      engine.Engine
	project  *project.Project
	printer  *logs.Printer
	options  logs.PrinterOptions
	ready    chan struct{}
	starting chan struct{}
	out, err switchWriter
}

func (o *upOptions) newFollower(eng engine.Engine, p *project.Project, looks display.Looks) *follower {
	f := &follower{eng: eng, project: p, ready: make(chan struct{}), starting: make(chan struct{})}
	f.options = logs.PrinterOptions{
		Stdout: &f.out, Stderr: &f.err, Split: true, NoPrefix: o.noPrefix, Timestamps: o.timestamp,
		Color: looks.ColorOut && !o.noColor, Raw: !o.app.OutTerminal,
	}
	for _, name := range p.ServiceNames() {
		service := p.Services[name]
		if service.Attach != nil && !*service.Attach {
			continue
		}
		for number := 1; number <= service.GetScale(); number++ {
			container := engine.Container{Project: p.Name, Service: name, Number: number, Name: p.ContainerName(service, number)}
			f.options.Names = append(f.options.Names, logs.SourceOf(container).Name())
		}
	}
	slices.Sort(f.options.Names)
	f.printer = logs.NewPrinter(f.options)
	return f
}

// printTo changes where lines go.
func (f *follower) printTo(out, err io.Writer) {
	f.out.set(out)
	f.err.set(err)
}

func (f *follower) run(ctx context.Context) error {
	if len(f.options.Names) > 0 {
		_, _ = fmt.Fprintf(&f.out, "Attaching to %s\n", strings.Join(f.options.Names, ", "))
	}
	err := logs.Follow(ctx, f.eng, logs.Options{
		Project: f.project.Name, Follow: true, Starting: f.starting,
		Filter: func(container engine.Container) bool {
			service, ok := f.project.Services[container.Service]
			return ok && (service.Attach == nil || *service.Attach)
		},
		Ready: func() { close(f.ready) },
	}, f.printer.Print)
	select {
	case <-f.ready:
	default:
		close(f.ready)
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
