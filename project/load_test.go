package project_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/muster-dev/muster/project"
)

var update = flag.Bool("update", false, "write the golden parts of testdata/load anew")

// TestLoad runs the archives of testdata/load. The comment of one has the options, a line each:
//
//	-f FILE, -p NAME, --profile P, --env-file FILE, --project-directory DIR, --no-deps, --all-resources, --compatibility,
//	--no-interpolate, --no-normalize, --no-consistency, --no-path-resolution, --no-env-resolution; NAME=VALUE for the
//	environment; dir DIR for the current folder; service NAME; stdin FILE; show model, tree, unsupported, refused, inert, socket, contents
//	or name
//
// Of the files "model", "warnings", "unsupported", "refused", "inert" and "error" are what loading gives, the others are written to a folder, whose
// name is $DIR in the texts.
func TestLoad(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runArchive(t, path)
		})
	}
}

func goldens() []string {
	return []string{"name", "model", "warnings", "unsupported", "refused", "inert", "error"}
}

func isGolden(name string) bool {
	return slices.Contains(goldens(), name)
}

func runArchive(t *testing.T, path string) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := unpack(t, archive)
	options, show := parseOptions(t, string(archive.Comment), dir)
	got := outcome(t, options, show, dir)
	if *update {
		archive.Files = withoutGoldens(archive.Files)
		for _, name := range goldens() {
			if text, ok := got[name]; ok {
				archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(text)})
			}
		}
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, file := range archive.Files {
		if isGolden(file.Name) && string(file.Data) != got[file.Name] {
			t.Errorf("%s: got\n%s\nwant\n%s", file.Name, got[file.Name], file.Data)
		}
		if isGolden(file.Name) {
			delete(got, file.Name)
		}
	}
	for name, text := range got {
		t.Errorf("%s: not in the archive:\n%s", name, text)
	}
}

func withoutGoldens(files []txtar.File) []txtar.File {
	var kept []txtar.File
	for _, file := range files {
		if !isGolden(file.Name) {
			kept = append(kept, file)
		}
	}
	return kept
}

func unpack(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := realDir(t)
	for _, file := range archive.Files {
		if isGolden(file.Name) {
			continue
		}
		writeFile(t, filepath.Join(dir, file.Name), string(file.Data))
	}
	return dir
}

// realDir is a folder named "shop", because projects are named after it.
func realDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "shop")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func parseOptions(t *testing.T, comment, dir string) (project.Options, []string) {
	t.Helper()
	options := project.Options{Dir: dir, Env: []string{"HOME=/home/nobody"}}
	var show []string
	for line := range strings.Lines(comment) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case word == "show":
			show = append(show, strings.Fields(rest)...)
		case word == "stdin":
			content, err := os.ReadFile(filepath.Join(dir, rest))
			if err != nil {
				t.Fatal(err)
			}
			options.Stdin = bytes.NewReader(content)
		case !setOption(&options, word, rest, dir):
			t.Fatalf("unknown line %q", line)
		}
	}
	return options, show
}

func setOption(options *project.Options, word, rest, dir string) bool {
	switch word {
	case "-f":
		options.Files = append(options.Files, strings.ReplaceAll(rest, "$DIR", dir))
	case "-p":
		options.Name = rest
	case "--profile":
		options.Profiles = append(options.Profiles, rest)
	case "--env-file":
		options.EnvFiles = append(options.EnvFiles, rest)
	case "--project-directory":
		options.ProjectDirectory = rest
	case "dir":
		options.Dir = filepath.Join(dir, rest)
	case "service":
		options.Services = append(options.Services, rest)
	case "--no-deps":
		options.NoDeps = true
	case "--all-resources":
		options.AllResources = true
	case "--compatibility":
		options.Compatibility = true
	case "--no-interpolate":
		options.SkipInterpolation = true
	case "--no-normalize":
		options.SkipNormalization = true
	case "--no-consistency":
		options.SkipConsistency = true
	case "--no-path-resolution":
		options.SkipPathResolution = true
	case "--no-env-resolution":
		options.SkipEnvResolution = true
	default:
		if !strings.Contains(word, "=") {
			return false
		}
		options.Env = append(options.Env, strings.TrimSpace(word+" "+rest))
	}
	return true
}

// outcome is what there is to compare, by the names of the golden files.
func outcome(t *testing.T, options project.Options, show []string, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	add := func(name, text string) {
		if text != "" {
			got[name] = strings.ReplaceAll(strings.TrimRight(text, "\n")+"\n", dir, "$DIR")
		}
	}
	if len(show) == 1 && show[0] == "tree" {
		tree, err := project.Tree(t.Context(), options)
		add("error", errorText(err))
		text, _ := json.MarshalIndent(tree, "", "  ")
		add("model", string(text))
		return got
	}
	if len(show) == 1 && show[0] == "name" {
		name, err := project.Name(t.Context(), options)
		add("name", name)
		add("error", errorText(err))
		return got
	}
	loaded, err := project.Load(t.Context(), options)
	add("error", errorText(err))
	if err != nil {
		if failed := new(project.LoadError); errors.As(err, &failed) {
			add("warnings", problemText(failed.Warnings))
		}
		return got
	}
	for _, what := range show {
		switch what {
		case "model":
			model, err := loaded.MarshalYAML()
			if err != nil {
				t.Fatal(err)
			}
			add("model", string(model))
		case "contents":
			add("error", errorText(loaded.ReadContents()))
		case "unsupported":
			add("unsupported", problemText(loaded.Unsupported()))
		case "socket":
			model, err := loaded.WithAPISocket([]byte("{}")).MarshalYAML()
			if err != nil {
				t.Fatal(err)
			}
			add("model", string(model))
		case "refused":
			add("refused", problemText(loaded.Refused()))
		case "inert":
			add("inert", problemText(loaded.Inert()))
		}
	}
	add("warnings", problemText(loaded.Warnings))
	return got
}

// errorText is the error as exit.go may show it: with the hint, and the length of what is marked.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	var loading *project.LoadError
	if errors.As(err, &loading) {
		return problemText(loading.Problems)
	}
	var hinting interface{ Hint() string }
	if errors.As(err, &hinting) && hinting.Hint() != "" {
		return err.Error() + "\nhint: " + hinting.Hint()
	}
	return err.Error()
}

func problemText(problems []project.Problem) string {
	var text strings.Builder
	for _, problem := range problems {
		text.WriteString(problem.String() + "\n")
	}
	return text.String()
}
