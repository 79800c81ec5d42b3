package plan

import (
	"slices"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// Outage is that containers of a service that run do not for a while, because the plan stops them before it starts them again or others
// in their places.
type Outage struct {
	Service string
	// AtOnce is how many of the Running replicas are down at the same time, at most.
	AtOnce, Running int
	// AtLeast is how long one of them is down for certain: the Parts together. Zero means that nothing is certain beforehand, not that it is
	// no time: how long programs take to end and to start nobody knows.
	AtLeast time.Duration
	Parts   []OutagePart
	// Healthy says that it counts as up again when its health check has succeeded, and not at its start.
	Healthy bool
	// StopAtMost is how long the stop may take until the engine kills the old process.
	StopAtMost time.Duration
	// Maybe says that it only comes if the change does that it is part of.
	Maybe bool
	// Dependents run now and depend on it, by name.
	Dependents []Dependent
}

// Whole says that nothing of the service runs meanwhile.
func (o Outage) Whole() bool { return o.AtOnce >= o.Running }

// OutagePart is time that an outage cannot do without.
type OutagePart struct {
	// Service is whose health check has to succeed.
	Service string
	// Attribute is what of the file says how long that takes at least: "healthcheck.interval".
	Attribute string
	Time      time.Duration
}

// Dependent is a service that depends on one that is down for a while.
type Dependent struct {
	Service string
	// Kind is what happens to it meanwhile: Replace, Restart, or empty where it runs on without the other one.
	Kind Kind
}

// outages are the services that run and do not for a while, by name.
func (r *reconciler) outages(order []string) []Outage {
	finder := newOutageFinder(r.plan, r.Project)
	var found []Outage
	for _, name := range slices.Sorted(slices.Values(order)) {
		if outage, ok := r.outageOf(finder, name); ok {
			found = append(found, outage)
		}
	}
	for i := range found {
		if found[i].Whole() {
			found[i].Dependents = r.dependentsOf(found[i].Service)
		}
	}
	return found
}

func (r *reconciler) outageOf(finder *outageFinder, name string) (Outage, bool) {
	running := map[int]engine.Container{}
	for _, container := range r.existing[name] {
		if container.Running() {
			running[observedNumber(container)] = container
		}
	}
	outage := Outage{Service: name, Running: len(running), Healthy: checksHealth(r.Project.Services[name])}
	var gaps []gap
	for _, number := range sortedInts(running) {
		one, ok := finder.find(name, number)
		if !ok {
			continue
		}
		gaps = append(gaps, one)
		outage.StopAtMost = max(outage.StopAtMost, r.stopTime(running[number]))
		if outage.Maybe = one.maybe; one.time > outage.AtLeast {
			outage.AtLeast, outage.Parts = one.time, one.parts
		}
	}
	outage.AtOnce = atOnce(gaps)
	return outage, len(gaps) > 0
}

// stopTime is how long a container that is there may take to end: as the user says, else as it was made.
func (r *reconciler) stopTime(container engine.Container) time.Duration {
	const engines = 10 * time.Second // which they give to containers that were made without one
	if r.Policy.StopTimeout != nil {
		return *r.Policy.StopTimeout
	}
	fingerprint, err := project.OpenFingerprint(container.Labels[project.LabelSpec])
	if err == nil {
		period, err := time.ParseDuration(fingerprint.Plain("stop_grace_period"))
		if err != nil {
			return engines
		}
		return period
	}
	if period := r.Project.Services[container.Service].StopGracePeriod; period != nil {
		return time.Duration(*period)
	}
	return engines
}

// dependentsOf are the services that run and depend on another one, and what happens to them.
func (r *reconciler) dependentsOf(name string) []Dependent {
	var dependents []Dependent
	for _, dependent := range slices.Sorted(slices.Values(r.Graph.NeededBy(name))) {
		if !slices.ContainsFunc(r.existing[dependent], engine.Container.Running) {
			continue
		}
		kind := Kind("")
		for _, change := range r.plan.Changes {
			if change.Ref == graph.Service(dependent) && (change.Kind == Replace || change.Kind == Restart) {
				kind = change.Kind
			}
		}
		dependents = append(dependents, Dependent{dependent, kind})
	}
	return dependents
}

// firstCheck is how long after a start a health check can succeed first, as far as the file says; zero where it does not. What an engine
// or an image would put in its place is not counted: that is not known before the container is there.
func firstCheck(service project.Service) OutagePart {
	part := OutagePart{Service: service.Name}
	check := service.HealthCheck
	switch {
	case !checksHealth(service):
	case check.StartPeriod != nil && *check.StartPeriod > 0:
		if check.StartInterval != nil {
			part.Attribute, part.Time = "healthcheck.start_interval", time.Duration(*check.StartInterval)
		}
	case check.Interval != nil:
		part.Attribute, part.Time = "healthcheck.interval", time.Duration(*check.Interval)
	}
	return part
}

// atOnce is how many of some gaps are open at the same time, at most.
func atOnce(gaps []gap) int {
	most := 0
	for _, one := range gaps {
		together := 0
		for _, other := range gaps {
			if !one.reached[other.stop] && !other.reached[one.stop] || one.stop == other.stop {
				together++
			}
		}
		most = max(most, together)
	}
	return most
}

// gap is the part of a plan in which one replica is down.
type gap struct {
	stop    NodeID
	reached map[NodeID]bool // what comes after the stop
	time    time.Duration
	parts   []OutagePart
	maybe   bool
}

// outageFinder finds gaps in a plan.
type outageFinder struct {
	plan          *Plan
	project       *project.Project
	order         []NodeID
	stops, starts map[replicaKey][]NodeID
}

type replicaKey struct {
	service string
	number  int
}

func newOutageFinder(p *Plan, of *project.Project) *outageFinder {
	f := &outageFinder{plan: p, project: of, stops: map[replicaKey][]NodeID{}, starts: map[replicaKey][]NodeID{}}
	for _, node := range p.Nodes {
		switch s := node.Step.(type) {
		case step.StopContainer:
			key := replicaKey{s.Service, s.Replica}
			f.stops[key] = append(f.stops[key], node.ID)
		case step.StartContainer:
			key := replicaKey{s.Service, s.Replica}
			f.starts[key] = append(f.starts[key], node.ID)
		}
	}
	if len(f.stops) > 0 {
		f.order, _ = p.Order.Order() // a plan has no cycles
	}
	return f
}

// find is the gap of a replica: from its stop to the start that comes after that. There is none where it stays, or goes for good.
func (f *outageFinder) find(service string, number int) (gap, bool) {
	key := replicaKey{service, number}
	if len(f.stops[key]) == 0 || len(f.starts[key]) == 0 {
		return gap{}, false
	}
	stop := f.stops[key][0]
	times, before := f.longest(stop)
	found, ok := gap{stop: stop, reached: map[NodeID]bool{}, maybe: f.plan.Nodes[stop].When != nil}, false
	for id := range times {
		found.reached[id] = true
	}
	var start NodeID
	for _, id := range f.starts[key] {
		if after, reached := times[id]; reached && (!ok || after > times[start]) {
			start, ok = id, true
		}
	}
	if !ok {
		return gap{}, false
	}
	for id := start; id != stop; id = before[id] {
		if part := f.certain(id, stop); part.Time > 0 {
			found.parts = append(found.parts, part)
		}
	}
	slices.Reverse(found.parts)
	if own := firstCheck(f.project.Services[service]); own.Time > 0 {
		found.parts = append(found.parts, own)
	}
	for _, part := range found.parts {
		found.time += part.Time
	}
	return found, true
}

// longest is, for each step that comes after one, the time that lies between for certain, and the step before it on that way.
func (f *outageFinder) longest(from NodeID) (times map[NodeID]time.Duration, before map[NodeID]NodeID) {
	times, before = map[NodeID]time.Duration{from: 0}, map[NodeID]NodeID{}
	for _, id := range f.order[slices.Index(f.order, from)+1:] {
		for _, earlier := range f.plan.Order.Deps(id) {
			until, reached := times[earlier]
			if !reached {
				continue
			}
			until += f.certain(earlier, from).Time
			if known, ok := times[id]; !ok || until > known {
				times[id], before[id] = until, earlier
			}
		}
	}
	return times, before
}

// certain is the time that a step takes at least: a wait for health lasts until the first check. A step that may be left out counts only
// where the stop has the same condition.
func (f *outageFinder) certain(id, stop NodeID) OutagePart {
	node := f.plan.Nodes[id]
	wait, ok := node.Step.(step.Wait)
	if !ok || node.Optional || wait.Goal != step.Healthy && wait.Goal != step.Ready {
		return OutagePart{}
	}
	if node.When != nil && (f.plan.Nodes[stop].When == nil || f.plan.Nodes[stop].When.String() != node.When.String()) {
		return OutagePart{}
	}
	return firstCheck(f.project.Services[wait.Service])
}
