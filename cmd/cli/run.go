package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/cmd/terminal"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

type runOptions struct {
	consoleOptions
	up         upOptions // how what it depends on comes up
	interrupts *interrupts

	oneOff          project.OneOff
	entrypoint      string
	entrypointGiven bool
	remove, quiet   bool
	useAliases      bool
	ttyGiven        bool
	applying        string
}

func newRun(g *globals, interrupts *interrupts) *cobra.Command {
	o := &runOptions{consoleOptions: consoleOptions{globals: g}, up: upOptions{globals: g, interrupts: interrupts}, interrupts: interrupts}
	cmd := &cobra.Command{
		Use:   "run [OPTIONS] SERVICE [COMMAND] [ARGS...]",
		Short: "Run a one-off command on a service",
		Long: `Bring up what a service depends on, run a command in a container of its own beside the service's, and exit as it does.

The container has the service's settings but for its ports and restart policy. At a terminal it has one too, else it reads what is
piped in and writes byte for byte. An interrupt goes to the command, the third kills it; the detach keys, ctrl-p ctrl-q, leave it
running. ` + "`muster --dry-run run`" + ` shows beforehand what else would be done, and why.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.take(cmd, args)
			o.entrypointGiven, o.ttyGiven = cmd.Flags().Changed("entrypoint"), cmd.Flags().Changed("tty")
			o.applying = applying(cmd, args)
			return runRun(cmd.Context(), o)
		},
	}
	o.bindConsole(cmd)
	o.bindContainer(cmd)
	bindRemoveOrphans(cmd, g, &o.up.removeOrphans)
	flags := cmd.Flags()
	flags.BoolVar(&o.up.build, "build", false, "Build image before starting container")
	flags.BoolVarP(&o.detach, "detach", "d", false, "Run container in background and print container ID")
	flags.BoolVar(&o.up.noDeps, "no-deps", false, "Don't start linked services")
	flags.StringVar(&o.up.pull, "pull", "policy", `Pull image before running ("always"|"missing"|"never")`)
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "Don't print anything of muster's own")
	flags.BoolVar(&o.up.quietBuild, "quiet-build", false, "Suppress progress output from the build process")
	flags.BoolVar(&o.up.quietPull, "quiet-pull", false, "Pull without printing progress information")
	flags.BoolVar(&o.remove, "rm", false, "Automatically remove the container when it exits")
	flags.BoolVar(&o.useAliases, "use-aliases", false, "Use the service's network useAliases in the network(s) the container connects to")
	flags.Lookup("interactive").Hidden = false
	return cmd
}

// bindContainer binds what differs from the service.
func (o *runOptions) bindContainer(cmd *cobra.Command) {
	one, flags := &o.oneOff, cmd.Flags()
	flags.StringSliceVar(&one.CapAdd, "cap-add", nil, "Add Linux capabilities")
	flags.StringSliceVar(&one.CapDrop, "cap-drop", nil, "Drop Linux capabilities")
	flags.StringVar(&o.entrypoint, "entrypoint", "", "Override the entrypoint of the image")
	flags.StringArrayVar(&one.EnvFiles, "env-from-file", nil, "Set environment variables from file")
	flags.StringArrayVarP(&one.Labels, "label", "l", nil, "Add or override a label")
	flags.StringVar(&one.Name, "name", "", "Assign a name to the container")
	flags.StringArrayVarP(&one.Ports, "publish", "p", nil, "Publish a container's port(s) to the host")
	flags.BoolVarP(&one.ServicePorts, "service-ports", "P", false, "Run command with all service's ports enabled and mapped to the host")
	flags.StringArrayVarP(&one.Volumes, "volume", "v", nil, "Bind mount a volume")
	for name, of := range map[string]string{"volumes": "volume", "labels": "label"} {
		flags.Var(flags.Lookup(of).Value, name, "Old name of --"+of)
		_ = flags.MarkHidden(name)
	}
}

func (o *runOptions) check() error {
	switch {
	case o.oneOff.ServicePorts && len(o.oneOff.Ports) > 0:
		return errors.New("--service-ports and --publish are incompatible")
	case o.ttyGiven && o.noTtyGiven:
		return errors.New("--tty and --no-tty can't be used together")
	}
	if o.ttyGiven {
		o.noTty, o.noTtyGiven = !o.tty, true
	}
	if err := o.decideTty(); err != nil {
		return err
	}
	return o.up.check()
}

func runRun(ctx context.Context, o *runOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	o.up.services = []string{o.service}
	p, err := o.up.loadForRun(ctx)
	if err != nil {
		return err
	}
	declared := p.Volumes
	if p, err = p.WithOneOff(o.service, o.container()); err != nil {
		return err
	}
	eng, err := o.dial(ctx, p.Name)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	one := &oneOffRun{runOptions: o, eng: eng, project: p, wanted: plan.OneOff{
		Service: o.service, Slug: project.Slug(), UseAliases: o.useAliases, AutoRemove: o.remove, Attached: !o.detach && o.interactive,
	}}
	for _, volume := range slices.Sorted(maps.Keys(p.Volumes)) {
		if _, ours := declared[volume]; !ours {
			one.wanted.Volumes = append(one.wanted.Volumes, volume)
		}
	}
	if o.app.Size != nil && !o.noTty {
		one.wanted.ConsoleSize.Width, one.wanted.ConsoleSize.Height = o.app.Size()
	}
	if err := one.plan(ctx); err != nil {
		return err
	}
	if o.dryRun {
		o.showPlan(one.made, o.applying)
		return nil
	}
	return one.run(ctx)
}

// container is what the command line says about it.
func (o *runOptions) container() project.OneOff {
	one := o.oneOff
	one.Command, one.User, one.WorkingDir, one.Variables = o.program, o.user, o.folder, o.variables
	one.Env, one.Dir, one.Tty, one.Stdin = o.app.Env, o.app.Dir, !o.noTty, o.interactive
	if o.entrypointGiven {
		one.Entrypoint = &o.entrypoint
	}
	return one
}

// oneOffRun is one run of a one-off.
type oneOffRun struct {
	*runOptions
	eng     *engine.Hub
	project *project.Project
	wanted  plan.OneOff
	policy  plan.Policy
	made    *plan.Plan

	id, name string // of the container, once it is there
	started  bool   // it runs, or has run
}

// plan makes the plan; a question is asked first.
func (r *oneOffRun) plan(ctx context.Context) (err error) {
	r.policy = r.up.policy()
	converger := r.converger()
	if r.made, err = converger.PlanOneOff(ctx, r.project, r.policy, r.dryRun, r.wanted); err != nil || r.dryRun {
		return err
	}
	if len(r.made.Questions) == 0 || !r.app.InTerminal {
		return nil
	}
	if r.policy.RecreateVolumes, err = r.up.ask(r.made.Questions); err != nil {
		return err
	}
	r.made, err = converger.PlanOneOff(ctx, r.project, r.policy, false, r.wanted)
	return err
}

// run carries the plan out and runs the container. What is left of one that never ran, or that was to go, goes.
func (r *oneOffRun) run(ctx context.Context) error {
	looks, err := r.looks()
	if err != nil {
		return err
	}
	if r.quiet {
		looks.Mode = display.Quiet
	}
	if err = r.make(ctx, looks); err == nil {
		err = r.find(ctx)
	}
	if err != nil {
		return r.clean(err, true)
	}
	if r.detach {
		if err := r.start(ctx); err != nil {
			return r.clean(err, r.goes(err))
		}
		_, err := fmt.Fprintln(r.app.Out, r.id)
		return err
	}
	code, err := r.attend(ctx)
	if errors.Is(err, terminal.ErrDetached) {
		return r.detached(err)
	}
	if err = r.clean(err, r.goes(err)); err != nil {
		return err
	}
	return ended(code)
}

func (r *oneOffRun) converger() convergence.Converger {
	return convergence.Converger{Engine: r.eng, Providers: r.providers(r.project), Nearby: r.nearby}
}

// make makes the container and brings up what it depends on, as the project's only writer; that is over when it runs.
func (r *oneOffRun) make(ctx context.Context, looks display.Looks) error {
	attempted := false
	c := &change{globals: r.globals, eng: r.eng, made: r.made, again: func(ctx context.Context) (*plan.Plan, error) {
		if attempted && r.find(ctx) == nil { // it was made, and something else has failed
			if err := r.removeAll(); err != nil {
				return nil, err
			}
			r.id = ""
		}
		return r.converger().PlanOneOff(ctx, r.project, r.policy, false, r.wanted)
	}}
	if err := c.begin(ctx); err != nil {
		return err
	}
	defer func() { c.end(ctx); r.made = c.made }()
	if err := r.up.beforeBuilds(r.project, c.made); err != nil {
		return err
	}
	attempted = true
	return c.apply(ctx, r.up.newProgress(looks), display.Title{Project: c.made.Project, Verb: "run", Attached: !r.detach})
}

// goes says whether the container is to go after an end: where that was asked for, or the user has given up before it ran.
func (r *oneOffRun) goes(end error) bool {
	return r.remove || !r.started && errors.Is(end, context.Canceled)
}

// find finds the container that the plan has created, by the slug that nobody else has.
func (r *oneOffRun) find(ctx context.Context) error {
	containers, err := r.eng.ListContainers(ctx, engine.ContainerFilter{Project: r.project.Name})
	if err != nil {
		return fmt.Errorf("list containers of project %q: %w", r.project.Name, err)
	}
	for _, container := range containers {
		if container.Labels[project.LabelSlug] == r.wanted.Slug {
			r.id, r.name = container.ID, container.Name
			return nil
		}
	}
	return fmt.Errorf("the container for %q was removed before it could start", r.service)
}

// start starts the container and runs its post_start hooks.
func (r *oneOffRun) start(ctx context.Context) error {
	if err := r.eng.StartContainer(ctx, r.id); err != nil {
		return fmt.Errorf("start container %s: %w", r.name, err)
	}
	r.started = true
	target := step.Target{ID: r.id, Name: r.name, Service: r.service}
	for i, hook := range project.ServiceHooks(r.project, r.project.Services[r.service]).PostStart {
		run := step.RunHook{Target: target, Kind: step.PostStart, Index: i, Hook: hook}
		if err := run.Run(ctx, r.eng, func(step.Progress) {}); err != nil {
			if r.isEnd(ctx, err) {
				return nil // which needs its hooks no more
			}
			return err
		}
	}
	return nil
}

// isEnd says of what went wrong with a hook whether it is the container's end. That kills a hook, and the engine tells of the hook's end
// a moment before it tells of the container's.
func (r *oneOffRun) isEnd(ctx context.Context, err error) bool {
	const killed, moment = 137, 2 * time.Second
	var hook *step.HookError
	switch {
	case errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrConflict):
		return true
	case !errors.As(err, &hook) || hook.ExitCode != killed:
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	ended := false
	look := func() {
		details, err := r.eng.InspectContainer(ctx, r.id)
		if ended = errors.Is(err, engine.ErrNotFound) || err == nil && !details.Running(); ended {
			cancel()
		}
	}
	_ = r.eng.Events(ctx, engine.EventFilter{Project: r.project.Name}, look, func(event engine.Event) error {
		if event.ID == r.id && !ended {
			look()
		}
		return ctx.Err()
	})
	return ended
}

// attend starts the container with the caller's terminal or pipes at its ends, and passes signals on to it.
func (r *oneOffRun) attend(ctx context.Context) (code int, err error) {
	kill := func(ctx context.Context, signal string) error { return r.eng.KillContainer(ctx, r.id, signal) }
	err = r.passSignals(ctx, r.interrupts, kill, r.noTty, func(ctx context.Context) error {
		return r.loan(r.input(), !r.noTty, "").Lend(ctx, func(ctx context.Context, console engine.Console) (err error) {
			code, err = convergence.Attend(ctx, r.eng, convergence.Attended{
				ID: r.id, Project: r.project.Name, Console: console, Output: r.write, Start: r.start, Removed: r.remove,
			})
			return err
		})
	})
	return code, err
}

// clean removes what is left over after an end, where it is to go, and returns that end's error.
func (r *oneOffRun) clean(end error, goes bool) error {
	if !goes {
		return end
	}
	if err := r.removeAll(); err != nil {
		return errors.Join(end, err)
	}
	return end
}

// removeAll removes the container, if it is there, and the volumes of its files, whatever interrupts came before.
func (r *oneOffRun) removeAll() error {
	ctx, release := r.interrupts.fresh()
	defer release()
	if r.id == "" && r.find(ctx) != nil {
		return nil // it was never made
	}
	err := r.eng.RemoveContainer(ctx, r.id, engine.RemoveContainer{Force: true, Volumes: true})
	if err != nil && !errors.Is(err, engine.ErrNotFound) && !errors.Is(err, engine.ErrConflict) { // the engine removes it
		return fmt.Errorf("remove container %s: %w", r.name, err)
	}
	for _, node := range r.made.Nodes {
		fill, ok := node.Step.(step.FillVolume)
		if !ok || fill.Service != r.service {
			continue
		}
		if err := r.eng.RemoveVolume(ctx, fill.Volume); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return fmt.Errorf("remove volume %s: %w", fill.Volume, err)
		}
	}
	return nil
}
