// Command dev is what Muster's developers need besides Go and make: an engine on a machine that has none, the images of the
// examples, a test run with a summary, and small replacements for tools that a bare machine lacks.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/muster-dev/muster/cmd/dev/provision"
)

// tool is what every command gets.
type tool struct {
	env   func(string) string
	root  string // of the repository
	cache string // an absolute path
	out   io.Writer
	err   io.Writer
}

// say tells what is being done.
func (t tool) say(format string, arguments ...any) {
	fmt.Fprintf(t.err, format+"\n", arguments...)
}

// errSilent ends the program with an error that was told of already.
var errSilent = errors.New("told already")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		os.Exit(report(os.Stderr, err))
	}
}

func run(ctx context.Context, args []string) error {
	root, err := provision.Repository()
	if err != nil {
		return err
	}
	cache, err := provision.Cache(root, os.Getenv)
	if err != nil {
		return err
	}
	t := tool{env: os.Getenv, root: root, cache: cache, out: os.Stdout, err: os.Stderr}
	found, rest, ok := findCommand(args)
	if !ok {
		printUsage(t.err)
		return errSilent
	}
	return found.run(ctx, t, rest)
}

type command struct {
	name  string // one or two words
	args  string
	about string
	run   func(ctx context.Context, t tool, args []string) error
}

func commands() []command {
	return []command{
		{"engine up", "", "use the engine that answers, or fetch and start one", engineUp},
		{"engine down", "", "end the engine that was started here", engineDown},
		{"engine status", "", "say which engine answers, if any", engineStatus},
		{"engine env", "", "print what a shell needs to reach the engine that was started here", engineEnv},
		{"engine peer", "", "fetch docker compose and buildx, to compare with", enginePeer},
		{"buildkit", "", "compile BuildKit's own programs, to build with beside an engine", compileBuildKit},
		{"images", "", "make what the examples run: programs, and images of software", makeImages},
		{"programs", "", "compile the programs of examples/microservices", makePrograms},
		{"software", "", "make images of redis, postgres, nginx and busybox out of Debian's packages", makeSoftware},
		{"test", "[--fake | --engine]", "run all tests, or only those that need no engine, or one", runTests},
		{"bench", "", "measure what has limits, against a bare client on the same engine", runBench},
		{"chaos", "[--rounds N] [--restarts N] [--seed N]", "kill bin/muster in the middle of what it does, and look whether the next command puts it right", runChaos},
		{"logs-restart", "[--restarts N]", "restart the engine that was started here under logs -f, and look whether every line came once", runLogsRestart},
		{"drop-in", "", "compare with docker compose, command line by command line", runDropIn},
		{"parity", "[FILE...]", "compare what Muster makes of Compose files with what docker compose makes of them", runParity},
		{"docs", "", "write the list of commands into README.md", writeDocs},
		{"man", "FOLDER", "write a man page for each command into a folder", writeManual},
		{"get", "[--form NAME=VALUE]... [--expect TEXT] URL", "fetch a page, until it has the text", getPage},
		{"leftovers", "PROJECT", "fail and list what an engine still has of a project", listLeftovers},
	}
}

// findCommand splits the arguments into the command that they name and its own.
func findCommand(args []string) (found command, rest []string, ok bool) {
	for _, candidate := range commands() {
		words := strings.Fields(candidate.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return candidate, args[len(words):], true
		}
	}
	return command{}, nil, false
}

func printUsage(w io.Writer) {
	fmt.Fprintln(w, "usage: go run ./cmd/dev COMMAND")
	for _, known := range commands() {
		fmt.Fprintf(w, "  %-15s %s\n", known.name, known.about)
		if known.args != "" {
			fmt.Fprintf(w, "  %15s %s\n", "", known.args)
		}
	}
	fmt.Fprintln(w, `environment:
  ENGINE          which engine to fetch: 28 (usual), 28c (containerd's image store), 26, 20
  MUSTER_CACHE    where to keep what is fetched and made (usual: .cache in the repository)
  DEBIAN_MIRROR   where to fetch from (usual: http://deb.debian.org)`)
}

// report prints an error with what can be done about it, and returns the exit code.
func report(w io.Writer, err error) int {
	const interrupted = 130
	switch {
	case errors.Is(err, errSilent):
		return 1
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "dev: interrupted")
		return interrupted
	}
	fmt.Fprintf(w, "dev: %v\n", err)
	var hinting interface{ Hint() string }
	if errors.As(err, &hinting) {
		fmt.Fprintln(w, hinting.Hint())
	}
	return 1
}
