package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/project"
)

// App is what a command runs with: its streams, its environment, how it is interrupted. It is a value of the caller's, so that
// commands can be run in tests against buffers.
type App struct {
	display.Streams
	Env     []string // KEY=VALUE
	Dir     string   // the current folder
	Version string
	// Signals are the interrupts that the user sends; nil means that there are none.
	Signals <-chan os.Signal
	// OtherSignals subscribes to the signals beside interrupts that are passed on to a container, until stop; nil means that there
	// are none.
	OtherSignals func() (signals <-chan os.Signal, stop func())
	// Dial connects to an engine; nil means the Docker Engine API by the docker CLI's rules.
	Dial func(ctx context.Context, options docker.Options) (engine.Engine, error)
	// Frugal keeps the process to one processor and little memory, for commands that pass on what others make; nil leaves it be.
	Frugal func()
	// TabPatience is how long a shell waits at most for what completes a word; zero means a second.
	TabPatience time.Duration
}

// System is the process's own App.
func System(signals <-chan os.Signal) App {
	dir, err := os.Getwd()
	if err != nil {
		dir = "/" // the folder is gone; relative names will not be found, with their own errors
	}
	return App{
		Streams: display.System(), Env: os.Environ(), Dir: dir, Version: buildVersion(), Signals: signals, OtherSignals: notifyOther,
		Frugal: frugal,
	}
}

// version is set by the linker when a release is built.
var version string // the linker can only set a package variable

func buildVersion() string {
	if version != "" {
		return strings.TrimPrefix(version, "v")
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "0.1.0-dev"
}

// globals are the flags before the command, and the environment's defaults for them.
type globals struct {
	app App
	env map[string]string // the process environment, over what .env files add for COMPOSE_*

	files, envFiles, profiles []string
	projectDirectory, workdir string
	name                      string
	ansi, progress            string
	noAnsi                    bool
	parallel                  int
	compatibility             bool
	allResources              bool
	dryRun, verbose           bool
	lock                      lockOptions
	showVersion               bool
	host, context, builder    string
	dockerConfig, logLevel    string
	tls, tlsVerify            bool
	tlsCA, tlsCert, tlsKey    string
	insecureRegistries        []string

	given      func(flag string) bool // whether a flag before the command is on the command line
	plugin     bool                   // called by the docker CLI
	invocation string                 // how the user calls muster for this project
	endpoint   docker.Endpoint        // of the engine, once it is dialled
	telling    *telling
}

// lookup is an environment variable's value, empty where there is none.
func (g *globals) lookup(name string) string { return g.env[name] }

// variable is an environment variable's value; empty where it is not set.
func variable(env []string, name string) (value string) {
	for _, entry := range env {
		if key, found, _ := strings.Cut(entry, "="); key == name {
			value = found
		}
	}
	return value
}

// isSet reads a boolean variable by docker compose's rules: y and what Go takes for true; anything else is false.
func (g *globals) isSet(name string) bool {
	value := strings.ToLower(g.env[name])
	set, err := strconv.ParseBool(value)
	return value == "y" || err == nil && set
}

// options are how to load the project, for the services that the user named.
func (g *globals) options(services []string, noDeps bool) project.Options {
	return project.Options{
		Files: g.files, Stdin: g.app.In, Dir: g.app.Dir, ProjectDirectory: g.directory(), Name: g.name,
		Profiles: g.profiles, EnvFiles: g.envFiles, Env: g.app.Env,
		Compatibility: g.compatibility || g.isSet("COMPOSE_COMPATIBILITY"), AllResources: g.allResources,
		Services: services, NoDeps: noDeps,
	}
}

func (g *globals) directory() string {
	if g.projectDirectory != "" {
		return g.projectDirectory
	}
	return g.workdir
}

// readEnvironment lays the COMPOSE_* variables of .env files under the process environment.
func (g *globals) readEnvironment() error {
	g.env = map[string]string{}
	for _, entry := range g.app.Env {
		key, value, _ := strings.Cut(entry, "=")
		g.env[key] = value
	}
	g.addDocker()
	fromFiles, err := project.Environment(g.options(nil, false))
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(fromFiles)) {
		if _, set := g.env[key]; !set && strings.HasPrefix(key, "COMPOSE_") {
			g.env[key] = fromFiles[key]
		}
	}
	return nil
}

// looks decides how output looks.
func (g *globals) looks() (display.Looks, error) {
	choice := display.Choice{Progress: g.progress, Ansi: g.ansi, NoColor: g.lookup("NO_COLOR") != ""}
	if !g.given("progress") {
		choice.Progress = g.lookup("COMPOSE_PROGRESS")
	}
	switch {
	case g.noAnsi:
		choice.Ansi = "never"
	case !g.given("ansi"):
		choice.Ansi = g.lookup("COMPOSE_ANSI")
	}
	return display.Choose(choice, g.statusStreams())
}

// statusStreams are the streams with progress on Err, where COMPOSE_STATUS_STDOUT may have the standard output.
func (g *globals) statusStreams() display.Streams {
	streams := g.app.Streams
	if g.isSet("COMPOSE_STATUS_STDOUT") {
		streams.Err, streams.ErrTerminal = streams.Out, streams.OutTerminal
	}
	return streams
}

// newProgress is the progress of a command. Whatever stream has it, what containers write to their standard error stays there.
func (g *globals) newProgress(looks display.Looks) display.Progress {
	return g.telling.by(g.untold(looks))
}

// untold is the same for a line or two beside it.
func (g *globals) untold(looks display.Looks) display.Progress {
	progress := display.NewProgress(looks, g.statusStreams())
	if looks.Mode == display.TTY {
		return progress // it draws around all that others write
	}
	return ownOutput{progress, g.app.Streams}
}

// ownOutput is progress beside which others write to other streams.
type ownOutput struct {
	display.Progress
	streams display.Streams
}

// Output implements [display.Progress].
func (o ownOutput) Output() (out, err io.Writer) { return o.streams.Out, o.streams.Err }

// engineOptions say which engine the flags and the environment mean.
func (g *globals) engineOptions() docker.Options {
	return docker.Options{
		Host: g.host, Context: g.context, Builder: g.builder, Env: g.lookup, UserAgent: "muster/" + g.app.Version,
		TLSFiles: docker.TLSFiles{CA: g.tlsCA, Cert: g.tlsCert, Key: g.tlsKey},
	}
}

// dial connects to the engine, and wraps it: calls are traced with --verbose, bounded, and events are shared.
func (g *globals) dial(ctx context.Context, projectName string) (*engine.Hub, error) {
	options := g.engineOptions()
	if g.app.Dial != nil {
		eng, err := g.app.Dial(ctx, options)
		if err != nil {
			return nil, err
		}
		return engine.NewHub(eng, projectName), nil
	}
	client, err := docker.Dial(ctx, options)
	if err != nil {
		return nil, err
	}
	g.endpoint = client.Endpoint()
	for _, message := range client.Warnings() {
		g.warn([]project.Warning{{Message: message}})
	}
	var eng engine.Engine = client
	if g.verbose {
		eng = engine.Trace(eng, g.app.Err)
	}
	limit, withStops := client.CallLimit()
	eng = engine.Limit(eng, limit, withStops)
	if pulls, err := g.parallelLimit(); err != nil {
		return nil, err
	} else if pulls > 0 {
		eng = engine.LimitPulls(eng, pulls)
	}
	return engine.NewHub(engine.Retry(eng, g.waitsForEngine), projectName), nil
}

// parallelLimit is --parallel or COMPOSE_PARALLEL_LIMIT; -1 means no limit.
func (g *globals) parallelLimit() (int, error) {
	value := g.lookup("COMPOSE_PARALLEL_LIMIT")
	if g.parallel != unlimited || value == "" {
		return g.parallel, nil
	}
	limit, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("COMPOSE_PARALLEL_LIMIT must be an integer (found: %q)", value)
	}
	return limit, nil
}

const unlimited = -1
