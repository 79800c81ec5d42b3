package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
)

// outages are a plan's in a line each.
func outages(made *plan.Plan) string {
	var text strings.Builder
	for _, o := range made.Outages {
		fmt.Fprintf(&text, "%s %d/%d %s", o.Service, o.AtOnce, o.Running, o.AtLeast)
		for _, part := range o.Parts {
			fmt.Fprintf(&text, " %s.%s=%s", part.Service, part.Attribute, part.Time)
		}
		fmt.Fprintf(&text, " stop %s", o.StopAtMost)
		if o.Healthy {
			text.WriteString(" healthy")
		}
		if o.Maybe {
			text.WriteString(" maybe")
		}
		for _, dependent := range o.Dependents {
			fmt.Fprintf(&text, " <%s:%s", dependent.Service, dependent.Kind)
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// A plan says what is down: only what runs, for the time that the file makes certain, along the longest way through the plan.
func TestOutages(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ before, after, want string }{
		"nothing certain": {
			`{web: {image: web}}`, `{web: {image: web, user: root}}`, "web 1/1 0s stop 10s\n",
		},
		"an interval": {
			`{web: {image: web, stop_grace_period: 1m}}`,
			`{web: {image: web, stop_grace_period: 1m, healthcheck: {test: [CMD, x], interval: 7s}}}`,
			"web 1/1 7s web.healthcheck.interval=7s stop 1m0s healthy\n",
		},
		"a start interval counts in a start period": {
			`{web: {image: web}}`,
			`{web: {image: web, healthcheck: {test: [CMD, x], interval: 7s, start_period: 30s, start_interval: 2s}}}`,
			"web 1/1 2s web.healthcheck.start_interval=2s stop 10s healthy\n",
		},
		"what an image may say is not certain": {
			`{web: {image: web}}`, `{web: {image: web, healthcheck: {test: [CMD, x], start_period: 30s}}}`, "web 1/1 0s stop 10s healthy\n",
		},
		"one replica at a time": {
			`{web: {image: web, scale: 3}}`, `{web: {image: web, scale: 3, user: root}}`, "web 1/3 0s stop 10s\n",
		},
		"who waits for it is down for its time, too": {
			`{db: {image: db, healthcheck: {test: [CMD, x], interval: 3s}},
			  web: {image: web, healthcheck: {test: [CMD, x], interval: 4s}, depends_on: {db: {condition: service_healthy, restart: true}}},
			  other: {image: other, depends_on: [db]}}`,
			`{db: {image: db, user: root, healthcheck: {test: [CMD, x], interval: 3s}},
			  web: {image: web, healthcheck: {test: [CMD, x], interval: 4s}, depends_on: {db: {condition: service_healthy, restart: true}}},
			  other: {image: other, depends_on: [db]}}`,
			"db 1/1 3s db.healthcheck.interval=3s stop 10s healthy <other: <web:restart\n" +
				"web 1/1 7s db.healthcheck.interval=3s web.healthcheck.interval=4s stop 10s healthy\n",
		},
		"what is created is not down": {
			`{db: {image: db}}`, `{db: {image: db}, web: {image: web}}`, "",
		},
		"what is scaled away is not told": {
			`{web: {image: web, scale: 2}}`, `{web: {image: web, scale: 1}}`, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			w.up(t, load(t, "services: "+test.before, ""), plan.Policy{})
			p := load(t, "services: "+test.after, "")
			w.withImages(p)
			if got := outages(reconcile(t, p, w.State, plan.Policy{})); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
			for i := range w.Containers {
				w.Containers[i].State = engine.StateExited
			}
			if got := outages(reconcile(t, p, w.State, plan.Policy{})); got != "" {
				t.Errorf("what stands still is down: %s", got)
			}
		})
	}
}
