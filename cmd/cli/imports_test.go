package cli_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// module is the prefix of our own packages.
const module = "github.com/muster-dev/muster/"

// rules say which of our own packages a package may import, and why. The longest prefix of a package's path counts.
func rules() []struct{ who, may, why string } {
	return []struct{ who, may, why string }{
		{"project", "", "what the user wants depends on nobody"},
		{"graph/dag", "", "the walk knows nothing of what it walks"},
		{"graph", "project graph/dag", "the graph is made of a project"},
		{"logs", "convergence/engine", "logs read what the adapter filled in, and know nothing of plans"},
		{"logs/record", "", "a line's level is found in its bytes, whoever wrote it"},
		{"logs/form", "convergence/engine logs logs/record", "filters and forms lie between the lines and the writer, and follow nothing"},
		{"logs/kept", "convergence/engine logs", "what is kept is lines in files, whoever removes their container"},
		{"convergence/engine", "project", "the boundary speaks plain values; a create request names a service"},
		{"convergence/engine/docker", "convergence/engine convergence/engine/docker project", "the adapter translates and decides nothing"},
		{"convergence/engine/enginetest", "convergence/engine convergence/engine/docker project", "the contract is written against the boundary"},
		{"convergence/provider", "", "a program is run by plain values, and knows no engine"},
		{"convergence/transfer", "convergence/engine", "files are copied by the boundary's archives"},
		{
			"convergence/step", "convergence/engine convergence/provider convergence/transfer graph project",
			"a step has an effect on an engine and knows no plan",
		},
		{"convergence/build", "convergence/engine project", "a build request is made of a project"},
		{
			"convergence/plan",
			"convergence/step convergence/build convergence/engine convergence/provider convergence/transfer graph graph/dag project",
			"the planner decides about steps and does not carry them out",
		},
		{
			"convergence", "convergence convergence/plan convergence/step convergence/engine convergence/provider graph graph/dag project",
			"convergence works on any engine, so it must not know an adapter",
		},
		{"cmd/display", "convergence convergence/plan convergence/step convergence/engine logs graph project", "looks depend on what is shown, not on commands"},
		{"cmd/terminal", "convergence/engine", "a terminal is lent to a process in a container, whoever asks for that"},
		{"cmd/cli", "*", "the command line joins everything"},
		{"cmd", "*", "programs join everything"},
		{"examples", "examples", "examples stand alone"},
	}
}

// libraries may only be imported below the given packages.
func libraries() []struct{ library, below, why string } {
	return []struct{ library, below, why string }{
		{"github.com/docker/docker", "convergence/engine/docker", "its successor has other types: the boundary lets us move"},
		{"github.com/docker/cli", "convergence/engine/docker", "contexts, ssh and credentials are how one adapter finds its engine"},
		{"github.com/moby/buildkit", "convergence/engine/docker/buildkit", "builds are one adapter's business"},
		{"github.com/spf13/cobra", "cmd", "only commands know flags"},
		{"github.com/fatih/color", "cmd/display logs", "only what is seen has colours"},
		{"github.com/compose-spec/compose-go", "project", "everybody else takes its types from project"},
		{"gopkg.in/yaml.v3", "project cmd", "files are read in one place"},
		{"go.yaml.in/yaml", "project", "it is compose-go's parser: places come from the same reading"},
	}
}

// pure packages must not see the world. The planner's plans are goldens because of it.
func pure() map[string][]string {
	return map[string][]string{
		"convergence/plan":  {"context", "os", "net", "net/http", "math/rand", "math/rand/v2", "io", "os/exec"},
		"convergence/build": {"context", "os", "net", "net/http", "io", "os/exec"},
		"graph/dag":         {"os", "net", "net/http", "time"},
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var one listed
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
}

func TestImportsFollowTheLayers(t *testing.T) {
	t.Parallel()
	for _, one := range packages(t) {
		name := strings.TrimPrefix(one.ImportPath, module)
		may, why, found := ruleFor(name)
		if !found {
			t.Errorf("package %s has no rule: say in rules() what it may import, and why", name)
			continue
		}
		for _, imported := range one.Imports {
			checkLibrary(t, name, imported)
			for _, forbidden := range pure()[name] {
				if imported == forbidden {
					t.Errorf("%s imports %s, but it is pure: the same inputs have to give the same outcome", name, imported)
				}
			}
			ours, isOurs := strings.CutPrefix(imported, module)
			if isOurs && !allowed(ours, may) {
				t.Errorf("%s imports %s, but may only import %q: %s", name, ours, may, why)
			}
		}
	}
}

func ruleFor(name string) (may, why string, found bool) {
	longest := -1
	for _, rule := range rules() {
		if isBelow(name, rule.who) && len(rule.who) > longest {
			longest, may, why, found = len(rule.who), rule.may, rule.why, true
		}
	}
	return may, why, found
}

func isBelow(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }

// allowed says whether a package is in the list. Only adapters and examples may import below what the list names.
func allowed(ours, may string) bool {
	for word := range strings.FieldsSeq(may) {
		deep := word == "convergence/engine/docker" || word == "examples"
		if word == "*" || ours == word || deep && isBelow(ours, word) {
			return true
		}
	}
	return false
}

func checkLibrary(t *testing.T, name, imported string) {
	t.Helper()
	for _, library := range libraries() {
		if !isBelow(imported, library.library) {
			continue
		}
		ok := false
		for folder := range strings.FieldsSeq(library.below) {
			ok = ok || isBelow(name, folder)
		}
		if !ok {
			t.Errorf("%s imports %s, which is only for %s: %s", name, imported, library.below, library.why)
		}
	}
}
