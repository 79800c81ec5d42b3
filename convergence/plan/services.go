package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// servicePlan is what becomes of one service.
type servicePlan struct {
	service     project.Service
	fields      project.Fields
	hash        string
	files       []file     // its secrets and configs
	replicas    []*replica // in the order of their numbers
	obsolete    []engine.Container
	leftover    []engine.Container // of an interrupted replacement
	ready       []NodeID           // what must be done before a dependency that asks for "started" is met
	waits       map[step.Goal][]NodeID
	group       int            // the group that replaces it; 0 for none
	stopped     []NodeID       // the stops of containers that are replaced
	maybeReason string         // on what replicas without reasons are replaced, in words
	together    bool           // its replicas are replaced together, not one at a time
	unproven    []*replica     // whose containers only a comparison can tell from what is wanted
	provided    *step.Provided // what its provider gives; nil where it has none
	hooksRun    int            // the pre_start hooks that run
	hooksWhy    string         // in words
}

// replica is one container that the service shall have.
type replica struct {
	number  int
	name    string            // its final one
	current *engine.Container // nil when it is to be created
	resume  *engine.Container // one that an interrupted replacement has created and that is what is wanted
	reasons []Reason          // why it is replaced; none when it stays
	only    conditional       // without reasons: it is replaced on this condition, that another image comes
	restart bool              // it is stopped and started again because something that it depends on is replaced
	again   bool              // it stays and is started
	create  []NodeID
	start   []NodeID
	stands  []NodeID // of a replacement: the wait for the new one to be ready
}

func (r *replica) replaced() bool { return r.current != nil && (len(r.reasons) > 0 || r.maybe()) }

// maybe says that whether it is replaced is only known when the plan is carried out.
func (r *replica) maybe() bool { return len(r.reasons) == 0 && !r.only.always() }

// renewed says that it is replaced and stands still, so that nothing is lost when the old one goes first.
func (r *replica) renewed() bool {
	return r.replaced() && !r.maybe() && r.resume == nil && !r.current.Running()
}

// target is the container in its final form, for steps that come after its creation.
func (r *replica) target(service string) step.Target {
	t := step.Target{Name: r.name, Service: service, Replica: r.number}
	if r.current != nil && !r.replaced() {
		t.ID = r.current.ID
	}
	return t
}

// decideService matches a service's containers with the replicas that it shall have.
func (r *reconciler) decideService(service project.Service) {
	if isProvided(service) {
		return
	}
	s := &servicePlan{service: service, waits: map[step.Goal][]NodeID{}}
	r.services[service.Name] = s
	identity, err := project.Identify(r.Project, service)
	if err != nil {
		r.problems = append(r.problems, err)
		return
	}
	s.fields, s.hash = identity.Fields, identity.Hash
	if graph.SharedWith(r.Project, service) != nil || len(service.VolumesFrom) > 0 {
		if s.hash, err = project.ContainerHash(service, r.sharedIDs(service)); err != nil {
			r.problems = append(r.problems, err)
			return
		}
	}
	r.planFiles(s)
	r.checkHookFiles(s)
	r.checkSharing(service)
	if r.isOneOff(service.Name) {
		r.decideOneOff(s)
		return
	}
	found := r.matchNumbers(s)
	wanted := max(service.GetScale(), 0)
	slices.SortStableFunc(found, func(a, b *replica) int {
		return cmp.Or(compareBool(a.replaced(), b.replaced()), cmp.Compare(a.number, b.number))
	})
	for _, extra := range found[min(wanted, len(found)):] {
		s.obsolete = append(s.obsolete, *extra.current)
		if extra.resume != nil {
			s.leftover = append(s.leftover, *extra.resume)
		}
	}
	s.replicas = found[:min(wanted, len(found))]
	highest := 0
	for _, one := range found {
		highest = max(highest, one.number)
	}
	for len(s.replicas) < wanted {
		highest++
		s.replicas = append(s.replicas, &replica{number: highest, name: r.Project.ContainerName(service, highest)})
	}
	slices.SortFunc(s.replicas, func(a, b *replica) int { return cmp.Compare(a.number, b.number) })
	slices.SortFunc(s.obsolete, compareNames)
}

func compareBool(a, b bool) int {
	if a == b {
		return 0
	}
	if a {
		return 1
	}
	return -1
}

// matchNumbers makes one replica of all containers with the same number. More than one is what an interrupted replacement
// left; recovery takes the one that is what is wanted, then the one that runs, then the one with the right name.
func (r *reconciler) matchNumbers(s *servicePlan) []*replica {
	byNumber := map[int][]engine.Container{}
	for _, container := range r.existing[s.service.Name] {
		if !r.gone[container.ID] {
			byNumber[observedNumber(container)] = append(byNumber[observedNumber(container)], container)
		}
	}
	var replicas []*replica
	for _, number := range sortedInts(byNumber) {
		candidates := byNumber[number]
		one := &replica{number: number, name: r.Project.ContainerName(s.service, number)}
		slices.SortStableFunc(candidates, func(a, b engine.Container) int {
			return cmp.Or(
				compareBool(r.unwanted(s, a), r.unwanted(s, b)),
				compareBool(!a.Running(), !b.Running()),
				compareBool(a.Name != one.name, b.Name != one.name),
			)
		})
		one.current, s.leftover = r.pick(s, one, candidates)
		one.reasons = r.reasons(s, *one.current)
		if slices.ContainsFunc(one.reasons, isUnproven) {
			s.unproven = append(s.unproven, one)
		}
		if one.resume != nil {
			one.reasons = []Reason{{Text: "an interrupted replacement is finished"}}
		}
		if r.Policy.Recreate != RecreateNone {
			r.mayReplace(s, one)
		}
		replicas = append(replicas, one)
	}
	return replicas
}

// unwanted says whether a container is not what the file asks for, or of no use.
func (r *reconciler) unwanted(s *servicePlan, container engine.Container) bool {
	return container.State == engine.StateDead ||
		len(r.fingerprintReasons(s, container)) > 0 || len(r.imageReason(s.service, container)) > 0
}

// mayReplace notes that a replica is replaced if a pull or build brings another image. Where it has lost its name it cannot be told by that
// afterwards, so it is replaced anyway.
func (r *reconciler) mayReplace(s *servicePlan, one *replica) {
	only, provided := r.mayChange(s.service, *one.current), r.otherwiseProvided(s.service, *one.current)
	byImage := !only.always()
	if only.always() {
		only = provided
	} else if !provided.always() {
		only = only.or(provided)
	}
	switch {
	case only.always() || len(one.reasons) > 0:
	case one.current.Name != one.name:
		one.reasons = []Reason{{Text: "is called " + one.current.Name}}
	default:
		one.only = only
		s.maybeReason = "replaced if the pull brings another image"
		if !byImage {
			s.maybeReason = "replaced if " + only.when.String()
		} else if r.images[r.Project.ImageName(s.service)].built {
			s.maybeReason = "replaced if the build makes another image"
		}
	}
}

// pick takes the container that counts, and leaves the rest. Where the best one was only created while another one runs, the
// replacement has got no further than that: the one that runs counts, and the other one is what replaces it. A container that was to be
// replaced replaces none: where it is what is wanted it stays, and gets its restart policy back, which it has lost.
func (r *reconciler) pick(
	s *servicePlan, one *replica, candidates []engine.Container,
) (current *engine.Container, leftover []engine.Container) {
	best := candidates[0]
	isRetired := func(c engine.Container) bool { return strings.HasPrefix(c.Name, project.RetiredName("", one.name)) }
	if len(candidates) == 1 || best.Running() || r.unwanted(s, best) || isRetired(best) {
		return &best, append(s.leftover, candidates[1:]...)
	}
	for i, other := range candidates[1:] {
		if other.Running() || isRetired(other) || project.IsTemporaryName(best.Name, one.name) {
			one.resume = &best
			return &other, append(s.leftover, slices.Delete(slices.Clone(candidates[1:]), i, i+1)...)
		}
	}
	return &best, append(s.leftover, candidates[1:]...)
}

func sortedInts[V any](m map[int]V) []int {
	numbers := make([]int, 0, len(m))
	for number := range m {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers
}

// checkSharing refuses to share what will not be there.
func (r *reconciler) checkSharing(service project.Service) {
	for _, sharing := range graph.SharedWith(r.Project, service) {
		shared, ok := r.Project.Services[sharing.Service]
		if !ok || !isProvided(shared) && shared.GetScale() > 0 || service.GetScale() == 0 {
			continue
		}
		r.problem(Problem{
			Ref: graph.Service(service.Name), Position: r.Project.Place("services." + service.Name + "." + sharing.Key),
			Message: fmt.Sprintf("service %q shares %s of service %q, which has no replicas", service.Name, sharing.Key, sharing.Service),
			Try:     "give service \"" + sharing.Service + "\" at least one replica",
		})
	}
}
