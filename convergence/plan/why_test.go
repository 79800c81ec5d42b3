package plan_test

import (
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// whyOf is the label of the container that a plan creates for a service.
func whyOf(t *testing.T, made *plan.Plan, service string) (project.Why, string) {
	t.Helper()
	for _, node := range made.Nodes {
		if create, ok := node.Step.(step.CreateContainer); ok && create.Service == service {
			label := create.Request.Labels[project.LabelWhy]
			why, err := project.ParseWhyLabel(label)
			if err != nil {
				t.Fatal(err)
			}
			return why, label
		}
	}
	t.Fatalf("nothing is created for %s", service)
	return project.Why{}, ""
}

// The label says field by field why a container was made, and has no value that is secret by its name, its look, or its origin: not even
// where the user asked to see them.
func TestWhyLabelHasNoSecrets(t *testing.T) {
	t.Parallel()
	const file = `services: {web: {image: web, user: "%1", environment: {LEVEL: "%1", DB_PASSWORD: "hunter%1", URL: "redis://:hunter%1@db"},
  labels: {note: "the token is hunter%1"}, command: [serve, "--secret=hunter%1"]}}`
	w := &world{}
	p := load(t, strings.ReplaceAll(file, "%1", "1"), "")
	w.withImages(p)
	why, _ := whyOf(t, reconcile(t, p, w.State, plan.Policy{}), "web")
	if why.Kind != "create" || why.Reasons[0].Text != "there was none" {
		t.Errorf("%+v", why)
	}
	w.up(t, p, plan.Policy{})
	p = load(t, strings.ReplaceAll(file, "%1", "2"), "")
	for _, policy := range []plan.Policy{{}, {ShowSecrets: true}} {
		why, label := whyOf(t, reconcile(t, p, w.State, policy), "web")
		if strings.Contains(label, "hunter") {
			t.Errorf("a secret is in the label: %s", label)
		}
		found := map[string]project.WhyReason{}
		for _, reason := range why.Reasons {
			found[reason.Path] = reason
		}
		const fields = 6
		if why.Kind != "replace" || why.Was == "" || len(found) != fields || found["user"].Old != "1" || found["user"].New != "2" ||
			!found["command"].Untold || !found["environment.DB_PASSWORD"].Untold || !found["labels.note"].Untold {
			t.Errorf("%+v", why)
		}
	}
}

// A label is bounded, however much has changed.
func TestWhyLabelIsBounded(t *testing.T) {
	t.Parallel()
	why := project.Why{Kind: "replace"}
	for range 1000 {
		why.Reasons = append(why.Reasons, project.WhyReason{Path: "environment.A", Old: strings.Repeat("x", 100), New: "y"})
	}
	label := why.Label()
	again, err := project.ParseWhyLabel(label)
	if err != nil || len(label) > 4<<10 || len(again.Reasons)+again.More != 1000 || len(again.Reasons) == 0 {
		t.Errorf("%d bytes, %d reasons and %d more: %v", len(label), len(again.Reasons), again.More, err)
	}
	for _, bad := range []string{"", "{", `{"v":2}`, strings.Repeat(" ", 1<<20) + `{"v":1}`} {
		if _, err := project.ParseWhyLabel(bad); err == nil {
			t.Errorf("%.20q is taken", bad)
		}
	}
}
