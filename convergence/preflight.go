package convergence

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// Nearby is what only the caller's host can tell of an engine's surroundings: which ports programs have, where the engine publishes on
// the same host, and the name of the engine's host, where that is another one. networks are the engine's.
type Nearby func(networks []engine.Network) (listeners []plan.Listener, elsewhere string)

// preflight looks for what would stop a plan in the middle: one round of at most three calls, and none for most plans. A plan that is
// only shown warns of it, any other one has it as its problems.
func (c Converger) preflight(ctx context.Context, p *project.Project, made *plan.Plan, shown bool) error {
	asks := made.Asks(p)
	if asks == (plan.Asks{}) {
		return nil
	}
	around, err := c.surroundings(ctx, asks)
	if err != nil {
		return err
	}
	if c.Nearby != nil {
		around.Listeners, around.Elsewhere = c.Nearby(around.Networks)
	}
	problems, warnings := made.Preflight(p, around)
	made.Warnings = append(made.Warnings, warnings...)
	if !shown {
		made.Problems = problems
		return nil
	}
	for _, problem := range problems {
		made.Warnings = append(made.Warnings, plan.Warning{Ref: problem.Ref, Message: problem.Error() + "; " + problem.Try})
	}
	return nil
}

func (c Converger) surroundings(ctx context.Context, asks plan.Asks) (around plan.Surroundings, err error) {
	calls, ctx := errgroup.WithContext(ctx)
	if asks.Containers {
		calls.Go(func() (err error) {
			around.Containers, err = c.Engine.ListContainers(ctx, engine.ContainerFilter{Hooks: true})
			return wrapf(err, "list containers")
		})
	}
	if asks.Networks || asks.Containers && c.Nearby != nil {
		calls.Go(func() (err error) {
			around.Networks, err = c.Engine.ListNetworks(ctx)
			return wrapf(err, "list networks")
		})
	}
	if asks.Networks {
		calls.Go(func() error {
			info, err := c.Engine.Info(ctx)
			if around.Pools = info.AddressPools; len(around.Pools) == 0 {
				around.Pools = defaultPools()
			}
			return wrapf(err, "ask the engine what it is")
		})
	}
	return around, calls.Wait()
}

// defaultPools are where a Docker Engine that is told nothing else takes the addresses of networks from.
func defaultPools() []engine.AddressPool {
	const large, small = 16, 20
	return []engine.AddressPool{
		{Base: "172.17.0.0/16", Size: large},
		{Base: "172.18.0.0/16", Size: large},
		{Base: "172.19.0.0/16", Size: large},
		{Base: "172.20.0.0/14", Size: large},
		{Base: "172.24.0.0/14", Size: large},
		{Base: "172.28.0.0/14", Size: large},
		{Base: "192.168.0.0/16", Size: small},
	}
}
