package plan_test

import (
	"strings"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

const withFiles = `
services:
  web: {image: web, network_mode: none, read_only: true, volumes: [/cache], secrets: [password], configs: [settings]}
  api: {image: api, network_mode: none, read_only: true, secrets: [password], configs: [settings]}
secrets: {password: {environment: PASSWORD}}
configs: {settings: {content: x}}
`

// ofFiles are the volumes of secrets and configs, and of how many others there are.
func (w *world) ofFiles() (files []string, others int) {
	for _, volume := range w.Volumes {
		if volume.Labels[project.LabelFiles] == "" {
			others++
			continue
		}
		files = append(files, volume.Name)
	}
	return files, others
}

// The volumes of secrets and configs go with the containers, also where data stays; so does what a run left that was cut short.
func TestFilesGoWithTheirContainers(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(plan.State) *plan.Plan{
		"down": func(state plan.State) *plan.Plan {
			return plan.Teardown(plan.TeardownInput{Name: "p", State: state})
		},
		"down with volumes": func(state plan.State) *plan.Plan {
			return plan.Teardown(plan.TeardownInput{Name: "p", State: state, RemoveVolumes: true})
		},
		"rm": func(state plan.State) *plan.Plan {
			return plan.RemoveContainers(plan.RemoveInput{Name: "p", State: state, Stop: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			w.up(t, load(t, withFiles, ""), plan.Policy{})
			w.edit(t, "volume p-api-9_files files\np-web-1 copy p-web-1_files\np-web-1_files label dev.muster.files p\n"+
				"p-web-1_files label com.docker.compose.oneoff True\np-web-1_files state created\n")
			if files, others := w.ofFiles(); len(files) != 5 || others != 1 {
				t.Fatalf("volumes of files %v, %d others", files, others)
			}
			w.apply(t, end(w.State))
			if files, others := w.ofFiles(); len(files) > 0 || others != 1 && name != "down with volumes" {
				t.Errorf("left: volumes of files %v, %d others", files, others)
			}
			if len(w.Containers) > 0 {
				t.Errorf("left: %v", w.Containers)
			}
		})
	}
}

func TestDownOfAServiceLeavesTheFilesOfOthers(t *testing.T) {
	t.Parallel()
	w := &world{}
	w.up(t, load(t, withFiles, ""), plan.Policy{})
	w.apply(t, plan.Teardown(plan.TeardownInput{Name: "p", State: w.State, Services: []string{"web"}}))
	files, _ := w.ofFiles()
	if len(files) != 2 || !strings.Contains(strings.Join(files, " "), "p-api-1_files") {
		t.Errorf("left: %v", files)
	}
}

// What the engine is is asked for only where a part of a volume has to be mounted.
func TestFilesRarelyAskOfTheEngine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"secrets: [password]":                                                    false,
		"configs: [settings]":                                                    false,
		"read_only: true, secrets: [password]":                                   false,
		"read_only: true, configs: [settings]":                                   true,
		"tmpfs: [/run], secrets: [password]":                                     false,
		"tmpfs: [/run/secrets], secrets: [password]":                             true,
		"volumes: [/run/secrets/password], secrets: [password]":                  false,
		"volumes: [/etc], configs: [{source: settings, target: /etc/settings}]":  true,
		"volumes: [/etc], configs: [{source: settings, target: /etcetera/more}]": false,
	} {
		p := load(t, strings.Replace(withFiles, "{image: api, network_mode: none, read_only: true, secrets: [password], configs: [settings]}",
			"{image: api, "+text+"}", 1), "api")
		if got := plan.AsksOfEngine(p); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// What was created without its contents being known cannot be planned.
func TestContentsMustHaveBeenRead(t *testing.T) {
	t.Parallel()
	p, err := project.Load(t.Context(), project.Options{
		Files: []string{"-"}, Stdin: strings.NewReader(withFiles), Dir: t.TempDir(), Name: "p", Env: []string{"PASSWORD=hunter2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := outcome(t, p, plan.State{Images: map[string]engine.Image{"web": {}, "api": {}}}, plan.Policy{})
	if !strings.Contains(got, `the content of secret "password" was not read`) {
		t.Errorf("got %s", got)
	}
}
