package display

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

func TestPlanText(t *testing.T) {
	t.Parallel()
	made := &plan.Plan{
		Project: "shop", Services: 4, Containers: 6,
		Changes: []plan.Change{
			{Kind: plan.Create, Ref: graph.Volume("data")},
			{
				Kind: plan.Replace, Ref: graph.Service("web"), Note: "one at a time", Objects: make([]step.Object, 2),
				Reasons: []plan.Reason{
					{Change: project.Change{Path: "environment.LOG_LEVEL", Old: "info", New: "debug", Sensitive: true}},
					{Change: project.Change{Path: "environment.TOKEN", Sensitive: true}},
					{Change: project.Change{Path: "image", Old: "3f2a1c000000", New: "9b77d0000000"}},
					{Change: project.Change{Path: "user", New: "root", Added: true}},
					{Change: project.Change{Path: "labels.x", Old: "a\x1b[2Jb", Removed: true}},
					{Change: project.Change{Path: "labels.api_token", Old: "hunter2", New: "hunter3"}},
					{Change: project.Change{Path: "build.args.NPM_TOKEN", New: "hunter2", Added: true}},
					{Change: project.Change{Path: "secrets.token.mode", Old: "0400", New: "0444"}},
					{Change: project.Change{Path: "command", Old: `["serve", "--token=hunter2", "--port=80"]`, New: `["serve", "--token=hunter3", "--port=8080"]`}},
					{Change: project.Change{Path: "healthcheck.test", Old: `["CMD", "ping", "redis://:hunter2@db"]`, New: `["CMD", "ping", "redis://:hunter3@db"]`}},
				},
			},
			{Kind: plan.Create, Ref: graph.Service("mailer"), Objects: make([]step.Object, 1)},
			{Kind: plan.RunAgain, Ref: graph.Service("migrate"), Objects: make([]step.Object, 1)},
			{Kind: plan.Maybe, Ref: graph.Service("fresh"), Objects: make([]step.Object, 1), Reasons: []plan.Reason{{Text: "replaced if the pull brings another image"}}},
			{Kind: plan.Orphan, Ref: graph.Service("cron"), Objects: make([]step.Object, 1), Note: "from compose.cron.yaml"},
		},
		Unchanged: []plan.Kept{
			{Ref: graph.Service("api"), Object: step.Object{Kind: step.Container, Name: "shop-api-1"}},
			{Ref: graph.Service("api"), Object: step.Object{Kind: step.Container, Name: "shop-api-2"}},
			{Ref: graph.Service("db"), Object: step.Object{Kind: step.Container, Name: "shop-db-1"}},
			{Ref: graph.Volume("a-volume-with-a-long-name"), Object: step.Object{Kind: step.Volume, Name: "shop_a"}},
			{Ref: graph.Network("default"), Object: step.Object{Kind: step.Network, Name: "shop_default"}},
		},
		Questions: []plan.Question{{Volume: "data", Text: "Recreate (data will be lost)?"}},
		Outages: []plan.Outage{
			{
				Service: "fresh", AtOnce: 1, Running: 1, StopAtMost: 90 * time.Second, Maybe: true,
				Dependents: []plan.Dependent{{Service: "api"}, {Service: "db", Kind: plan.Restart}, {Service: "web", Kind: plan.Replace}},
			},
			{Service: "web", AtOnce: 1, Running: 2, AtLeast: 2500 * time.Millisecond, Healthy: true, StopAtMost: 10 * time.Second},
		},
	}
	for name, colors := range map[string]bool{"plan": false, "plan-colours": true} {
		streams, text, _ := buffers(0, 0)
		Plan(streams, made, colors)
		golden(t, name, text.String())
	}
	for name, width := range map[string]int{"plan-80": 80, "plan-40": 40} {
		streams, text, _ := buffers(width, 24)
		Plan(streams, made, false)
		golden(t, name, text.String())
	}
	streams, text, _ := buffers(0, 0)
	Plan(streams, &plan.Plan{Project: "shop", Services: 5, Containers: 7}, false)
	if got, want := text.String(), "shop: up to date (5 services, 7 containers)\n"; got != want {
		t.Errorf("nothing to do: %q, want %q", got, want)
	}
}

func TestPlanJSON(t *testing.T) {
	t.Parallel()
	s := newStory()
	s.plan.Groups = []plan.Group{{Name: "web"}}
	s.plan.Nodes[5].Group, s.plan.Nodes[5].When = 1, step.ImageChanged{Reference: "web"}
	var text bytes.Buffer
	if err := PlanJSON(&text, s.plan, nil); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan-json", text.String())
}

func fleet() []engine.Container {
	labels := map[string]string{"b": "2", "a": "1"}
	return []engine.Container{
		{
			ID: "0123456789abcdef", Name: "shop-web-1", Service: "web", Number: 1, Project: "shop", Image: "nginx:1", Labels: labels,
			Command: "nginx -g 'daemon off;' --and more", Created: noon().Add(-3 * time.Minute),
			State: engine.StateRunning, Health: engine.HealthHealthy, Status: "Up 3 minutes (healthy)",
			Ports: []engine.PublishedPort{
				{HostIP: "0.0.0.0", HostPort: 8080, Port: 80, Protocol: "tcp"},
				{HostIP: "::", HostPort: 8080, Port: 80, Protocol: "tcp"},
				{Port: 443, Protocol: "tcp"},
			},
			Networks: []engine.Attachment{{Network: "shop_default"}},
			Mounts:   []engine.MountPoint{{Type: "volume", Name: "shop_data", Target: "/data"}, {Type: "bind", Source: "/etc/x", Target: "/x"}},
		},
		{
			Name: "shop-web-2", Service: "web", Number: 2, Image: "nginx:1", Command: "nginx", Created: noon().Add(-2 * time.Second),
			State: engine.StateRunning, Health: engine.HealthStarting, Status: "Up 2 seconds (health: starting)",
		},
		{Name: "shop-api-1", Service: "api", Number: 1, State: engine.StateRestarting, ExitCode: 137, Status: "Restarting (137) 5 seconds ago"},
		{Name: "shop-job-1", Service: "job", Number: 1, State: engine.StateExited, Status: "Exited (0) About a minute ago"},
		{Name: "shop-bad-1", Service: "bad", Number: 1, State: engine.StateExited, ExitCode: 3, Status: "Exited (3) 2 hours ago"},
		{Name: "shop-new-1", Service: "new", Number: 1, State: engine.StateCreated, Status: "Created"},
		{Name: "shop-x-run-1", Service: "x", OneOff: true, State: engine.StateRunning, Status: "Up Less than a second"},
	}
}

// unfinished is a project in the middle of a replacement, with what fills a volume and what runs a hook.
func unfinished() Listing {
	return Listing{
		Now: noon(),
		Containers: []engine.Container{
			{ID: "a1", Name: "0123456789ab_shop-web-1", Service: "web", Number: 1, State: engine.StateCreated, Status: "Created"},
			{ID: "b2", Name: "shop-api-1_retired_0123456789ab", Service: "api", Number: 1, State: engine.StateExited, ExitCode: 143, Status: "Exited (143) 5 seconds ago"},
			{ID: "c3", Name: "quiet_engine", Service: "db", OneOff: true, State: engine.StateCreated, Status: "Created"},
			{ID: "d4", Name: "shop-db-pre_start-0", Service: "db", Number: 1, State: engine.StateRunning, Status: "Up 2 seconds"},
			{ID: "e5", Name: "shop-web-1", Service: "web", Number: 1, State: engine.StateRunning, Status: "Up 3 minutes"},
		},
		Parts: map[string]plan.Part{"a1": plan.NewPart, "b2": plan.OldPart, "c3": plan.FilesPart, "d4": plan.HookPart},
	}
}

func TestContainerTables(t *testing.T) {
	t.Parallel()
	missing := []Missing{{"web", 3}, {"mailer", 1}}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"ps":                 func(w *bytes.Buffer) error { return Containers(w, fleet(), noon(), false) },
		"ps-whole":           func(w *bytes.Buffer) error { return Containers(w, fleet(), noon(), true) },
		"ps-narrow":          func(w *bytes.Buffer) error { return Replicas(w, Listing{Containers: fleet()}, missing, false) },
		"ps-colours":         func(w *bytes.Buffer) error { return Replicas(w, Listing{Containers: fleet()}, missing, true) },
		"ps-unfinished":      func(w *bytes.Buffer) error { return Replicas(w, unfinished(), nil, false) },
		"ps-unfinished-json": func(w *bytes.Buffer) error { return ContainersBy(w, Form{JSON: true}, unfinished()) },
		"ps-json": func(w *bytes.Buffer) error {
			return ContainersBy(w, Form{JSON: true}, Listing{Containers: fleet()[:1], Now: noon()})
		},
		"ps-json-whole": func(w *bytes.Buffer) error {
			return ContainersBy(w, Form{JSON: true}, Listing{Containers: fleet()[:1], Now: noon(), Whole: true})
		},
	} {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			t.Fatal(err)
		}
		golden(t, name, text.String())
	}
}

func TestPortsText(t *testing.T) {
	t.Parallel()
	port := func(host, target uint16) engine.PublishedPort {
		return engine.PublishedPort{HostIP: "0.0.0.0", HostPort: host, Port: target, Protocol: "tcp"}
	}
	for _, test := range []struct {
		ports []engine.PublishedPort
		want  string
	}{
		{nil, ""},
		{[]engine.PublishedPort{{Port: 80, Protocol: "tcp"}}, "80/tcp"},
		{[]engine.PublishedPort{{Port: 80, Protocol: "tcp"}, {Port: 81, Protocol: "tcp"}, {Port: 90, Protocol: "udp"}}, "80-81/tcp, 90/udp"},
		{[]engine.PublishedPort{port(8080, 80)}, "0.0.0.0:8080->80/tcp"},
		{[]engine.PublishedPort{port(8080, 80), port(8081, 81), port(9000, 82)}, "0.0.0.0:8080-8081->80-81/tcp, 0.0.0.0:9000->82/tcp"},
		{[]engine.PublishedPort{{HostIP: "::1", HostPort: 5353, Port: 53, Protocol: "udp"}}, "[::1]:5353->53/udp"},
	} {
		if got := PortsText(test.ports); got != test.want {
			t.Errorf("%v: %q, want %q", test.ports, got, test.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	Addresses(&text, append(fleet(), engine.Container{Service: "one-that-publishes-nothing"}))
	if got, want := text.String(), "web  http://localhost:8080\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestTemplateTitle begins words with capitals whatever letter they begin with.
func TestTemplateTitle(t *testing.T) {
	t.Parallel()
	form, err := ParseForm("{{title .Name}}")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, name := range []string{"ärger", "web", ""} {
		if err := writeForm(&out, form, headers{}, []struct{ Name string }{{name}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := out.String(); got != "Ärger\nWeb\n\n" {
		t.Errorf("%q", got)
	}
}
