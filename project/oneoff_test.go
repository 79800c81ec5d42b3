package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muster-dev/muster/project"
)

const oneOffFile = `
services:
  web:
    image: web
    entrypoint: [serve]
    command: [all]
    restart: always
    deploy: {replicas: 3, restart_policy: {condition: any}}
    environment: {A: file, B: file}
    ports: ["8080:80"]
    volumes: ["data:/data", "./here:/here"]
    cap_add: [NET_ADMIN]
    cap_drop: [KILL]
volumes: {data: {}}
`

func loadOneOff(t *testing.T) *project.Project {
	t.Helper()
	p, err := project.Load(t.Context(), project.Options{Files: []string{"-"}, Stdin: strings.NewReader(oneOffFile), Dir: t.TempDir(), Name: "p"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOneOff(t *testing.T) {
	t.Parallel()
	p, folder, nothing := loadOneOff(t), t.TempDir(), ""
	if err := os.WriteFile(filepath.Join(folder, "more.env"), []byte("B=env\nC=${OWN}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed, err := p.WithOneOff("web", project.OneOff{
		Entrypoint: &nothing, Dir: folder, Env: []string{"OWN=own"}, EnvFiles: []string{"more.env"},
		Variables: []string{"A=line", "OWN", "ABSENT"}, Labels: []string{"own=yes"}, Volumes: []string{"./there:/here", "cache:/cache"},
		Ports: []string{"9090:90"}, CapAdd: []string{"KILL"}, CapDrop: []string{"NET_ADMIN"}, Tty: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	web := changed.Services["web"]
	var variables []string
	for _, name := range []string{"A", "B", "C", "OWN", "ABSENT"} {
		if value := web.Environment[name]; value != nil {
			variables = append(variables, name+"="+*value)
		}
	}
	var mounts []string
	for _, mount := range web.Volumes {
		mounts = append(mounts, mount.Source+":"+mount.Target)
	}
	for what, c := range map[string]struct{ got, want string }{
		"variables":  {strings.Join(variables, " "), "A=line B=env C=own OWN=own"},
		"mounts":     {strings.Join(mounts, " "), filepath.Join(folder, "there") + ":/here cache:/cache data:/data"},
		"ports":      {web.Ports[0].Published, "9090"},
		"capability": {strings.Join(web.CapAdd, " ") + "-" + strings.Join(web.CapDrop, " "), "KILL-NET_ADMIN"},
		"label":      {web.Labels["own"], "yes"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", what, c.got, c.want)
		}
	}
	if len(web.Entrypoint)+len(web.Command) > 0 || web.Entrypoint == nil || len(web.Ports) != 1 {
		t.Errorf("got program %q %q and %d ports", web.Entrypoint, web.Command, len(web.Ports))
	}
	if project.Restarts(web) || web.GetScale() != 1 || !web.Tty || web.StdinOpen {
		t.Errorf("got %+v", web)
	}
	if volume := changed.Volumes["cache"]; !bool(volume.External) || volume.Name != "cache" {
		t.Errorf("got volume %+v", volume)
	}
	before := p.Services["web"]
	if _, added := p.Volumes["cache"]; added || len(before.Volumes) != 2 || *before.Environment["A"] != "file" || !project.Restarts(before) {
		t.Errorf("the project has changed: %+v", before)
	}
}

func TestOneOffRefused(t *testing.T) {
	t.Parallel()
	p, open := loadOneOff(t), `run "it`
	for want, one := range map[string]project.OneOff{
		`invalid --entrypoint`:             {Entrypoint: &open},
		`invalid --publish "x"`:            {Ports: []string{"x"}},
		`invalid --volume ""`:              {Volumes: []string{""}},
		`invalid environment variable: =x`: {Variables: []string{"=x"}},
		`label must be set as KEY=VALUE`:   {Labels: []string{"=x"}},
		`couldn't find env file`:           {EnvFiles: []string{"/nowhere.env"}},
	} {
		if _, err := p.WithOneOff("web", one); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := p.WithOneOff("wep", project.OneOff{}); err == nil || !strings.Contains(err.Error(), "no such service: wep") {
		t.Errorf("got %v", err)
	}
}
