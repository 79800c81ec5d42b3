package convergence

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

// Drift finds what was changed by hand on the engine: in what containers, networks and volumes of a project are not as their labels tell
// that they were made. Four list calls, and at most four inspects for each container of the services; none means all. Nothing is changed.
func (c Converger) Drift(ctx context.Context, name string, services []string) (plan.Drifts, error) {
	input := plan.DriftInput{Name: name, Services: services, Known: map[string]engine.Image{}}
	var images []engine.Image
	calls, listing := errgroup.WithContext(ctx)
	calls.Go(func() (err error) {
		input.State.Containers, err = c.Engine.ListContainers(listing, engine.ContainerFilter{Project: name})
		return wrapf(err, "list containers of project %q", name)
	})
	calls.Go(func() (err error) {
		input.State.Networks, err = c.Engine.ListNetworks(listing)
		return wrapf(err, "list networks")
	})
	calls.Go(func() (err error) {
		input.State.Volumes, err = c.Engine.ListVolumes(listing)
		return wrapf(err, "list volumes")
	})
	calls.Go(func() (err error) {
		images, err = c.Engine.ListImages(listing)
		return wrapf(err, "list images")
	})
	if err := calls.Wait(); err != nil {
		return plan.Drifts{}, err
	}
	for _, image := range images {
		input.Known[image.ID] = image
		for _, names := range [][]string{image.Tags, image.Digests} {
			for _, name := range names {
				input.Known[name] = image
			}
		}
	}
	if err := c.lookCloser(ctx, &input); err != nil {
		return plan.Drifts{}, err
	}
	return plan.FindDrift(input), nil
}

// lookCloser inspects the containers, and compares those of which is known how they were made. What has gone meanwhile is left out.
func (c Converger) lookCloser(ctx context.Context, input *plan.DriftInput) error {
	containers := input.State.Containers
	details := make([]engine.ContainerDetails, len(containers))
	differences := make([][]engine.Difference, len(containers))
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(inspectAtOnce)
	for i, container := range containers {
		calls.Go(func() (err error) {
			if details[i], err = c.Engine.InspectContainer(ctx, container.ID); err == nil {
				if request, known := plan.Applied(container); known {
					differences[i], err = c.Engine.CompareContainer(ctx, container.ID, request)
				}
			}
			if err != nil && !errors.Is(err, engine.ErrNotFound) {
				return fmt.Errorf("look at container %q: %w", container.Name, err)
			}
			return nil
		})
	}
	if err := calls.Wait(); err != nil {
		return err
	}
	input.State.Details, input.State.Differences = map[string]engine.ContainerDetails{}, map[string][]engine.Difference{}
	for i, container := range containers {
		input.State.Details[container.ID], input.State.Differences[container.ID] = details[i], differences[i]
	}
	return nil
}
