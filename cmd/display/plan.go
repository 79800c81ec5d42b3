package display

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/graph"
)

func lower(text string) string { return strings.ToLower(text) }

func joinReasons(reasons []plan.Reason) string {
	texts := make([]string, len(reasons))
	for i, reason := range reasons {
		texts[i] = withoutSecrets(reason).String()
	}
	return strings.Join(texts, "; ")
}

// Plan writes a plan for people on the output stream: what happens to each service, network and volume, and why. Values that look
// secret are left out.
func Plan(streams Streams, p *plan.Plan, colors bool) {
	s, w, width := style{colors}, streams.Out, 0
	if streams.OutTerminal {
		width = streams.width()
	}
	for _, warning := range p.Warnings {
		if !warning.InChanges {
			writeWarning(w, s, warning.Message)
		}
	}
	writeHeadline(w, p)
	if len(p.Changes) > 0 {
		_, _ = fmt.Fprintln(w)
		writeChanges(w, s, p, width)
	}
	for _, question := range p.Questions {
		_, _ = fmt.Fprintf(w, "\n%s %s\n", s.busy("?"), harmless(question.Text))
	}
	writeTotals(w, p, width)
}

func writeHeadline(w io.Writer, p *plan.Plan) {
	switch {
	case p.HasChanges():
		_, _ = fmt.Fprintf(w, "%s: %s\n", p.Project, p.Describe())
		return
	case p.Services == 0: // not a plan that is about all that the project is to have
		_, _ = fmt.Fprintf(w, "%s: nothing to do\n", p.Project)
		return
	}
	_, _ = fmt.Fprintf(w, "%s: up to date (%s, %s)\n", p.Project, count(p.Services, "service"), count(p.Containers, "container"))
}

// writeChanges writes what happens to whom, and last what stays. width is the terminal's; 0 where there is none.
func writeChanges(w io.Writer, s style, p *plan.Plan, width int) {
	names := 0
	for _, change := range p.Changes {
		if change.Ref.Kind != graph.KindImage { // they are long, and nothing follows below them
			names = max(names, runewidth.StringWidth(harmless(refWords(change.Ref))))
		}
	}
	const beforeNames = 4
	changes := grouped(p.Changes)
	for i, change := range changes {
		writeChange(w, s, change, names)
		writeReasons(w, change.Reasons, beforeNames+names, width)
		if i+1 == len(changes) || changes[i+1].Ref != change.Ref {
			writeOutages(w, s, p.Outages, outageOf{change.Ref, beforeNames + names, width})
		}
	}
	if names := unchanged(p); len(names) > 0 {
		_, _ = fmt.Fprintln(w, s.dim("= "+strings.Join(wrap(names, ", ", width-2), "\n  "))) //nolint:mnd // for the mark
	}
}

func writeChange(w io.Writer, s style, change plan.Change, names int) {
	mark, words := changeWords(change)
	head := mark + " " + pad(harmless(refWords(change.Ref)), names) + "  " + words
	switch note := ", " + harmless(change.Note); {
	case change.Note == "":
	case change.Kind == plan.Orphan:
		head += note
	default:
		head += s.dim(note)
	}
	switch change.Kind {
	case plan.Create, plan.Start, plan.RunAgain:
		head = s.good(mark) + strings.TrimPrefix(head, mark)
	case plan.Remove:
		head = s.bad(mark) + strings.TrimPrefix(head, mark)
	case plan.Orphan:
		head = s.dim(head)
	default:
		head = s.busy(mark) + strings.TrimPrefix(head, mark)
	}
	_, _ = fmt.Fprintln(w, head)
}

// refWords is a thing's name, with its kind where that is not a service.
func refWords(ref graph.Ref) string {
	if ref.Kind == graph.KindService {
		return ref.Name
	}
	return ref.String()
}

func changeWords(change plan.Change) (mark, words string) {
	replicas := ""
	if change.Ref.Kind == graph.KindService {
		replicas = " " + count(len(change.Objects), "replica")
	}
	switch change.Kind {
	case plan.Create:
		return "+", "create" + replicas
	case plan.Replace:
		return "~", "replace" + replicas
	case plan.Remove:
		return "-", "remove" + replicas
	case plan.Orphan:
		return "-", "orphan, left alone (--remove-orphans takes it)"
	case plan.Maybe:
		return "?", "replace" + replicas
	case plan.Pull, plan.Build, plan.Push, plan.Copy, plan.Commit, plan.Export:
		return "+", string(change.Kind)
	case plan.Restart:
		return "~", "restart" + replicas
	case plan.Provide:
		return ">", "ask its provider"
	case plan.Start, plan.RunAgain:
		return ">", string(change.Kind) + replicas
	case plan.Pause, plan.Unpause:
		return "~", string(change.Kind) + replicas
	case plan.Finish:
		return "~", "tidy up" + replicas
	}
	return "-", string(change.Kind) + replicas
}

// unchanged are the services, networks and volumes of which something stays, services first.
func unchanged(p *plan.Plan) []string {
	var services, others []string
	for _, kept := range p.Unchanged {
		names := &others
		if kept.Ref.Kind == graph.KindService {
			names = &services
		}
		if name := harmless(refWords(kept.Ref)); !slices.Contains(*names, name) {
			*names = append(*names, name)
		}
	}
	return append(services, others...)
}

func count(n int, one string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %ss", n, one)
}
