package plan

import (
	"maps"
	"slices"

	"github.com/muster-dev/muster/graph"
)

// HeldUp is a service whose containers a plan did not start, because something that it waits for failed.
type HeldUp struct {
	Service string `json:"service"`
	// WaitsFor are the services that it waits for and that are not as it needs them, sorted; empty where it is the service's own
	// image or network that is missing.
	WaitsFor []string `json:"waitsFor,omitempty"`
}

// HeldUpBy are the services that the failure of a step holds up, those that wait for it themselves first, then those that wait for
// them. One whose container was to be replaced is none: the old one runs on.
func (p *Plan) HeldUpBy(failed NodeID) []HeldUp {
	behind := p.behind(failed)
	var held []HeldUp
	for _, id := range slices.Sorted(maps.Keys(behind)) {
		node := p.Nodes[id]
		if node.Step.Action() != "start" || node.Group > 0 {
			continue
		}
		name, waitsFor := node.Step.Ref().Name, p.waitsFor(id, behind, failed)
		i := slices.IndexFunc(held, func(h HeldUp) bool { return h.Service == name })
		if i < 0 {
			held = append(held, HeldUp{Service: name, WaitsFor: waitsFor})
			continue
		}
		held[i].WaitsFor = slices.Compact(slices.Sorted(slices.Values(slices.Concat(held[i].WaitsFor, waitsFor))))
	}
	slices.SortStableFunc(held, func(a, b HeldUp) int { return compareBool(isTransitive(a, held), isTransitive(b, held)) })
	return held
}

// isTransitive says whether all that a service waits for is itself held up.
func isTransitive(h HeldUp, held []HeldUp) bool {
	isHeld := func(name string) bool {
		return slices.ContainsFunc(held, func(other HeldUp) bool { return other.Service == name })
	}
	return len(h.WaitsFor) > 0 && !slices.ContainsFunc(h.WaitsFor, func(name string) bool { return !isHeld(name) })
}

// behind are the steps that cannot be done when one has failed, with that one. A group fails as a whole.
func (p *Plan) behind(failed NodeID) map[NodeID]bool {
	found, open := map[NodeID]bool{failed: true}, []NodeID{failed}
	reach := func(id NodeID) {
		if !found[id] {
			found[id] = true
			open = append(open, id)
		}
	}
	for len(open) > 0 {
		id := open[0]
		open = open[1:]
		for _, next := range p.heldBy(p.Nodes[id]) {
			reach(next)
		}
	}
	return found
}

// heldBy are the steps that cannot be done, or come to nothing, when one is not done.
func (p *Plan) heldBy(node Node) (held []NodeID) {
	if node.Optional {
		return nil
	}
	for _, dependent := range p.Order.Dependents(node.ID) {
		if !p.Order.IsLoose(dependent, node.ID) {
			held = append(held, dependent)
		}
	}
	if node.Group == 0 || node.Commit {
		return held
	}
	for _, other := range p.Nodes {
		if other.Group == node.Group {
			held = append(held, other.ID)
		}
	}
	return held
}

// waitsFor are the services, other than its own, whose steps keep a step from being done.
func (p *Plan) waitsFor(id NodeID, behind map[NodeID]bool, failed NodeID) []string {
	own := p.Nodes[id].Step.Ref()
	var services []string
	seen, open := map[NodeID]bool{}, []NodeID{id}
	for len(open) > 0 {
		at := open[0]
		open = open[1:]
		for _, before := range p.Order.Deps(at) {
			if seen[before] || !behind[before] || p.Order.IsLoose(at, before) {
				continue
			}
			seen[before] = true
			switch ref := p.Nodes[before].Step.Ref(); {
			case ref == own && before != failed:
				open = append(open, before)
			case ref != own && ref.Kind == graph.KindService:
				services = append(services, ref.Name)
			}
		}
	}
	slices.Sort(services)
	return slices.Compact(services)
}
