package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

type upOptions struct {
	*globals
	interrupts *interrupts

	services                     []string
	detach, wait                 bool
	waitTimeout, timeout         int
	timeoutGiven                 bool
	forceRecreate, noRecreate    bool
	noDeps, removeOrphans        bool
	scale                        []string
	pull                         string
	noColor, noPrefix, timestamp bool

	applying string // the command that does what a plan only tells of
}

func newUp(g *globals, interrupts *interrupts) *cobra.Command {
	o := &upOptions{globals: g, interrupts: interrupts}
	cmd := &cobra.Command{
		Use:   "up [OPTIONS] [SERVICE...]",
		Short: "Create and start containers",
		Long: `Create and start containers, in the order in which services depend on each other.

What is as the file wants it stays; what is not is replaced, and the old container goes only when the new one stands.
` + "`muster plan`" + ` shows beforehand what will be done and why.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services, o.timeoutGiven, o.applying = args, cmd.Flags().Changed("timeout"), applying(cmd, args)
			if !cmd.Flags().Changed("remove-orphans") {
				o.removeOrphans = g.isSet("COMPOSE_REMOVE_ORPHANS")
			}
			return runUp(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.detach, "detach", "d", false, "Detached mode: Run containers in the background")
	flags.BoolVar(&o.forceRecreate, "force-recreate", false, "Recreate containers even if their configuration and image haven't changed")
	flags.BoolVar(&o.noColor, "no-color", false, "Produce monochrome output")
	flags.BoolVar(&o.noDeps, "no-deps", false, "Don't start linked services")
	flags.BoolVar(&o.noPrefix, "no-log-prefix", false, "Don't print prefix in logs")
	flags.BoolVar(&o.noRecreate, "no-recreate", false,
		"If containers already exist, don't recreate them. Incompatible with --force-recreate.")
	flags.StringVar(&o.pull, "pull", "policy", `Pull image before running ("always"|"missing"|"never")`)
	flags.BoolVar(&o.removeOrphans, "remove-orphans", false, "Remove containers for services not defined in the Compose file")
	flags.StringArrayVar(&o.scale, "scale", nil,
		"Scale SERVICE to NUM instances. Overrides the scale setting in the Compose file if present.")
	flags.IntVarP(&o.timeout, "timeout", "t", 0, "Use this timeout in seconds for container shutdown when attached or when containers are already running")
	flags.BoolVar(&o.timestamp, "timestamps", false, "Show timestamps")
	flags.BoolVar(&o.wait, "wait", false, "Wait for services to be running|healthy. Implies detached mode.")
	flags.IntVar(&o.waitTimeout, "wait-timeout", 0, "Maximum duration in seconds to wait for the project to be running|healthy")
	return cmd
}

// check refuses flags that contradict each other, in docker compose's words.
func (o *upOptions) check() error {
	for _, refusal := range []struct {
		refused bool
		message string
	}{
		{o.waitTimeout < 0, "--wait-timeout must be a non-negative integer"},
		{o.forceRecreate && o.noRecreate, "--force-recreate and --no-recreate are incompatible"},
		{o.isSet("COMPOSE_IGNORE_ORPHANS") && o.removeOrphans, "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans"},
	} {
		if refusal.refused {
			return errors.New(refusal.message)
		}
	}
	return nil
}

func (o *upOptions) policy() plan.Policy {
	policy := plan.Policy{
		Targets: o.services, RemoveOrphans: o.removeOrphans, IgnoreOrphans: o.isSet("COMPOSE_IGNORE_ORPHANS"),
		StopTimeout: seconds(o.timeout, o.timeoutGiven),
		Wait:        o.wait, WaitTimeout: time.Duration(o.waitTimeout) * time.Second,
	}
	switch {
	case o.forceRecreate:
		policy.Recreate = plan.RecreateAll
	case o.noRecreate:
		policy.Recreate = plan.RecreateNone
	}
	return policy
}

// seconds is a timeout that counts only when it was given.
func seconds(value int, given bool) *time.Duration {
	if !given {
		return nil
	}
	d := time.Duration(value) * time.Second
	return &d
}

// loadForRun loads the project and lays what the flags say about it over the file: replicas and pull policies.
func (o *upOptions) loadForRun(ctx context.Context) (*project.Project, error) {
	p, err := o.load(ctx, o.services, o.noDeps)
	if err != nil {
		return nil, err
	}
	replicas, err := parseScale(o.scale)
	if err != nil {
		return nil, err
	}
	if p, err = p.WithScale(replicas); err != nil {
		return nil, err
	}
	if p, err = p.WithPullPolicy(o.pull); err != nil {
		return nil, err
	}
	if len(p.Services) == 0 && !o.allResources {
		return nil, noService(p)
	}
	if _, err := graph.From(p); err != nil { // before an engine is asked for anything
		return nil, err
	}
	o.warn(p.Unsupported())
	return p, p.ReadContents()
}

// noService is docker compose's error for a project that has nothing to start, with what there could be.
func noService(p *project.Project) error {
	err := errors.New("no service selected")
	var profiles []string
	for _, service := range p.DisabledServices {
		profiles = append(profiles, service.Profiles...)
	}
	if len(profiles) == 0 {
		return &hinted{err, `write services under "services:" in the file`}
	}
	slices.Sort(profiles)
	return &hinted{err, "enable a profile with --profile: " + strings.Join(slices.Compact(profiles), ", ")}
}

func runUp(ctx context.Context, o *upOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	p, err := o.loadForRun(ctx)
	if err != nil {
		return err
	}
	eng, err := o.dial(ctx, p.Name)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	converger := convergence.Converger{Engine: eng}
	policy := o.policy()
	made, err := converger.Plan(ctx, p, policy, o.dryRun)
	if err != nil {
		return err
	}
	if o.dryRun {
		o.showPlan(made, o.applying)
		return nil
	}
	if len(made.Questions) > 0 && o.app.InTerminal {
		if policy.RecreateVolumes, err = ask(o.globals, made.Questions); err != nil {
			return err
		}
		if made, err = converger.Plan(ctx, p, policy, false); err != nil {
			return err
		}
	}
	if o.detach || o.wait {
		return o.applyDetached(ctx, eng, made)
	}
	return o.runForeground(ctx, eng, p, made)
}

// ask puts a plan's questions to the user; anything but yes is no.
func ask(g *globals, questions []plan.Question) (map[string]bool, error) {
	answers := map[string]bool{}
	reader := bufio.NewReader(g.app.In)
	for _, question := range questions {
		_, _ = fmt.Fprintf(g.app.Err, "%s [y/N] ", question.Text)
		line, err := reader.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read answer: %w", err)
		}
		answer := strings.ToLower(strings.TrimSpace(line))
		answers[question.Volume] = answer == "y" || answer == "yes"
	}
	return answers, nil
}

func (o *upOptions) title(p *plan.Plan, attached bool) display.Title {
	return display.Title{
		Project: p.Project, Verb: "up", Attached: attached, Done: p.Project + " is up", Nothing: p.Project + " is up to date",
	}
}

func (o *upOptions) applyDetached(ctx context.Context, eng engine.Engine, made *plan.Plan) error {
	looks, err := o.looks()
	if err != nil {
		return err
	}
	if err := apply(ctx, eng, made, display.NewProgress(looks, o.app.Streams), o.title(made, false)); err != nil {
		return err
	}
	o.addresses(ctx, eng, made, looks)
	return nil
}

// addresses tells people where to look, when something has changed.
func (o *upOptions) addresses(ctx context.Context, eng engine.Engine, made *plan.Plan, looks display.Looks) {
	if looks.Mode != display.TTY || !made.HasChanges() {
		return
	}
	containers, err := eng.ListContainers(ctx, engine.ContainerFilter{Project: made.Project})
	if err != nil {
		return // it is an extra; the stack is up
	}
	display.Addresses(o.app.Err, containers)
}

func (g *globals) colorOut() bool {
	looks, err := g.looks()
	return err == nil && looks.ColorOut
}

// parseScale reads SERVICE=NUM options.
func parseScale(options []string) (map[string]int, error) {
	replicas := map[string]int{}
	for _, option := range options {
		service, number, _ := strings.Cut(option, "=")
		wanted, err := strconv.Atoi(number)
		if err != nil || service == "" || wanted < 0 {
			return nil, fmt.Errorf("invalid --scale option %q. Should be SERVICE=NUM", option)
		}
		replicas[service] = wanted
	}
	return replicas, nil
}
