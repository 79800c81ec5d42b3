package convergence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// Observe looks at what a project has on the engine: four list calls at once, however many services there are. Images are only
// listed where the project is known and names some.
func Observe(ctx context.Context, eng engine.Engine, name string, p *project.Project) (plan.State, error) {
	var state plan.State
	var images []engine.Image
	calls, ctx := errgroup.WithContext(ctx)
	calls.Go(func() (err error) {
		state.Containers, err = eng.ListContainers(ctx, engine.ContainerFilter{Project: name, Hooks: true})
		return wrapf(err, "list containers of project %q", name)
	})
	calls.Go(func() (err error) {
		state.Networks, err = eng.ListNetworks(ctx)
		return wrapf(err, "list networks")
	})
	calls.Go(func() (err error) {
		state.Volumes, err = eng.ListVolumes(ctx)
		return wrapf(err, "list volumes")
	})
	if p != nil && len(p.Services) > 0 {
		calls.Go(func() (err error) {
			images, err = eng.ListImages(ctx)
			return wrapf(err, "list images")
		})
	}
	if err := calls.Wait(); err != nil {
		return plan.State{}, err
	}
	state.Containers = withHash(state.Containers)
	if p != nil {
		state.Images = byReference(p, images)
	}
	return state, nil
}

// withHash leaves out containers that have the project's label and no hash: they are nobody's replicas. Those of hooks and of files
// stay, because what a run that was cut short has left of them goes with the next one.
func withHash(containers []engine.Container) []engine.Container {
	return slices.DeleteFunc(containers, func(c engine.Container) bool {
		return c.Labels[project.LabelConfigHash] == "" && c.Labels[project.LabelFiles] == "" && c.Hook == ""
	})
}

func wrapf(err error, format string, arguments ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(arguments, err)...)
}

// byReference finds the images that a project's services name, by tag, by digest or by ID.
func byReference(p *project.Project, images []engine.Image) map[string]engine.Image {
	known := map[string]engine.Image{}
	for _, image := range images {
		known[image.ID] = image
		for _, name := range slices.Concat(image.Tags, image.Digests) {
			known[name] = image
		}
	}
	found := map[string]engine.Image{}
	for _, service := range withHooks(p) {
		name := p.ImageName(service)
		if image, ok := known[project.FamiliarImage(name)]; ok {
			found[name] = image
		} else if image, ok := byID(name, images); ok {
			found[name] = image
		}
	}
	return found
}

// withHooks are the services of a project, those that are built for them, and what their pre_start hooks run in.
func withHooks(p *project.Project) []project.Service {
	all := p.BuiltServices()
	maps.Copy(all, p.Services)
	var services []project.Service
	for _, service := range all {
		services = append(services, service)
		for _, hook := range project.PreStarts(p, service) {
			services = append(services, hook.Service)
		}
	}
	return services
}

// byID finds an image by its ID or the beginning of it.
func byID(name string, images []engine.Image) (engine.Image, bool) {
	const shortest = 4
	hex := strings.TrimPrefix(name, "sha256:")
	if len(hex) < shortest || strings.Trim(hex, "0123456789abcdef") != "" {
		return engine.Image{}, false
	}
	for _, image := range images {
		if strings.HasPrefix(strings.TrimPrefix(image.ID, "sha256:"), hex) {
			return image, true
		}
	}
	return engine.Image{}, false
}

// inspectAtOnce bounds the second round of observation.
const inspectAtOnce = 8

// compare makes the comparisons that a plan asks for. A container that has gone meanwhile has none.
func (c Converger) compare(ctx context.Context, comparisons []plan.Comparison) (map[string][]engine.Difference, error) {
	differences := make([][]engine.Difference, len(comparisons))
	gone := make([]bool, len(comparisons))
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(inspectAtOnce)
	for i, comparison := range comparisons {
		calls.Go(func() (err error) {
			differences[i], err = c.Engine.CompareContainer(ctx, comparison.ID, comparison.Request)
			if gone[i] = errors.Is(err, engine.ErrNotFound); gone[i] {
				return nil
			}
			return wrapf(err, "compare container %q", comparison.Request.Name)
		})
	}
	if err := calls.Wait(); err != nil {
		return nil, err
	}
	found := map[string][]engine.Difference{}
	for i, comparison := range comparisons {
		if !gone[i] {
			found[comparison.ID] = differences[i]
		}
	}
	return found, nil
}

// affected are the IDs of the containers that a plan replaces or attaches to networks again.
func affected(p *plan.Plan) []string {
	var ids []string
	for _, node := range p.Nodes {
		if connect, ok := node.Step.(step.ConnectNetwork); ok {
			ids = append(ids, connect.ID)
		}
	}
	for _, group := range p.Groups {
		for _, undo := range group.Undo {
			switch undo := undo.(type) {
			case step.RestoreContainer:
				ids = append(ids, undo.ID)
			case step.ConnectNetwork:
				ids = append(ids, undo.ID)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// ObserveDetails is the second round: it inspects the containers that a plan replaces or takes out of networks, and only those, so
// that reasons can name old values, and restart policies and attachments can be given back. The state that comes back is a copy with the details.
func ObserveDetails(ctx context.Context, eng engine.Engine, state plan.State, p *plan.Plan) (plan.State, error) {
	ids := affected(p)
	details := make([]engine.ContainerDetails, len(ids))
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(inspectAtOnce)
	for i, id := range ids {
		calls.Go(func() (err error) {
			details[i], err = eng.InspectContainer(ctx, id)
			if errors.Is(err, engine.ErrNotFound) {
				return nil
			}
			return wrapf(err, "inspect container")
		})
	}
	if err := calls.Wait(); err != nil {
		return plan.State{}, err
	}
	state.Details = map[string]engine.ContainerDetails{}
	for _, detail := range details {
		if detail.ID != "" {
			state.Details[detail.ID] = detail
		}
	}
	return state, nil
}
