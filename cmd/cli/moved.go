package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/plan"
)

// movedError says that a plan is not what would be done now.
type movedError struct {
	file  string // empty for a plan that a person was shown
	moved []string
}

func (e *movedError) Error() string {
	const most = 8
	text := "the plan that was shown is not what would be done now: nothing was touched"
	if e.file != "" {
		text = fmt.Sprintf("the plan in %q is not what would be done now: nothing was touched", e.file)
	}
	for i, line := range e.moved {
		if i == most {
			text += fmt.Sprintf("\n... and %d more", len(e.moved)-most)
			break
		}
		text += "\n" + line
	}
	return text
}

// Hint is what to try next.
func (e *movedError) Hint() string {
	if e.file == "" {
		return "run this again, and look at the plan as it is now"
	}
	return "see what would be done now, and save that: muster plan --out " + quoted(e.file)
}

// check says whether a plan is the one that was saved: the same steps, from the same wishes and the same observations.
func (s *savedPlan) check(made *plan.Plan) error {
	if made.Project != s.Project {
		return &movedError{s.file, []string{fmt.Sprintf("it is for project %q, and this is %q", s.Project, made.Project)}}
	}
	now, err := newBasis(made, savedCall{}, s.Saved.Salt)
	if err != nil {
		return err
	}
	differences := moved("the project", s.Saved.Project, now.Project, movedFields)
	differences = append(differences, moved("the engine", s.Saved.Engine, now.Engine, movedFacts)...)
	if len(differences) == 0 {
		again, err := savePlan(made, savedCall{})
		if err != nil {
			return err
		}
		differences = movedSteps(s.effects(), again.effects())
	}
	if len(differences) > 0 {
		return &movedError{s.file, differences}
	}
	return nil
}

// moved tells how what a whole has, "the project", differs from what it had. differs tells of one thing that was there and is.
func moved(whole string, was, is map[string]map[string]string, differs func(thing string, before, after map[string]string) []string) (all []string) {
	for _, thing := range eitherKey(was, is) {
		before, had := was[thing]
		after, has := is[thing]
		switch {
		case !had:
			all = append(all, whole+" has "+thing+" now")
		case !has:
			all = append(all, whole+" has no "+thing+" any more")
		default:
			all = append(all, differs(thing, before, after)...)
		}
	}
	return all
}

// movedFields are what the project says otherwise of a thing, by digests.
func movedFields(thing string, before, after map[string]string) (fields []string) {
	for _, path := range eitherKey(before, after) {
		if before[path] != after[path] {
			fields = append(fields, "the project changed: "+thing+": "+path)
		}
	}
	return fields
}

// movedFacts are what the engine has otherwise of a thing.
func movedFacts(thing string, before, after map[string]string) (facts []string) {
	if before["id"] != after["id"] {
		return []string{fmt.Sprintf("the engine has another %s: %s -> %s", thing, shortID(before["id"]), shortID(after["id"]))}
	}
	for _, fact := range eitherKey(before, after) {
		if before[fact] != after[fact] {
			facts = append(facts, fmt.Sprintf("%s: %s %s -> %s", thing, fact, orNone(before[fact]), orNone(after[fact])))
		}
	}
	return facts
}

func orNone(value string) string { return cmp.Or(value, "none") }

func shortID(id string) string {
	const length = 12
	_, hex, found := strings.Cut(id, ":")
	if !found {
		hex = id
	}
	return hex[:min(len(hex), length)]
}

func eitherKey[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// effects are the steps that change something, each with those effects that it comes after. A wait changes nothing: whether one is needed
// depends on how healthy something is at the moment. What comes after a wait comes after what that waits for.
func (s *savedPlan) effects() []string {
	byID := map[int]savedStep{}
	for _, one := range s.Steps {
		byID[one.ID] = one
	}
	var before func(one savedStep, seen map[int]bool) []string
	before = func(one savedStep, seen map[int]bool) (texts []string) {
		for _, id := range one.After {
			earlier, known := byID[id]
			switch {
			case seen[id] || !known:
			case earlier.Action == "wait":
				seen[id] = true
				texts = append(texts, before(earlier, seen)...)
			default:
				seen[id] = true
				texts = append(texts, earlier.Text)
			}
		}
		return texts
	}
	var effects []string
	for _, one := range s.Steps {
		if one.Action == "wait" {
			continue
		}
		after := before(one, map[int]bool{})
		slices.Sort(after)
		text := one.Text
		if one.When != "" {
			text += " if " + one.When
		}
		effects = append(effects, text+"\x00"+strings.Join(slices.Compact(after), "\x00"))
	}
	slices.Sort(effects)
	return effects
}

// movedSteps tells what would be done beside what was saved, and what would not.
func movedSteps(was, is []string) (moved []string) {
	told := func(mark string, effects, others []string) {
		for _, effect := range effects {
			if _, same := slices.BinarySearch(others, effect); !same {
				text, _, _ := strings.Cut(effect, "\x00")
				moved = append(moved, mark+text)
			}
		}
	}
	told("no step any more, or in another order: ", was, is)
	told("a step now, or in another order: ", is, was)
	slices.Sort(moved)
	return slices.Compact(moved)
}
