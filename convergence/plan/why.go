package plan

import (
	"strings"

	"github.com/muster-dev/muster/project"
)

// why is what a new container is told of why it is made.
func (r *reconciler) why(s *servicePlan, one *replica) project.Why {
	if one.current == nil {
		text := "there was none"
		if len(r.existing[s.service.Name]) > 0 {
			text = "scaled to " + plural(len(s.replicas), "replica")
		}
		return project.Why{Kind: string(Create), Reasons: []project.WhyReason{{Text: text}}}
	}
	why := project.Why{Kind: string(Replace), Was: shortDigest(one.current.ID)}
	if one.maybe() {
		why.Reasons = []project.WhyReason{{Text: s.maybeReason}}
	}
	for _, reason := range one.reasons {
		why.Reasons = append(why.Reasons, forLabel(reason))
	}
	return why
}

// forLabel is a reason as a label may have it. Whatever may be secret is left out: more than where a person asked for the plan, because
// a label is there for everybody and for ever.
func forLabel(reason Reason) project.WhyReason {
	noted := project.WhyReason{
		Path: reason.Path, Old: reason.Old, New: reason.New, Added: reason.Added, Removed: reason.Removed, Text: reason.Text,
	}
	if reason.Text == "" && (reason.Hidden || !tellable(reason.Path, reason.Old) || !tellable(reason.Path, reason.New)) {
		noted.Old, noted.New, noted.Untold = "", "", true
	}
	if reason.Text == "" && reason.Old == "" && reason.New == "" && !reason.Added && !reason.Removed {
		noted.Untold = true
	}
	return noted
}

// tellable says whether a value may stand in a label: it is short, and neither its name nor any word in it speaks of a secret.
func tellable(path, value string) bool {
	const longest = 200
	switch {
	case path == "image":
		return true
	case len(value) > longest:
		return false
	}
	return !project.LooksSecret(path, value) && !project.LooksSecret(value, value)
}

// shown are reasons with the values that are otherwise left out, where the user asked for them. What was is known of containers that were
// looked at.
func (r *reconciler) shown(s *servicePlan, one *replica, reasons []Reason) []Reason {
	if !r.Policy.ShowSecrets || one.current == nil {
		return reasons
	}
	details, inspected := r.State.Details[one.current.ID]
	all := make([]Reason, len(reasons))
	for i, reason := range reasons {
		reason.Shown = true
		field, wanted := s.fields[reason.Path]
		variable, isVariable := strings.CutPrefix(reason.Path, "environment.")
		label, isLabel := strings.CutPrefix(reason.Path, "labels.")
		switch {
		case reason.Text != "":
		case isVariable:
			had, has := details.Environment[variable]
			reason.reveal(had, has || !inspected, field.Text(), wanted)
		case isLabel && reason.Hidden:
			had, has := one.current.Labels[label]
			reason.reveal(had, has, field.Text(), wanted)
		}
		all[i] = reason
	}
	return all
}

// reveal puts values into a reason.
func (r *Reason) reveal(old string, had bool, wanted string, wants bool) {
	r.Hidden, r.Sensitive = false, r.Sensitive && old == ""
	r.Old, r.New, r.Added, r.Removed = old, wanted, !had, !wants
}
