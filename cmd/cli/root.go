// Package cli is Muster's command line: one verb a file. Each command is three parts: its options, a constructor that binds the
// flags to them, and a run function that does the work.
package cli

import (
	"context"
	"errors"
	"io"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/project"
)

// Main runs a command line, without the program's name, and returns its exit code. What went wrong has been told when it
// returns.
func Main(ctx context.Context, args []string, app App) int {
	// compose-go tells its warnings to this logger; Muster tells them itself, with their places.
	logrus.SetOutput(io.Discard)
	g := &globals{app: app, telling: new(telling)}
	interrupts := newInterrupts(ctx, app.Signals)
	defer interrupts.stop()
	root := newRoot(g, interrupts)
	args, g.plugin = asPlugin(root.Flags(), args)
	if g.plugin {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: pluginProgram}
		interrupts.hangUp(ctx, variable(app.Env, socketVariable))
	}
	root.SetArgs(joinValues(root.Flags(), args))
	err := root.ExecuteContext(interrupts.ctx)
	if isFlagError(err) {
		err = flagError(root, err)
	}
	return report(g, err)
}

// Commands is the command line as a tree, for what tells of it: it is not to be run.
func Commands(app App) *cobra.Command { return newRoot(&globals{app: app, telling: new(telling)}, nil) }

func newRoot(g *globals, interrupts *interrupts) *cobra.Command {
	root := &cobra.Command{
		Use:   "muster [OPTIONS] COMMAND",
		Short: "Bring Compose projects up, with a plan that says what and why",
		Long: `Muster runs the services of a Compose file: it compares what the file wants with what the engine has,
makes a plan with its reasons, and carries it out in order.

It takes the files, commands, flags and names of docker compose.`,
		SilenceUsage: true, SilenceErrors: true, TraverseChildren: true, DisableFlagsInUseLine: true,
		Args: cobra.ArbitraryArgs, CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.showVersion {
				return runVersion(&versionOptions{globals: g})
			}
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetIn(g.app.In)
	root.SetOut(g.app.Out)
	root.SetErr(g.app.Err)
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(usageTemplate)
	bindGlobals(root, g)
	for _, command := range []*cobra.Command{
		newUp(g, interrupts), newDown(g), newPlan(g), newWhy(g), newDrift(g), newBuild(g), newPull(g), newCreate(g), newStart(g), newStop(g), newRestart(g),
		newKill(g), newRm(g), newScale(g), newWait(g), newPs(g), newLs(g), newImages(g), newVolumes(g), newLogs(g), newRun(g, interrupts), newExec(g), newAttach(g, interrupts), newPort(g),
		newConfig(g), newGraph(g), newVersion(g),
		newPause(g), newUnpause(g), newTop(g), newStats(g), newEvents(g), newCp(g), newExport(g), newCommit(g), newPush(g), newViz(g), newAlpha(g),
	} {
		g.bindLock(command)
		g.prepareFirst(command)
		root.AddCommand(command)
	}
	root.AddCommand(newPluginCommands(g)...)
	root.AddCommand(newLater()...)
	addCompletion(root, g)
	return root
}

// prepareFirst makes a command, and those below it, run with the flags before the command and the environment read.
func (g *globals) prepareFirst(command *cobra.Command) {
	for _, below := range command.Commands() {
		g.prepareFirst(below)
	}
	command.DisableFlagsInUseLine = true
	run := command.RunE
	if run == nil {
		return
	}
	command.RunE = func(cmd *cobra.Command, args []string) error {
		g.invocation = invocation(cmd.Root())
		if err := g.prepare(); err != nil {
			return err
		}
		return run(cmd, args)
	}
}

// usageTemplate is the end of a command's help.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

{{if .HasParent}}Options{{else}}Options, before the command{{end}}:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

` + "`{{.CommandPath}} COMMAND --help`" + ` tells more about a command.{{end}}
`

func bindGlobals(root *cobra.Command, g *globals) {
	flags := root.Flags()
	flags.SortFlags = false
	flags.SetInterspersed(false)
	flags.StringArrayVarP(&g.files, "file", "f", nil, "Compose configuration files")
	flags.StringVarP(&g.name, "project-name", "p", "", "Project name")
	flags.StringArrayVar(&g.profiles, "profile", nil, "Specify a profile to enable")
	flags.StringArrayVar(&g.envFiles, "env-file", nil, "Specify an alternate environment file")
	flags.StringVar(&g.projectDirectory, "project-directory", "",
		"Specify an alternate working directory (default: the path of the first specified Compose file)")
	flags.StringVar(&g.progress, "progress", "auto", "Set type of progress output (auto, tty, plain, json, quiet)")
	flags.StringVar(&g.ansi, "ansi", "auto", `Control when to print ANSI control characters ("never"|"always"|"auto")`)
	flags.IntVar(&g.parallel, "parallel", unlimited, "Control max parallelism, -1 for unlimited")
	flags.BoolVar(&g.dryRun, "dry-run", false, "Show what would be done and change nothing")
	flags.BoolVar(&g.compatibility, "compatibility", false, "Run compose in backward compatibility mode")
	flags.BoolVar(&g.allResources, "all-resources", false, "Include all resources, even those not used by services")
	bindDocker(flags, g)
	flags.BoolVar(&g.verbose, "verbose", false, "Show every call to the engine")
	flags.BoolVarP(&g.showVersion, "version", "v", false, "Show the version")
	flags.StringVar(&g.workdir, "workdir", "", "Old name of --project-directory")
	flags.BoolVar(&g.noAnsi, "no-ansi", false, "Old name of --ansi never")
	flags.StringArrayVar(&g.insecureRegistries, "insecure-registry", nil, "Registry whose Compose files are fetched without TLS")
	g.given = flags.Changed
	for _, name := range []string{"workdir", "no-ansi", "version", "insecure-registry"} {
		_ = flags.MarkHidden(name)
	}
}

// prepare is done once the flags are known and before a command runs.
func (g *globals) prepare() error {
	if g.noAnsi {
		if g.given("ansi") {
			return errors.New(`cannot specify DEPRECATED "--no-ansi" and "--ansi". Please use only "--ansi"`)
		}
	}
	if err := g.readEnvironment(); err != nil {
		return err
	}
	if _, err := g.looks(); err != nil {
		return err
	}
	g.warnOfOld()
	return nil
}

// warnOfOld says what takes the place of flags that have gone out of use.
func (g *globals) warnOfOld() {
	var warnings []project.Warning
	if g.noAnsi {
		warnings = append(warnings, project.Warning{Message: "--no-ansi is an old name: use --ansi never"})
	}
	if g.workdir != "" {
		warnings = append(warnings, project.Warning{Message: "--workdir is an old name: use --project-directory"})
	}
	if len(g.insecureRegistries) > 0 {
		warnings = append(warnings, project.Warning{Message: "--insecure-registry has no effect: Compose files cannot be fetched from registries yet"})
	}
	g.warn(warnings)
}
