package project_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/muster-dev/muster/project"
)

const hooksFile = `
services:
  web:
    image: i
    post_start:
      - {command: warm up, user: u, working_dir: /w, privileged: true}
      - {command: [tell], environment: {TOKEN: secret, FROM_OUTSIDE: , NOBODY: }}
    pre_stop: [{command: drain}]
`

func loadHooks(t *testing.T, content string) project.Hooks {
	t.Helper()
	p, err := project.Load(t.Context(), project.Options{
		Files: []string{"-"}, Stdin: strings.NewReader(content), Dir: t.TempDir(), Name: "p", Env: []string{"FROM_OUTSIDE=here"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return project.ServiceHooks(p, p.Services["web"])
}

func TestServiceHooks(t *testing.T) {
	t.Parallel()
	got := loadHooks(t, hooksFile)
	want := project.Hooks{
		PostStart: []project.Hook{
			{Command: []string{"warm", "up"}, User: "u", WorkingDir: "/w", Privileged: true, Environment: map[string]string{}},
			{Command: []string{"tell"}, Environment: map[string]string{"TOKEN": "secret", "FROM_OUTSIDE": "here"}},
		},
		PreStop: []project.Hook{{Command: []string{"drain"}, Environment: map[string]string{}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.Empty() || !(project.Hooks{}).Empty() {
		t.Error("what is empty is wrong")
	}
}

// TestHooksLabel finds hooks again in a label, but for the values of their variables.
func TestHooksLabel(t *testing.T) {
	t.Parallel()
	label := loadHooks(t, hooksFile).Label()
	if strings.Contains(label, "secret") || strings.Contains(label, "here") {
		t.Errorf("label: %s", label)
	}
	got, err := project.ParseHooksLabel(label)
	want := project.Hooks{
		PostStart: []project.Hook{
			{Command: []string{"warm", "up"}, User: "u", WorkingDir: "/w", Privileged: true},
			{Command: []string{"tell"}, Unknown: []string{"FROM_OUTSIDE", "TOKEN"}},
		},
		PreStop: []project.Hook{{Command: []string{"drain"}}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"{", "[]", `{"pre_stop":[{}]}`} {
		if _, err := project.ParseHooksLabel(bad); err == nil {
			t.Errorf("label %q is taken", bad)
		}
	}
}
