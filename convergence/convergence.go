// Package convergence brings an engine from what is there to what a project wants: it observes, has a plan made, and applies it.
// Nothing in it prints or asks: what happens is told to a sink, questions are part of the plan.
package convergence

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/provider"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// Converger works on one engine. It may be used from several goroutines, one project at a time each.
type Converger struct {
	Engine engine.Engine
	// Sink is told of everything that happens; nil tells nobody.
	Sink Sink
	// Providers runs the programs of provider services; nil runs none.
	Providers provider.Runner
	// Nearby tells of the caller's host what stands in a plan's way; nil tells nothing.
	Nearby Nearby
}

func (c Converger) sink() Sink {
	if c.Sink == nil {
		return func(Event) {}
	}
	return c.Sink
}

// Plan makes the plan that brings a project up, with the reasons spelled out. Nothing is changed. askRegistries asks the
// registries of images that are always pulled whether they have another one: a plan that is shown is then exact; without it
// what depends on the pull is planned as conditional. What secrets and configs hold must have been read before, by
// [project.Project.ReadContents].
func (c Converger) Plan(ctx context.Context, p *project.Project, policy plan.Policy, askRegistries bool) (*plan.Plan, error) {
	return c.planned(ctx, p, policy, askRegistries, plan.Reconcile)
}

// PlanOneOff makes the plan that brings what a one-off depends on up and creates it, as Plan does; see [plan.RunOneOff].
func (c Converger) PlanOneOff(
	ctx context.Context, p *project.Project, policy plan.Policy, askRegistries bool, oneOff plan.OneOff,
) (*plan.Plan, error) {
	return c.planned(ctx, p, policy, askRegistries, func(input plan.Input) (*plan.Plan, error) { return plan.RunOneOff(input, oneOff) })
}

// planned observes and decides, and looks whether anything stands in the way.
func (c Converger) planned(
	ctx context.Context, p *project.Project, policy plan.Policy, askRegistries bool, decide func(plan.Input) (*plan.Plan, error),
) (*plan.Plan, error) {
	made, err := c.decided(ctx, p, policy, askRegistries, decide)
	if err != nil {
		return nil, err
	}
	return made, c.preflight(ctx, p, made, askRegistries)
}

// decided observes and decides, and looks closer where the decision needs it.
func (c Converger) decided(
	ctx context.Context, p *project.Project, policy plan.Policy, askRegistries bool, decide func(plan.Input) (*plan.Plan, error),
) (*plan.Plan, error) {
	g, err := graph.From(p)
	if err != nil {
		return nil, err
	}
	state, err := Observe(ctx, c.Engine, p.Name, p)
	if err != nil {
		return nil, err
	}
	if err := observeFacts(ctx, c.Engine, p, &state); err != nil {
		return nil, err
	}
	if askRegistries {
		state.RemoteDigests = c.remoteDigests(ctx, p, state)
	}
	input := plan.Input{Project: p, Graph: g, State: state, Policy: policy, Providers: c.Providers}
	made, err := decide(input)
	if err == nil && len(made.Comparisons) > 0 {
		if input.State.Differences, err = c.compare(ctx, made.Comparisons); err != nil {
			return nil, err
		}
		made, err = decide(input)
	}
	if err != nil || len(made.Groups) == 0 {
		return made, err
	}
	if input.State, err = ObserveDetails(ctx, c.Engine, input.State, made); err != nil {
		return nil, err
	}
	return decide(input)
}

// remoteDigests asks for images that are here and are to be pulled anyway. A registry that does not answer leaves the question
// open.
func (c Converger) remoteDigests(ctx context.Context, p *project.Project, state plan.State) map[string]string {
	var refs []string
	for _, service := range withHooks(p) {
		ref := p.ImageName(service)
		if _, here := state.Images[ref]; here && service.PullPolicy == project.PullAlways {
			refs = append(refs, ref)
		}
	}
	slices.Sort(refs)
	refs = slices.Compact(refs)
	digests := make([]string, len(refs))
	var calls errgroup.Group
	calls.SetLimit(inspectAtOnce)
	for i, ref := range refs {
		calls.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, registryTime)
			defer cancel()
			digests[i], _ = c.Engine.RemoteDigest(ctx, ref)
			return nil
		})
	}
	_ = calls.Wait()
	found := map[string]string{}
	for i, ref := range refs {
		found[ref] = digests[i]
	}
	return found
}

// registryTime bounds how long a registry may take to tell a digest.
const registryTime = 5 * time.Second

// Apply carries out a plan; see the function of that name.
func (c Converger) Apply(ctx context.Context, p *plan.Plan) error {
	return Apply(ctx, c.Engine, p, c.sink())
}

// Up plans and applies: the library's entry for what `muster up -d` does. A plan with unanswered questions is applied with the
// answer no.
func (c Converger) Up(ctx context.Context, p *project.Project, policy plan.Policy) (*plan.Plan, error) {
	made, err := c.Plan(ctx, p, policy, false)
	if err != nil {
		return nil, err
	}
	return made, c.Apply(ctx, made)
}

// PlanDown makes the plan that takes down what carries the project's labels. input needs no state.
func (c Converger) PlanDown(ctx context.Context, input plan.TeardownInput) (*plan.Plan, error) {
	state, err := Observe(ctx, c.Engine, input.Name, nil)
	if err != nil {
		return nil, err
	}
	input.State, input.Providers = state, c.Providers
	if input.RemoveImages != plan.KeepImages {
		if input.Images, err = c.Engine.ListImages(ctx); err != nil {
			return nil, fmt.Errorf("list images: %w", err)
		}
	}
	return plan.Teardown(input), nil
}

// PlanStop makes the plan that ends a project's containers and removes nothing. input needs no state.
func (c Converger) PlanStop(ctx context.Context, input plan.StopInput) (made *plan.Plan, err error) {
	if input.State, err = c.observeContainers(ctx, input.Name); err != nil {
		return nil, err
	}
	input.Providers = c.Providers
	return plan.StopContainers(input), nil
}

// PlanKill makes the plan that sends a project's containers a signal. input needs no state.
func (c Converger) PlanKill(ctx context.Context, input plan.KillInput) (made *plan.Plan, err error) {
	if input.State, err = c.observeContainers(ctx, input.Name); err != nil {
		return nil, err
	}
	return plan.KillContainers(input), nil
}

// PlanRemove makes the plan that removes containers that stand still. input needs no state.
func (c Converger) PlanRemove(ctx context.Context, input plan.RemoveInput) (made *plan.Plan, err error) {
	if input.State, err = Observe(ctx, c.Engine, input.Name, nil); err != nil {
		return nil, err
	}
	return plan.RemoveContainers(input), nil
}

// PlanPause makes the plan that freezes a project's containers. input needs no state.
func (c Converger) PlanPause(ctx context.Context, input plan.PauseInput) (made *plan.Plan, err error) {
	if input.State, err = c.observeContainers(ctx, input.Name); err != nil {
		return nil, err
	}
	return plan.PauseContainers(input), nil
}

// PlanUnpause makes the plan that lets them go on. input needs no state.
func (c Converger) PlanUnpause(ctx context.Context, input plan.PauseInput) (made *plan.Plan, err error) {
	if input.State, err = c.observeContainers(ctx, input.Name); err != nil {
		return nil, err
	}
	return plan.UnpauseContainers(input), nil
}

// PlanStart makes the plan that starts the containers that are there. input needs no state.
func (c Converger) PlanStart(ctx context.Context, input plan.LifecycleInput) (made *plan.Plan, err error) {
	if input.State, err = c.observeContainers(ctx, input.Name); err != nil {
		return nil, err
	}
	if made, err = plan.StartContainers(input); err != nil {
		return nil, err
	}
	return made, c.preflight(ctx, input.Project, made, false)
}

// PlanRestart makes the plan that restarts the containers that are there. input needs no state.
func (c Converger) PlanRestart(ctx context.Context, input plan.LifecycleInput) (made *plan.Plan, err error) {
	if input.State, err = c.observeContainers(ctx, input.Name); err != nil {
		return nil, err
	}
	return plan.RestartContainers(input)
}

// PlanPull makes the plan that brings a project's images. input needs no state.
func (c Converger) PlanPull(ctx context.Context, input plan.PullInput) (*plan.Plan, error) {
	images, err := c.Engine.ListImages(ctx)
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	input.State = plan.State{Images: byReference(input.Project, images)}
	return plan.PullImages(input), nil
}

// PlanCopy makes the plan that copies files between here and a project's containers. input needs no state.
func (c Converger) PlanCopy(ctx context.Context, input plan.CopyInput) (made *plan.Plan, err error) {
	if input.State, err = c.observeContainers(ctx, input.Name); err != nil {
		return nil, err
	}
	return plan.CopyFiles(input)
}

// PlanCommit makes the plan that makes an image of a container. input needs no state.
func (c Converger) PlanCommit(ctx context.Context, input plan.CommitInput) (made *plan.Plan, err error) {
	if input.State, err = c.observeContainers(ctx, input.Name); err != nil {
		return nil, err
	}
	return plan.CommitContainer(input)
}

// PlanExport makes the plan that writes out a container's files. input needs no state.
func (c Converger) PlanExport(ctx context.Context, input plan.ExportInput) (made *plan.Plan, err error) {
	if input.State, err = c.observeContainers(ctx, input.Name); err != nil {
		return nil, err
	}
	return plan.ExportContainer(input)
}

// observeContainers looks at a project's containers only: one list call.
func (c Converger) observeContainers(ctx context.Context, name string) (plan.State, error) {
	containers, err := c.Engine.ListContainers(ctx, engine.ContainerFilter{Project: name, Hooks: true})
	if err != nil {
		return plan.State{}, fmt.Errorf("list containers of project %q: %w", name, err)
	}
	return plan.State{Containers: withHash(containers)}, nil
}

// Down plans and applies: the library's entry for what `muster down` does.
func (c Converger) Down(ctx context.Context, input plan.TeardownInput) (*plan.Plan, error) {
	made, err := c.PlanDown(ctx, input)
	if err != nil {
		return nil, err
	}
	return made, c.Apply(ctx, made)
}
