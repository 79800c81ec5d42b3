package parity

import (
	"slices"
	"strings"
	"testing"

	"github.com/muster-dev/muster/project"
)

func TestEveryAttributeIsInTheCorpus(t *testing.T) {
	t.Parallel()
	rows, err := readRows()
	if err != nil {
		t.Fatal(err)
	}
	known := project.AttributePaths()
	for _, row := range rows.all {
		if !slices.Contains(known, row) {
			t.Errorf("attributes.txt: %s is no attribute of the specification", row)
		}
	}
	files, err := readCorpus()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, file := range files {
		for _, row := range file.Rows {
			used[row] = true
		}
	}
	for _, row := range rows.all {
		if !used[row] {
			t.Errorf("no file of the corpus uses %s", row)
		}
	}
}

func TestEveryFileSaysWhatItCovers(t *testing.T) {
	t.Parallel()
	files, err := readCorpus()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasPrefix(file.Text, "# ") {
			t.Errorf("%s.yaml does not begin with a comment", file.Name)
		}
		if file.Both && file.Refused == "" {
			t.Errorf("%s.yaml does not say why both tools refuse it", file.Name)
		}
		if len(file.Declined) > 0 && file.Refused != "" {
			t.Errorf("%s.yaml says that docker compose takes it, and that it does not", file.Name)
		}
	}
}

func TestIntendedIsAboutFilesThatAreThere(t *testing.T) {
	t.Parallel()
	list, err := readIntended()
	if err != nil {
		t.Fatal(err)
	}
	files, err := readCorpus()
	if err != nil {
		t.Fatal(err)
	}
	known, declines := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		known[file.Name] = true
		declines[file.Name] = len(file.Declined) > 0
	}
	for _, one := range list.Differences {
		for _, name := range one.Files {
			if !known[name] {
				t.Errorf("%s: there is no file %q", one.Path, name)
			}
		}
	}
	for _, one := range list.Recreated {
		if !known[one.File] {
			t.Errorf("what is made anew: there is no file %q", one.File)
		}
	}
	for _, one := range list.Declined {
		if !declines[one.File] {
			t.Errorf("what muster refuses: there is no file %q that says with which words", one.File)
		}
	}
}

func TestRowsOfAFile(t *testing.T) {
	t.Parallel()
	rows, err := readRows()
	if err != nil {
		t.Fatal(err)
	}
	file := corpusFile{Name: "x", Text: `
x-parity: {do: create}
x-common: &common {image: a}
services:
  services:
    <<: *common
    ports: ["80", {target: 1}]
    environment: {ports: "1"}
    ulimits: {nofile: {soft: 1}}
  web: *common
networks: {driver: {labels: {driver: x}}}
`}
	if err := file.parse(rows); err != nil {
		t.Fatal(err)
	}
	want := "networks networks.*.labels services services.*.environment services.*.image services.*.ports " +
		"services.*.ports[].target services.*.ulimits services.*.ulimits.*.soft"
	if got := strings.Join(file.Rows, " "); got != want {
		t.Errorf("rows\n%s\nwant\n%s", got, want)
	}
	if file.Do != "create" {
		t.Errorf("do: %q", file.Do)
	}
}
