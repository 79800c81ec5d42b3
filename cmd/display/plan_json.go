package display

import (
	"encoding/json"
	"io"

	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

// PlanSchema names the form of a plan in JSON, as [Schema] has it. Its number grows when a key changes its meaning or goes.
const PlanSchema = "muster.plan/1"

type jsonPlan struct {
	Schema       string           `json:"schema"`
	Project      string           `json:"project"`
	Changed      bool             `json:"changed"`
	Totals       jsonTotals       `json:"totals"`
	Changes      []jsonChange     `json:"changes"`
	Unchanged    []string         `json:"unchanged"`
	Downtime     []jsonOutage     `json:"downtime"`
	Steps        []jsonStep       `json:"steps"`
	Warnings     []string         `json:"warnings"`
	Questions    []string         `json:"questions"`
	Fingerprints jsonFingerprints `json:"fingerprints"`
	Saved        any              `json:"saved,omitempty"`
}

// jsonTotals are counts by what they are about, "containers", and by kind of change.
type jsonTotals map[string]map[string]int

type jsonChange struct {
	Kind    string       `json:"kind"`
	Thing   string       `json:"thing"` // service, network, volume, image
	Name    string       `json:"name"`
	Counts  bool         `json:"counts"`
	Objects []string     `json:"objects"`
	Reasons []jsonReason `json:"reasons,omitempty"`
	Note    string       `json:"note,omitempty"`
}

type jsonReason struct {
	Path     string `json:"path,omitempty"`
	Old      string `json:"old,omitempty"`
	New      string `json:"new,omitempty"`
	Added    bool   `json:"added,omitempty"`
	Removed  bool   `json:"removed,omitempty"`
	Redacted bool   `json:"redacted,omitempty"` // there are values, and they are not told, or only in part
	Text     string `json:"text"`
}

type jsonStep struct {
	ID      int    `json:"id"`
	Order   int    `json:"order"` // in which the steps can run one by one, from 1
	Action  string `json:"action"`
	Object  string `json:"object,omitempty"`
	Ref     string `json:"ref,omitempty"`
	Text    string `json:"text"`
	After   []int  `json:"after,omitempty"`
	Group   int    `json:"group,omitempty"`
	When    string `json:"when,omitempty"`
	Assumes string `json:"assumes,omitempty"` // the ID of the container that it counts on
}

type jsonOutage struct {
	Service    string           `json:"service"`
	Whole      bool             `json:"whole"`
	AtOnce     int              `json:"replicas_at_once"`
	Running    int              `json:"replicas_running"`
	Until      string           `json:"until"` // healthy, started
	AtLeast    int64            `json:"at_least_ms"`
	MadeOf     []jsonOutagePart `json:"made_of"`
	StopAtMost int64            `json:"stop_at_most_ms"`
	Maybe      bool             `json:"maybe,omitempty"`
	Dependents []jsonDependent  `json:"dependents"`
	NotCounted []string         `json:"not_counted"`
}

type jsonOutagePart struct {
	Service   string `json:"service"`
	Attribute string `json:"attribute"`
	Time      int64  `json:"ms"`
}

type jsonDependent struct {
	Service   string `json:"service"`
	Meanwhile string `json:"meanwhile"` // runs without it, replaced, restarted
}

type jsonFingerprints struct {
	Project string `json:"project"`
	Engine  string `json:"engine"`
}

// PlanJSON writes a plan for machines: one object, indented, as the schema of that name has it. saved is what a file of a plan has beside,
// nil where it is none.
func PlanJSON(w io.Writer, p *plan.Plan, saved any) error {
	basis, err := p.Basis()
	if err != nil {
		return err
	}
	document := jsonPlan{
		Schema: PlanSchema, Project: p.Project, Changed: p.HasChanges(), Totals: toJSONTotals(p.Totals()),
		Changes: []jsonChange{}, Unchanged: []string{}, Downtime: []jsonOutage{}, Warnings: []string{}, Questions: []string{},
		Fingerprints: jsonFingerprints{Project: project.Digest(basis.Project), Engine: project.Digest(basis.Engine)}, Saved: saved,
	}
	if document.Steps, err = toJSONSteps(p); err != nil {
		return err
	}
	for _, change := range grouped(p.Changes) {
		document.Changes = append(document.Changes, toJSONChange(change))
	}
	for _, kept := range p.Unchanged {
		document.Unchanged = append(document.Unchanged, kept.Object.String())
	}
	for _, outage := range p.Outages {
		document.Downtime = append(document.Downtime, toJSONOutage(outage))
	}
	for _, warning := range p.Warnings {
		document.Warnings = append(document.Warnings, warning.Message)
	}
	for _, question := range p.Questions {
		document.Questions = append(document.Questions, question.Text)
	}
	return writeIndented(w, document)
}

func toJSONTotals(totals []plan.Total) jsonTotals {
	converted := jsonTotals{}
	for _, total := range totals {
		name := totalName(total.Of)
		if converted[name] == nil {
			converted[name] = map[string]int{}
		}
		converted[name][string(total.Kind)] = total.Count
	}
	return converted
}

// writeIndented writes a document for machines that people may read, too.
func writeIndented(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}

func toJSONChange(change plan.Change) jsonChange {
	converted := jsonChange{
		Kind: string(change.Kind), Thing: string(change.Ref.Kind), Name: change.Ref.Name,
		Counts: change.Counts(), Objects: []string{}, Note: change.Note,
	}
	for _, object := range change.Objects {
		converted.Objects = append(converted.Objects, object.Name)
	}
	for _, reason := range change.Reasons {
		converted.Reasons = append(converted.Reasons, toJSONReason(reason))
	}
	return converted
}

func toJSONReason(reason plan.Reason) jsonReason {
	told := withoutSecrets(reason)
	untold := told.Hidden || told.Sensitive && told.Old == "" && !told.Added && told.New == ""
	return jsonReason{
		Path: told.Path, Old: told.Old, New: told.New, Added: told.Added, Removed: told.Removed,
		Redacted: told.Text == "" && (untold || told.Old != reason.Old || told.New != reason.New), Text: told.String(),
	}
}

func toJSONSteps(p *plan.Plan) ([]jsonStep, error) {
	order, err := p.Order.Order()
	if err != nil {
		return nil, err
	}
	places := make(map[plan.NodeID]int, len(order))
	for i, id := range order {
		places[id] = i + 1
	}
	steps := []jsonStep{}
	for _, node := range p.Nodes {
		converted := jsonStep{
			ID: int(node.ID), Order: places[node.ID], Action: node.Step.Action(), Text: node.Step.String(), Group: node.Group,
			Assumes: node.Assumes(),
		}
		if node.Step.Object().Name != "" {
			converted.Object, converted.Ref = node.Step.Object().String(), node.Step.Ref().String()
		}
		for _, after := range p.Order.Deps(node.ID) {
			converted.After = append(converted.After, int(after))
		}
		if node.When != nil {
			converted.When = node.When.String()
		}
		steps = append(steps, converted)
	}
	return steps, nil
}

func toJSONOutage(outage plan.Outage) jsonOutage {
	converted := jsonOutage{
		Service: outage.Service, Whole: outage.Whole(), AtOnce: outage.AtOnce, Running: outage.Running, Until: "started",
		AtLeast: outage.AtLeast.Milliseconds(), MadeOf: []jsonOutagePart{}, StopAtMost: outage.StopAtMost.Milliseconds(),
		Maybe: outage.Maybe, Dependents: []jsonDependent{},
		NotCounted: []string{"stop", "start"},
	}
	if outage.Healthy {
		converted.Until = "healthy"
		converted.NotCounted = append(converted.NotCounted, "health checks that fail")
	}
	for _, part := range outage.Parts {
		converted.MadeOf = append(converted.MadeOf, jsonOutagePart{part.Service, part.Attribute, part.Time.Milliseconds()})
	}
	for _, dependent := range outage.Dependents {
		meanwhile := map[plan.Kind]string{plan.Replace: "replaced", plan.Restart: "restarted"}[dependent.Kind]
		if meanwhile == "" {
			meanwhile = "runs without it"
		}
		converted.Dependents = append(converted.Dependents, jsonDependent{dependent.Service, meanwhile})
	}
	return converted
}
