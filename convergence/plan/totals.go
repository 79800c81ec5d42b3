package plan

import "github.com/muster-dev/muster/graph"

// Unchanged is the kind of a total that counts what stays as it is.
const Unchanged Kind = "unchanged"

// Total says to how many things of the engine something happens.
type Total struct {
	// Of is whose they are: a service's are containers.
	Of    graph.Kind
	Kind  Kind
	Count int
}

// Totals count the containers, networks, volumes and images of the changes that count, each by kind of change, and last what stays of
// them. What there is none of is left out.
func (p *Plan) Totals() []Total {
	type key struct {
		of   graph.Kind
		kind Kind
	}
	counts := map[key]int{}
	for _, change := range p.Changes {
		if change.Counts() || change.Kind == Maybe {
			counts[key{change.Ref.Kind, change.Kind}] += max(len(change.Objects), 1)
		}
	}
	for _, kept := range p.Unchanged {
		if !kept.Skipped {
			counts[key{kept.Ref.Kind, Unchanged}]++
		}
	}
	var totals []Total
	for _, of := range []graph.Kind{graph.KindService, graph.KindNetwork, graph.KindVolume, graph.KindImage} {
		for _, kind := range []Kind{
			Replace, Create, Remove, Restart, Start, End, Pause, Unpause, Finish, Pull, Build, Push, Copy, Commit, Export, Maybe, Unchanged,
		} {
			if count := counts[key{of, kind}]; count > 0 {
				totals = append(totals, Total{of, kind, count})
			}
		}
	}
	return totals
}
