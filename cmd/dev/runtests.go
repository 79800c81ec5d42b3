package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/muster-dev/muster/cmd/dev/daemon"
	"github.com/muster-dev/muster/cmd/dev/gotest"
)

// errTests means that something of a test run failed; what, is told already.
var errTests = errors.New("the tests did not pass")

// part is a part of the whole test run, and what became of it.
type part struct {
	name   string
	result string
	failed bool
}

// engineTag is the build tag of the tests that need an engine.
const engineTag = "e2e"

// runTests vets, runs the tests that need no engine, and then those that do. Every part is run whatever became of the ones
// before; the end tells of all of them.
func runTests(ctx context.Context, t tool, args []string) error {
	wanted, err := parseParts(args)
	if err != nil {
		return err
	}
	started := time.Now()
	var parts []part
	if wanted.fake {
		parts = append(parts, vet(ctx, t), unitTests(ctx, t), faultTests(ctx, t))
	}
	var noEngine error
	if wanted.engine {
		var tested part
		tested, noEngine = engineTests(ctx, t, !wanted.fake)
		parts = append(parts, tested)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failed := summarize(t, parts, time.Since(started))
	if noEngine != nil {
		return fmt.Errorf("the engine part of the tests did not run: %w", noEngine)
	}
	if failed {
		return errTests
	}
	return nil
}

// wantedParts are the parts of the test run that were asked for: both, unless one is named.
type wantedParts struct{ fake, engine bool }

func parseParts(args []string) (wantedParts, error) {
	switch strings.Join(args, " ") {
	case "":
		return wantedParts{fake: true, engine: true}, nil
	case "--fake":
		return wantedParts{fake: true}, nil
	case "--engine":
		return wantedParts{engine: true}, nil
	}
	return wantedParts{}, errors.New("usage: test [--fake | --engine]")
}

func summarize(t tool, parts []part, took time.Duration) (failed bool) {
	fmt.Fprintf(t.out, "\nwhat ran, in %v:\n", took.Round(time.Second))
	for _, p := range parts {
		fmt.Fprintf(t.out, "  %-6s  %s\n", p.name, p.result)
		failed = failed || p.failed
	}
	return failed
}

func vet(ctx context.Context, t tool) part {
	err := t.goCommand(ctx, nil, "vet", "-tags="+engineTag, "./...").Run()
	if err != nil {
		return part{name: "vet", result: "go vet: " + err.Error(), failed: true}
	}
	return part{name: "vet", result: "go vet: nothing found"}
}

func unitTests(ctx context.Context, t tool) part {
	return goTest(ctx, t, testRun{name: "unit", race: true}, "./...")
}

// faultTests makes every call go wrong in turn. The race detector, with which the unit tests try a few, makes that take minutes.
func faultTests(ctx context.Context, t tool) part {
	return goTest(ctx, t, testRun{name: "faults"}, "-run=^TestEveryCallMayGoWrong$", "./convergence")
}

// engineTests runs the tests behind the tag on the engine that answers, started if need be. The error says why they
// could not be run at all. Alone they run with the race detector; after the unit tests, which run nearly all of them on the engine in
// memory with it, that would take minutes more.
func engineTests(ctx context.Context, t tool, race bool) (part, error) {
	missing := part{name: "engine", result: "DID NOT RUN", failed: true}
	found, err := ensureEngine(ctx, t)
	if err != nil {
		return missing, err
	}
	description, err := found.describe(ctx)
	if err := errors.Join(err, prepareExamples(ctx, t, found.Client), fetchRegistry(ctx, t), found.Close()); err != nil {
		return missing, err
	}
	chosen, err := behindTag(ctx, t)
	if err != nil {
		return missing, err
	}
	if len(chosen.packages) == 0 {
		return part{name: "engine", result: "there are no tests that need an engine; " + description}, nil
	}
	// One package at a time: they share the engine, and some count what is on it. Their tests mostly wait for it.
	flags := []string{"-p=1", "-parallel=8", "-tags=" + engineTag, "-run=^(" + strings.Join(chosen.tests, "|") + ")$"}
	engine := testRun{name: "engine", race: race, variables: engineVariables(t.cache, found.record)}
	tested := goTest(ctx, t, engine, append(flags, chosen.packages...)...)
	tested.result += "; " + description
	return tested, nil
}

// engineVariables make the tests find an engine that was started here, and what was fetched.
func engineVariables(cache string, record daemon.Record) []string {
	variables := []string{"MUSTER_CACHE=" + cache}
	if record.Host != "" {
		variables = append(variables, "DOCKER_HOST="+record.Host)
	}
	return variables
}

// tagged are tests that are only there with a build tag, and their packages: the others have been run without it.
type tagged struct {
	packages []string // import paths
	tests    []string // names of functions
}

func behindTag(ctx context.Context, t tool) (tagged, error) {
	const format = "{{$p := .}}{{range .TestGoFiles}}{{$p.ImportPath}} {{$p.Dir}}/{{.}}\n{{end}}" +
		"{{range .XTestGoFiles}}{{$p.ImportPath}} {{$p.Dir}}/{{.}}\n{{end}}"
	list := func(tags string) (string, error) {
		cmd := t.goCommand(ctx, nil, "list", "-tags="+tags, "-f="+format, "./...")
		cmd.Stdout = nil
		output, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("list packages: %w", err)
		}
		return string(output), nil
	}
	usual, err := list("")
	if err != nil {
		return tagged{}, err
	}
	all, err := list(engineTag)
	if err != nil {
		return tagged{}, err
	}
	return onlyThere(usual, all)
}

// onlyThere are the packages of the lines, "package file", that only the second listing has, and the tests in those files.
func onlyThere(before, after string) (tagged, error) {
	known := map[string]bool{}
	for line := range strings.Lines(before) {
		known[line] = true
	}
	var found tagged
	for line := range strings.Lines(after) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		if known[line] || file == "" {
			continue
		}
		names, err := testsIn(file)
		if err != nil {
			return tagged{}, err
		}
		if len(names) > 0 && !slices.Contains(found.packages, path) {
			found.packages = append(found.packages, path)
		}
		found.tests = append(found.tests, names...)
	}
	return found, nil
}

// testsIn are the names of the test functions of a file.
func testsIn(file string) ([]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("look for tests: %w", err)
	}
	var names []string
	for _, declared := range parsed.Decls {
		function, ok := declared.(*ast.FuncDecl)
		if ok && function.Recv == nil && strings.HasPrefix(function.Name.Name, "Test") && function.Name.Name != "TestMain" {
			names = append(names, function.Name.Name)
		}
	}
	return names, nil
}

// testRun is how tests are run.
type testRun struct {
	name      string
	race      bool     // with the race detector, where it can be built
	variables []string // of the environment
}

// goTest runs tests afresh.
func goTest(ctx context.Context, t tool, how testRun, args ...string) part {
	mode, why, flags := "without -race", "", []string{"test", "-json", "-count=1", "-timeout=15m", "-vet=off"} // all was vetted before
	switch {
	case !how.race:
	case !t.hasCompiler(ctx):
		why = ", which needs a C compiler (apt-get install gcc libc6-dev)"
	default:
		mode, flags = "with -race", append(flags, "-race")
	}
	name := how.name
	fmt.Fprintf(t.out, "\n%s tests, %s%s\n", name, mode, why)
	cmd := t.goCommand(ctx, how.variables, append(flags, args...)...)
	cmd.Stdout = nil
	stream, err := cmd.StdoutPipe()
	if err != nil {
		return part{name: name, result: err.Error(), failed: true}
	}
	if err := cmd.Start(); err != nil {
		return part{name: name, result: err.Error(), failed: true}
	}
	counts, readErr := gotest.Read(stream, t.out)
	err = errors.Join(readErr, cmd.Wait())
	result := fmt.Sprintf("%v; %s", counts, mode)
	if err != nil {
		result = "FAILED: " + result
	}
	if err != nil && len(counts.FailedPackages) == 0 {
		result += "; go test: " + err.Error()
	}
	return part{name: name, result: result, failed: err != nil}
}

// hasCompiler says whether the C compiler that go would use is there.
func (t tool) hasCompiler(ctx context.Context) bool {
	cmd := t.goCommand(ctx, nil, "env", "CC")
	cmd.Stdout = nil
	output, err := cmd.Output()
	if err != nil {
		return false
	}
	words := strings.Fields(string(output))
	if len(words) == 0 {
		return false
	}
	_, err = exec.LookPath(words[0])
	return err == nil
}

// goCommand is a call of the go command in the repository, with its output passed on.
func (t tool) goCommand(ctx context.Context, variables []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.root, t.out, t.err
	cmd.Env = append(os.Environ(), variables...)
	return cmd
}
