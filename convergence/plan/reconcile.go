package plan

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/provider"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// Input is everything that a plan is made from.
type Input struct {
	Project *project.Project
	Graph   *graph.Graph
	State   State
	Policy  Policy
	// Providers runs the programs of provider services when the plan is carried out.
	Providers provider.Runner
}

// Reconcile plans what brings the engine from what was observed to what the project wants.
//
// The error joins a [*Problem] for everything that cannot be: an image that may not be pulled, an external network that is not
// there. Nothing is planned then.
func Reconcile(input Input) (*Plan, error) { return newReconciler(input).reconcile() }

func newReconciler(input Input) *reconciler {
	r := &reconciler{
		Input: input, builder: newBuilder(input.Project.Name),
		existing: map[string][]engine.Container{}, networks: map[string]*networkPlan{}, volumes: map[string]*volumePlan{},
		images: map[string]*imagePlan{}, services: map[string]*servicePlan{}, gone: map[string]bool{},
		creates: map[int][]NodeID{}, volumesFilled: map[string]bool{},
	}
	if input.Policy.Wait && input.Policy.WaitTimeout > 0 {
		r.deadline = step.NewDeadline(input.Policy.WaitTimeout)
	}
	return r
}

func (r *reconciler) reconcile() (*Plan, error) {
	r.sortContainers()
	r.planNetworks()
	r.planVolumes()
	r.checkConflicts()
	r.checkNeeds()
	r.checkPlacement()
	r.checkRefused()
	order := r.Graph.Services()
	for _, name := range order {
		service := r.Project.Services[name]
		if isProvided(service) {
			r.planProvider(service)
			continue
		}
		r.planImages(service)
		for _, hook := range project.PreStarts(r.Project, service) {
			r.planImages(preStartImage(service, hook))
		}
	}
	for _, name := range order {
		r.decideService(r.Project.Services[name])
	}
	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	r.compareUnproven(order)
	r.spreadReplacement(order)
	r.holdNetworks()
	r.removeOrphans()
	for _, name := range order {
		if !r.isOneOff(name) {
			r.createMissing(r.services[name])
		}
	}
	for _, name := range order {
		switch {
		case r.isOneOff(name):
			r.createOneOff(r.services[name])
		case r.Policy.NoStart:
			r.replaceUnstarted(r.services[name])
		default:
			r.startService(r.services[name])
		}
	}
	r.finish(order)
	return r.plan, nil
}

// Problem is why no plan can be made for something.
type Problem struct {
	Ref      graph.Ref
	Position project.Position
	Message  string
	Try      string
	Kind     string // for machines, see Code; empty for most
}

func (p *Problem) Error() string {
	text := p.Message
	if place := p.Position.String(); place != "" {
		text = place + ": " + text
	}
	return text
}

// Hint is what to try next.
func (p *Problem) Hint() string { return p.Try }

// Code is what kind of failure it is, for machines: "refused" where there is no better word.
func (p *Problem) Code() string { return cmp.Or(p.Kind, "refused") }

// reconciler is one planning. The phases run one after the other; each leaves what the next ones need.
type reconciler struct {
	Input
	*builder
	existing map[string][]engine.Container // by service, one-offs left out
	orphans  []engine.Container
	deploy   int
	deadline *step.Deadline // of all waits; nil without one
	oneOff   *OneOff        // nil where none is planned

	networks map[string]*networkPlan
	volumes  map[string]*volumePlan
	images   map[string]*imagePlan
	builders map[string]project.Service // the services that images are built for, by the image; made when it is first asked for
	services map[string]*servicePlan
	gone     map[string]bool // containers that are removed because their volume is, by ID
	problems []error

	creates        map[int][]NodeID // of new containers, by group
	starts         []NodeID         // every start of the plan
	rangeStart     []NodeID         // the last start of a container with a published port range
	removals       []NodeID         // every removal of a container
	volumesFilled  map[string]bool  // that the plan puts secrets and configs into
	orphanRemovals []NodeID
	helperRemovals []NodeID // of containers that an earlier run filled volumes through
	committing     []commit
	leftAnyway     []engine.Container // containers that stay and that the plan does not otherwise look at
}

func (r *reconciler) problem(p Problem) { r.problems = append(r.problems, &p) }

// sortContainers tells the services' containers from orphans, and numbers this deployment.
func (r *reconciler) sortContainers() {
	for _, container := range r.State.Containers {
		number, _ := strconv.Atoi(container.Labels[project.LabelDeploy])
		r.deploy = max(r.deploy, number)
		_, enabled := r.Project.Services[container.Service]
		_, disabled := r.Project.DisabledServices[container.Service]
		switch {
		case isHelper(container):
			r.removeHelper(container)
		case container.OneOff && container.Running():
			r.leftAnyway = append(r.leftAnyway, container)
		case container.OneOff, !enabled && !disabled:
			r.orphans = append(r.orphans, container)
			if !r.Policy.RemoveOrphans {
				r.leftAnyway = append(r.leftAnyway, container)
			}
		case enabled:
			r.existing[container.Service] = append(r.existing[container.Service], container)
		default:
			r.leftAnyway = append(r.leftAnyway, container)
		}
	}
	r.deploy++
}

// finish plans what comes last, and tells what was done for whom.
func (r *reconciler) finish(order []string) {
	r.commitReplacements()
	r.removeFileVolumes()
	r.waitForAll(order)
	r.tellOfOrphans()
	r.removeUnusedNetworks()
	r.describe(order)
	r.addHooks(newHooked(r.Project, r.State))
	r.plan.Outages = r.outages(order)
	r.plan.made = &r.Input
}

// observedNumber is a container's replica number; one without the label counts as the first.
func observedNumber(container engine.Container) int { return max(container.Number, 1) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func target(container engine.Container) step.Target {
	return step.Target{ID: container.ID, Name: container.Name, Service: container.Service, Replica: observedNumber(container)}
}

func compareNames(a, b engine.Container) int { return cmp.Compare(a.Name, b.Name) }

func plural(n int, one string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %ss", n, one)
}
