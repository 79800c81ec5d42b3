package plan

// Unchanged is the kind of a total that counts what stays as it is.
const Unchanged Kind = "unchanged"

// Total says how many containers, networks, volumes and images something happens to.
type Total struct {
	Kind  Kind
	Count int
}

// Totals count the objects of the changes that count, by kind, and last what stays. Kinds without any are left out.
func (p *Plan) Totals() []Total {
	counts := map[Kind]int{}
	for _, change := range p.Changes {
		if change.Counts() || change.Kind == Maybe {
			counts[change.Kind] += max(len(change.Objects), 1)
		}
	}
	for _, kept := range p.Unchanged {
		if !kept.Skipped {
			counts[Unchanged]++
		}
	}
	var totals []Total
	for _, kind := range []Kind{
		Replace, Create, Remove, Restart, Start, End, Pause, Unpause, Finish, Pull, Build, Push, Copy, Commit, Export, Maybe, Unchanged,
	} {
		if counts[kind] > 0 {
			totals = append(totals, Total{kind, counts[kind]})
		}
	}
	return totals
}
