package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
)

type topOptions struct {
	*globals
	services []string
}

func newTop(g *globals) *cobra.Command {
	o := &topOptions{globals: g}
	return &cobra.Command{
		Use: "top [SERVICE...]", Short: "Display the running processes",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			return runTop(cmd.Context(), o)
		},
	}
}

func runTop(ctx context.Context, o *topOptions) error {
	here, err := o.look(ctx, o.services)
	if err != nil {
		return err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	running := slices.DeleteFunc(here.containers, func(c engine.Container) bool {
		return c.State != engine.StateRunning && c.State != engine.StatePaused || !isNamed(o.services, c)
	})
	processes, err := processesOf(ctx, here.engine, running)
	if err != nil {
		return err
	}
	return display.Top(o.app.Out, processes)
}

// isNamed says whether a container's service is one of those that the user named, where any is.
func isNamed(services []string, c engine.Container) bool {
	return len(services) == 0 || slices.Contains(services, c.Service)
}

// processesOf asks for the processes of containers. One that has ended meanwhile has none.
func processesOf(ctx context.Context, eng engine.Monitors, containers []engine.Container) ([]display.Processes, error) {
	const atOnce = 8
	found := make([]display.Processes, len(containers))
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(atOnce)
	for i, c := range containers {
		calls.Go(func() error {
			processes, err := eng.ListProcesses(ctx, c.ID)
			if errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrConflict) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("list processes of container %q: %w", c.Name, err)
			}
			found[i] = display.Processes{Service: c.Service, Number: c.Number, Processes: processes}
			return nil
		})
	}
	return found, calls.Wait()
}
