package convergence

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// observeFacts looks at what only some projects ask for: what the engine is, and since when it has images that are asked for again
// after a time. Most need no call for it.
func observeFacts(ctx context.Context, eng engine.Engine, p *project.Project, state *plan.State) error {
	state.Now = time.Now()
	refs := refreshed(p, *state)
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(inspectAtOnce)
	if plan.AsksOfEngine(p) {
		calls.Go(func() error {
			info, err := eng.Info(ctx)
			state.Engine = &info
			return wrapf(err, "ask the engine what it is")
		})
	}
	images := make([]engine.Image, len(refs))
	for i, ref := range refs {
		calls.Go(func() (err error) {
			images[i], err = eng.InspectImage(ctx, state.Images[ref].ID)
			return wrapf(err, "look at image %q", ref)
		})
	}
	if err := calls.Wait(); err != nil {
		return err
	}
	for i, ref := range refs {
		image := state.Images[ref]
		image.LastTagged = images[i].LastTagged
		state.Images[ref] = image
	}
	return nil
}

// refreshed are the images that are here and are asked for again after a time, sorted.
func refreshed(p *project.Project, state plan.State) []string {
	var refs []string
	for _, service := range withHooks(p) {
		ref := p.ImageName(service)
		_, here := state.Images[ref]
		if _, timed := project.RefreshAfter(service); timed && here {
			refs = append(refs, ref)
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}
