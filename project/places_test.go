package project_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muster-dev/muster/project"
)

const placed = `name: shop
x-common: &common
  restart: always
services:
  base:
    image: base
    ports: ["1:1"]
  web:
    <<: *common
    extends: base
    environment:
      - LOG_LEVEL=info
    depends_on: [db]
    volumes:
      - data:/data
      - {type: bind, source: ., target: /src}
    secrets:
      - source: token
        mode: 0400
    networks:
      front: {aliases: [w]}
    extra_hosts: ["h=1.2.3.4"]
  my.app: {image: x}
  db: {image: postgres}
networks:
  front:
volumes:
  data:
secrets:
  token: {file: ./token}
`

func TestPlace(t *testing.T) {
	t.Parallel()
	dir := realDir(t)
	writeFile(t, filepath.Join(dir, "compose.yaml"), placed)
	writeFile(t, filepath.Join(dir, "compose.override.yaml"), "services:\n  web:\n    ports: ['2:2']\n    image: web\n")
	loaded, err := project.Load(t.Context(), project.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"services":                           "compose.override.yaml:1:1",
		"services.web":                       "compose.override.yaml:2:3",
		"services.web.image":                 "compose.override.yaml:4:5",
		"services.web.restart":               "compose.yaml:3:3",
		"services.web.environment.LOG_LEVEL": "compose.yaml:12:9",
		"services.web.environment[0]":        "compose.yaml:12:9",
		"services.web.environment.OTHER":     "compose.yaml:11:5",
		"services.web.depends_on.db":         "compose.yaml:13:18",
		"services.web.volumes./data":         "compose.yaml:15:9",
		"services.web.volumes./src":          "compose.yaml:16:9",
		"services.web.volumes[1].source":     "compose.yaml:16:22",
		"services.web.secrets.token":         "compose.yaml:18:9",
		"services.web.secrets.token.mode":    "compose.yaml:19:9",
		"services.web.networks.front":        "compose.yaml:21:7",
		"services.web.extra_hosts.h":         "compose.yaml:22:19",
		"services.web.ports[0]":              "compose.yaml:7:13",
		"services.web.ports[1]":              "compose.override.yaml:3:13",
		"services.my.app.image":              "compose.yaml:23:12",
		"networks.front":                     "compose.yaml:26:3",
		"networks.default":                   "compose.yaml:25:1",
		"nothing.of.it":                      "",
	} {
		if got := loaded.Place(path).String(); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestPlaceWithoutFiles(t *testing.T) {
	t.Parallel()
	if got := (&project.Project{Model: &project.Model{}}).Place("services.web"); got != (project.Position{}) {
		t.Errorf("got %v", got)
	}
}

func TestLoadErrorSource(t *testing.T) {
	t.Parallel()
	dir := realDir(t)
	text := "services:\n  web:\n    image: nginx\n    'prots': []\n"
	writeFile(t, filepath.Join(dir, "compose.yaml"), text)
	_, err := project.Load(t.Context(), project.Options{Dir: dir})
	var loading *project.LoadError
	if !errors.As(err, &loading) || len(loading.Problems) != 1 {
		t.Fatalf("got %v", err)
	}
	problem := loading.Problems[0]
	if string(loading.Source[problem.Position.File]) != text {
		t.Errorf("source: got %q", loading.Source)
	}
	if problem.Length != len("'prots'") || problem.Service() != "web" || problem.Hint != `did you mean "ports"?` {
		t.Errorf("got %+v", problem)
	}
}

func TestLoadErrorCounts(t *testing.T) {
	t.Parallel()
	dir := realDir(t)
	text := "services:\n  web:\n    image: nginx\n    links:\n"
	for i := range 300 {
		text += fmt.Sprintf("      - %d\n", i)
	}
	writeFile(t, filepath.Join(dir, "compose.yaml"), text)
	_, err := project.Load(t.Context(), project.Options{Dir: dir})
	var loading *project.LoadError
	if !errors.As(err, &loading) || len(loading.Problems) != 200 || loading.More != 100 || !strings.HasSuffix(err.Error(), "\n100 more problems") {
		t.Fatalf("got %.200v", err)
	}
}
