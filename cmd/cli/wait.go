package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

type waitOptions struct {
	lifecycleOptions
	downProject bool
}

func newWait(g *globals) *cobra.Command {
	o := &waitOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "wait [OPTIONS] SERVICE [SERVICE...]", "Block until containers of all (or specified) services stop.",
		`Wait until all containers of the services have ended, and tell the exit code of each as it ends.

The exit code is the first one that is not 0, in the order of the services as they are named and of their replicas.`,
		func(ctx context.Context) error { return runWait(ctx, o) })
	cmd.Args = cobra.MinimumNArgs(1)
	cmd.Flags().BoolVar(&o.downProject, "down-project", false, "Drops project when the containers have stopped")
	return cmd
}

func runWait(ctx context.Context, o *waitOptions) error {
	here, err := o.look(ctx, o.services)
	if err != nil {
		return err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	containers := slices.DeleteFunc(here.containers, func(c engine.Container) bool {
		return c.OneOff || !slices.Contains(o.services, c.Service)
	})
	if len(containers) == 0 {
		return fmt.Errorf("no containers for project %q", here.name)
	}
	slices.SortFunc(containers, func(a, b engine.Container) int {
		return cmp.Or(cmp.Compare(slices.Index(o.services, a.Service), slices.Index(o.services, b.Service)), cmp.Compare(a.Number, b.Number))
	})
	codes, err := o.waitFor(ctx, here.engine, here.name, containers)
	if err != nil {
		return err
	}
	if o.downProject {
		if err := o.takeDown(ctx, here); err != nil {
			return err
		}
	}
	for _, code := range codes {
		if code != 0 {
			return exitCode(code)
		}
	}
	return nil
}

// waitFor tells the end of each container as it comes, and returns the exit codes in the containers' order.
func (o *waitOptions) waitFor(ctx context.Context, eng engine.Engine, name string, containers []engine.Container) ([]int, error) {
	codes := make([]int, len(containers))
	var told sync.Mutex
	waits, ctx := errgroup.WithContext(ctx)
	for i, container := range containers {
		waits.Go(func() (err error) {
			if codes[i], err = untilEnded(ctx, eng, name, container); err != nil {
				return err
			}
			told.Lock()
			defer told.Unlock()
			_, err = fmt.Fprintf(o.app.Out, "container %q exited with status code %d\n", container.ID, codes[i])
			return err
		})
	}
	return codes, waits.Wait()
}

// untilEnded returns when a container does not run any more and is not about to be restarted. Events wake it, then it looks.
func untilEnded(ctx context.Context, eng engine.Engine, name string, container engine.Container) (code int, err error) {
	errEnded := errors.New("ended")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	look := func() error {
		details, err := eng.InspectContainer(ctx, container.ID)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return fmt.Errorf("container %s was removed", container.Name)
		case err != nil:
			return fmt.Errorf("look at container %q: %w", container.Name, err)
		case details.Running():
			return nil
		}
		code = details.ExitCode
		return errEnded
	}
	var first error
	err = eng.Events(ctx, engine.EventFilter{Project: name}, func() {
		if first = look(); first != nil {
			cancel()
		}
	}, func(event engine.Event) error {
		if event.Kind == engine.EventResync || event.ID == container.ID && (event.Action == "die" || event.Action == "destroy") {
			return look()
		}
		return nil
	})
	if first != nil {
		err = first
	}
	if errors.Is(err, errEnded) {
		return code, nil
	}
	return 0, err
}

// takeDown removes the project, orphans too.
func (o *waitOptions) takeDown(ctx context.Context, here found) error {
	title := display.Title{Project: here.name, Verb: "down", Done: here.name + " is down"}
	return o.carryOut(ctx, here.engine, title, func(ctx context.Context) (*plan.Plan, error) {
		return convergence.Converger{Engine: here.engine}.PlanDown(ctx, plan.TeardownInput{
			Name: here.name, Project: here.project, RemoveOrphans: true,
		})
	})
}
