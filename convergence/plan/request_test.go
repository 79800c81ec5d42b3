package plan_test

import (
	"slices"
	"testing"

	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
)

// Containers are linked under the names that docker compose gives them.
func TestLinks(t *testing.T) {
	t.Parallel()
	p := load(t, `
services:
  db: {image: db, scale: 2}
  web: {image: web, links: [db, "db:database"], external_links: [other, "other:o"]}
`, "")
	w := &world{}
	w.withImages(p)
	want := []string{
		"p-db-1:db", "p-db-1:db-1", "p-db-1:p-db-1", "p-db-2:db", "p-db-2:db-2", "p-db-2:p-db-2",
		"p-db-1:database", "p-db-1:db-1", "p-db-1:p-db-1", "p-db-2:database", "p-db-2:db-2", "p-db-2:p-db-2",
		"other:other", "other:o",
	}
	for _, node := range reconcile(t, p, w.State, plan.Policy{}).Nodes {
		create, ok := node.Step.(step.CreateContainer)
		if ok && create.Service == "web" && !slices.Equal(create.Request.Links, want) {
			t.Errorf("links %v", create.Request.Links)
		}
	}
}
