package plan_test

import (
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

const (
	firstID  = "0123456789abcdef"
	secondID = "fedcba9876543210"
)

// replicaNamed is a container of web's first replica, of the second up if it says what it replaces.
func replicaNamed(name, id string, state engine.State, replaces string) engine.Container {
	labels := map[string]string{project.LabelConfigHash: "x", project.LabelDeploy: "1"}
	if replaces != "" {
		labels[project.LabelReplace], labels[project.LabelDeploy] = replaces, "2"
	}
	return engine.Container{ID: id, Name: name, Project: "shop", Service: "web", Number: 1, State: state, Labels: labels}
}

// What is half made is told from what is as it should be, wherever a replacement was cut short.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	old := func(name string, state engine.State) engine.Container { return replicaNamed(name, firstID, state, "") }
	fresh := func(name string, state engine.State) engine.Container {
		return replicaNamed(name, secondID, state, "web-1")
	}
	temporary, retired := project.ReplacementName(firstID, "shop-web-1"), project.RetiredName(firstID, "shop-web-1")
	helper := engine.Container{ID: "a", Name: "helper", OneOff: true, Labels: map[string]string{project.LabelFiles: "shop"}}
	hook := engine.Container{ID: "b", Name: "shop-web.pre_start.1", Hook: project.HookPreStart, State: engine.StateRunning}
	ended := engine.Container{ID: "c", Name: "shop-web.pre_start.2", Hook: project.HookPreStart, State: engine.StateExited}
	foreign := engine.Container{ID: "d", Name: "shop-web-1-copy", Service: "web", Number: 1}
	oneOff := engine.Container{ID: "e", Name: "shop-web-run-1", Service: "web", OneOff: true, Labels: map[string]string{project.LabelConfigHash: "x"}}
	for name, test := range map[string]struct {
		containers []engine.Container
		want       string
	}{
		"nothing":      {[]engine.Container{old("shop-web-1", engine.StateRunning), foreign, oneOff, ended}, ""},
		"created":      {[]engine.Container{old("shop-web-1", engine.StateRunning), fresh(temporary, engine.StateCreated)}, temporary + " new"},
		"stopped":      {[]engine.Container{old("shop-web-1", engine.StateExited), fresh(temporary, engine.StateCreated)}, temporary + " new"},
		"retired":      {[]engine.Container{old(retired, engine.StateExited), fresh(temporary, engine.StateCreated)}, temporary + " new, " + retired + " old"},
		"named":        {[]engine.Container{old(retired, engine.StateExited), fresh("shop-web-1", engine.StateCreated)}, "shop-web-1 new, " + retired + " old"},
		"started":      {[]engine.Container{old(retired, engine.StateExited), fresh("shop-web-1", engine.StateRunning)}, retired + " old"},
		"only retired": {[]engine.Container{old(retired, engine.StateExited)}, retired + " old"},
		"only new":     {[]engine.Container{fresh(temporary, engine.StateCreated)}, temporary + " new"},
		"helpers":      {[]engine.Container{helper, hook}, "helper files, shop-web.pre_start.1 hook"},
	} {
		var got []string
		for _, left := range plan.Leftovers(test.containers) {
			got = append(got, left.Container.Name+" "+string(left.Part))
		}
		if text := strings.Join(got, ", "); text != test.want {
			t.Errorf("%s: %s\nwant %s", name, text, test.want)
		}
	}
}
