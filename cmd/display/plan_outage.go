package display

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/graph"
)

// grouped are the changes with all of a thing together: networks, volumes and images first, then services in their order.
func grouped(changes []plan.Change) []plan.Change {
	kinds := []graph.Kind{graph.KindNetwork, graph.KindVolume, graph.KindImage, graph.KindService}
	first := map[graph.Ref]int{}
	for i, change := range changes {
		if _, seen := first[change.Ref]; !seen {
			first[change.Ref] = i
		}
	}
	all := slices.Clone(changes)
	slices.SortStableFunc(all, func(a, b plan.Change) int {
		return cmp.Or(
			cmp.Compare(slices.Index(kinds, a.Ref.Kind), slices.Index(kinds, b.Ref.Kind)),
			cmp.Compare(first[a.Ref], first[b.Ref]),
		)
	})
	return all
}

// outageOf is where to tell of the outage of a thing.
type outageOf struct {
	ref           graph.Ref
	indent, width int
}

// writeOutages writes how long a service is down, and what depends on it.
func writeOutages(w io.Writer, s style, outages []plan.Outage, of outageOf) {
	for _, outage := range outages {
		if of.ref != graph.Service(outage.Service) {
			continue
		}
		margin := strings.Repeat(" ", of.indent)
		lines := wrap(strings.Fields(outageWords(outage)), " ", of.width-of.indent-2) //nolint:mnd // what goes on is indented
		if meanwhile := dependentWords(outage.Dependents); meanwhile != "" {
			lines = append(lines, wrap(strings.Fields(meanwhile), " ", of.width-of.indent-2)...) //nolint:mnd // as above
		}
		for _, line := range lines {
			_, _ = fmt.Fprintln(w, margin+s.busy(harmless(line)))
		}
	}
}

// outageWords tell of an outage: "down until it is healthy, 5 s at least; its stop may take 10 s".
func outageWords(outage plan.Outage) string {
	until := "it has started"
	if outage.Healthy {
		until = "it is healthy"
	}
	words := "down until " + until
	if !outage.Whole() {
		words = fmt.Sprintf("%d of %d replicas down at a time, each until %s", outage.AtOnce, outage.Running, until)
	}
	if outage.AtLeast > 0 {
		words += ", " + lasting(outage.AtLeast) + " at least"
	}
	words += "; its stop may take " + lasting(outage.StopAtMost)
	if outage.Maybe {
		return "then " + words
	}
	return words
}

// dependentWords tell of what depends on a service that is down.
func dependentWords(dependents []plan.Dependent) string {
	var without, others []string
	for _, dependent := range dependents {
		switch dependent.Kind {
		case plan.Replace:
			others = append(others, dependent.Service+" is replaced, too")
		case plan.Restart:
			others = append(others, dependent.Service+" is restarted")
		default:
			without = append(without, dependent.Service)
		}
	}
	if len(without) > 0 {
		others = append([]string{"meanwhile without it: " + strings.Join(without, ", ")}, others...)
	}
	return strings.Join(others, "; ")
}

// lasting is a length of time for people: "500 ms", "5 s", "1 m 30 s".
func lasting(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	case d%time.Minute == 0:
		return fmt.Sprintf("%d m", d/time.Minute)
	}
	return fmt.Sprintf("%d m %s", d/time.Minute, lasting(d%time.Minute))
}

// writeTotals writes what there is to do in all, and which services are down meanwhile.
func writeTotals(w io.Writer, p *plan.Plan, width int) {
	if !p.HasChanges() {
		return
	}
	_, _ = fmt.Fprintf(w, "\n%s\n", strings.Join(wrap(strings.Fields(totalsWords(p.Totals())), " ", width), "\n"))
	if down := downWords(p.Outages); len(down) > 0 {
		const label = "down for a while: "
		_, _ = fmt.Fprintln(w, label+strings.Join(wrap(down, ", ", width-len(label)), "\n"+strings.Repeat(" ", len(label))))
	}
}

// totalsWords are all totals, "containers: 3 to replace, 2 unchanged; networks: 1 to create". Of what nothing happens to, nothing is told
// but for containers.
func totalsWords(totals []plan.Total) string {
	var parts []string
	for _, of := range []graph.Kind{graph.KindService, graph.KindNetwork, graph.KindVolume, graph.KindImage} {
		var words []string
		changes := of == graph.KindService
		for _, total := range totals {
			if total.Of == of {
				words = append(words, fmt.Sprintf("%d %s", total.Count, totalWords(total.Kind)))
				changes = changes || total.Kind != plan.Unchanged
			}
		}
		if changes && len(words) > 0 {
			parts = append(parts, totalName(of)+": "+strings.Join(words, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// totalName is what a total is about, in the plural.
func totalName(of graph.Kind) string {
	if of == graph.KindService {
		return "containers"
	}
	return string(of) + "s"
}

func totalWords(kind plan.Kind) string {
	switch kind {
	case plan.Unchanged:
		return string(kind)
	case plan.Maybe:
		return "to replace perhaps"
	case plan.Finish:
		return "to tidy up"
	}
	return "to " + string(kind)
}

// downWords are the services of which nothing runs for a while.
func downWords(outages []plan.Outage) []string {
	var words []string
	for _, outage := range outages {
		if !outage.Whole() || outage.Maybe {
			continue
		}
		word := harmless(outage.Service)
		if outage.AtLeast > 0 {
			word += " (" + lasting(outage.AtLeast) + " at least)"
		}
		words = append(words, word)
	}
	return words
}
