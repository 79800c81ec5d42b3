package docker

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/convergence/build"
	"github.com/muster-dev/muster/project"
)

// attribute is a row of testdata/attributes.txt: what becomes of an attribute, and the archive that shows it.
//
//	translate ARCHIVE  it is in the create requests of testdata/translate/ARCHIVE.txtar
//	build ARCHIVE      it is in the build requests of convergence/build's archive
//	unsupported [PATH] it is reported as not honoured, or what uses it is; testdata/reported.yaml has it
//	refused [PATH]     services that use it are not brought up; testdata/reported.yaml has it
//	inert              it only describes, which is reported to who asks; testdata/reported.yaml has it
//	plan ARCHIVE       it changes what is planned in convergence/plan's archive
//	load ARCHIVE       it is used up by loading, as in project's archive
//	carried            it is for other commands than those that bring containers up
//
// A path that ends in ".**" stands for all below it, too.
type attribute struct{ path, how, where string }

// Every attribute of the Compose Specification is honoured or reported: none is ignored in silence. The table says how, and the
// archives show that it is true: without the attribute the outcome is another one.
func TestAttributes(t *testing.T) {
	t.Parallel()
	rows := readAttributes(t)
	for _, path := range project.AttributePaths() {
		if !slices.ContainsFunc(rows, func(row attribute) bool { return row.covers(path) }) {
			t.Errorf("attributes.txt says nothing of %s", path)
		}
	}
	known := project.AttributePaths()
	for _, row := range rows {
		if !slices.ContainsFunc(known, row.covers) {
			t.Errorf("attributes.txt has %s, which is no attribute", row.path)
		}
	}
	for _, row := range rows {
		t.Run(row.path, func(t *testing.T) {
			t.Parallel()
			row.check(t)
		})
	}
}

func readAttributes(t *testing.T) []attribute {
	t.Helper()
	content, err := os.ReadFile("testdata/attributes.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rows []attribute
	for line := range strings.Lines(string(content)) {
		words := append(strings.Fields(line), "", "", "")
		if words[0] != "" && !strings.HasPrefix(words[0], "#") {
			rows = append(rows, attribute{words[0], words[1], words[2]})
		}
	}
	return rows
}

func (a attribute) covers(path string) bool {
	prefix, isAll := strings.CutSuffix(a.path, ".**")
	return path == a.path || isAll && (path == prefix || strings.HasPrefix(path, prefix+".") || strings.HasPrefix(path, prefix+"[]"))
}

func (a attribute) check(t *testing.T) {
	t.Helper()
	switch a.how {
	case "translate":
		archive := readArchive(t, "testdata/translate/"+a.where+".txtar")
		a.changes(t, archive, "compose.yaml", archive.requests)
	case "build":
		archive := readArchive(t, "../../build/testdata/"+a.where+".txtar")
		a.changes(t, archive, "compose.yaml", buildRequests)
	case "unsupported":
		a.isReported(t, func(p *project.Project) []project.Warning { return append(p.Unsupported(), build.Unsupported(p)...) })
	case "refused":
		a.isReported(t, (*project.Project).Refused)
	case "inert":
		a.isReported(t, (*project.Project).Inert)
	case "plan":
		a.isUsed(t, "../../plan/testdata/"+a.where+".txtar")
	case "load":
		a.isUsed(t, "../../../project/testdata/load/"+a.where+".txtar")
	case "carried":
	default:
		t.Errorf("%q is not what can become of an attribute", a.how)
	}
}

// isReported says whether an attribute is reported, by its path, by that of what it is in, or by that of what uses it.
func (a attribute) isReported(t *testing.T, reported func(*project.Project) []project.Warning) {
	t.Helper()
	file := readFile(t, "testdata/reported.yaml")
	p, err := file.load(t, file.file("reported.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	pattern := segments(cmp.Or(a.where, a.path))
	for _, warning := range reported(p) {
		found := segments(warning.Path)
		shorter := min(len(found), len(pattern))
		if slices.EqualFunc(found[:shorter], pattern[:shorter], func(one, wanted string) bool {
			return wanted == one || wanted == "*" || wanted == "[]"
		}) {
			return
		}
	}
	t.Errorf("testdata/reported.yaml has no %s, or it is not reported", cmp.Or(a.where, a.path))
}

// segments are the parts of a path or a pattern.
func segments(path string) []string {
	return strings.Split(strings.NewReplacer("[]", ".[]", "[", ".", "]", "").Replace(strings.TrimSuffix(path, ".**")), ".")
}

// readFile is an archive of one file.
func readFile(t *testing.T, path string) archive {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return archive{&txtar.Archive{Files: []txtar.File{{Name: filepath.Base(path), Data: content}}}, t.TempDir()}
}

func buildRequests(t *testing.T, p *project.Project) string {
	t.Helper()
	var requests []any
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		if p.Services[name].Build == nil {
			continue
		}
		request, err := build.Request(p, p.Services[name])
		requests = append(requests, name, request, err)
	}
	return indented(t, requests)
}

// isUsed says whether an archive that shows the attribute has it in one of its files, by its key.
func (a attribute) isUsed(t *testing.T, archivePath string) {
	t.Helper()
	archive, err := txtar.ParseFile(archivePath)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimSuffix(a.path, ".**")
	key := strings.TrimSuffix(path[strings.LastIndex(path, ".")+1:], "[]")
	for _, file := range archive.Files {
		if strings.Contains(string(file.Data), key) {
			return
		}
	}
	t.Errorf("%s has no %s", archivePath, key)
}

// changes looks for a use of the attribute without which the outcome is another one.
func (a attribute) changes(t *testing.T, from archive, name string, outcome func(*testing.T, *project.Project) string) {
	t.Helper()
	tree, err := project.Tree(t.Context(), from.options(from.file(name)))
	if err != nil {
		t.Fatal(err)
	}
	with, err := from.load(t, from.file(name))
	if err != nil {
		t.Fatal(err)
	}
	before := outcome(t, with)
	found := uses(tree, segments(a.path), nil)
	for _, use := range found {
		without, ok := from.without(t, tree, use)
		if ok && outcome(t, without) != before {
			return
		}
	}
	t.Errorf("%d uses of %s, and leaving one out changes nothing", len(found), a.path)
}

// uses are the places in a tree where a pattern of keys matches.
func uses(tree any, pattern, path []string) [][]string {
	if len(pattern) == 0 {
		return [][]string{path}
	}
	var found [][]string
	for _, key := range keysOf(tree) {
		if pattern[0] == key || pattern[0] == "*" || pattern[0] == "[]" {
			found = append(found, uses(child(tree, key), pattern[1:], append(slices.Clone(path), key))...)
		}
	}
	return found
}

func keysOf(tree any) []string {
	switch tree := tree.(type) {
	case map[string]any:
		return slices.Sorted(maps.Keys(tree))
	case []any:
		keys := make([]string, len(tree))
		for i := range tree {
			keys[i] = strconv.Itoa(i)
		}
		return keys
	}
	return nil
}

func child(tree any, key string) any {
	if list, ok := tree.([]any); ok {
		i, _ := strconv.Atoi(key)
		return list[i]
	}
	return tree.(map[string]any)[key]
}

// without loads a tree without what is at a path; where it is nothing without it, with another text there, or without what is
// around it.
func (a archive) without(t *testing.T, tree any, path []string) (p *project.Project, ok bool) {
	t.Helper()
	another := func(value any) (any, bool) {
		text, isText := value.(string)
		return text + "-other", isText
	}
	nothing := func(any) (any, bool) { return nil, false }
	variants := []any{edited(tree, path, nothing), edited(tree, path, another)}
	const section = 1
	for end := len(path) - 1; end > section; end-- {
		variants = append(variants, edited(tree, path[:end], nothing))
	}
	for _, variant := range variants {
		content, err := json.Marshal(variant)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := a.load(t, content); err == nil {
			return p, true
		}
	}
	return nil, false
}

// edited is a copy of a tree with another value at a path, or none.
func edited(tree any, path []string, edit func(any) (value any, keep bool)) any {
	switch tree := tree.(type) {
	case map[string]any:
		tree = maps.Clone(tree)
		if len(path) > 1 {
			tree[path[0]] = edited(tree[path[0]], path[1:], edit)
			return tree
		}
		value, keep := edit(tree[path[0]])
		if tree[path[0]] = value; !keep {
			delete(tree, path[0])
		}
		return tree
	case []any:
		tree = slices.Clone(tree)
		i, _ := strconv.Atoi(path[0])
		if len(path) > 1 {
			tree[i] = edited(tree[i], path[1:], edit)
			return tree
		}
		value, keep := edit(tree[i])
		if tree[i] = value; !keep {
			return slices.Delete(tree, i, i+1)
		}
		return tree
	}
	return tree
}
