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
	attachOptions
	logForms
	interrupts *interrupts

	services                     []string
	detach, wait                 bool
	waitTimeout, timeout         int
	timeoutGiven                 bool
	forceRecreate, noRecreate    bool
	noDeps, removeOrphans        bool
	build, noBuild               bool
	quietPull, quietBuild        bool
	yes, noStart                 bool
	menu, menuGiven              bool
	recreateDeps, renewVolumes   bool
	scale                        []string
	pull                         string
	noColor, noPrefix, timestamp bool

	consent  consent
	applying string // the command that does what a plan only tells of
}

func newUp(g *globals, interrupts *interrupts) *cobra.Command {
	o := &upOptions{globals: g, interrupts: interrupts}
	cmd := &cobra.Command{
		Use:   "up [OPTIONS] [SERVICE...]",
		Short: "Create and start containers",
		Long: `Create and start containers, in the order in which services depend on each other.

What is as the file wants it stays; what is not is replaced, and the old container goes only when the new one stands.
` + "`muster plan`" + ` shows beforehand what will be done and why.

` + formsHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services, o.timeoutGiven, o.applying = args, cmd.Flags().Changed("timeout"), applying(cmd, args)
			o.menuGiven = cmd.Flags().Changed(menuFlag)
			if err := o.takeFrom(cmd); err != nil {
				return err
			}
			if err := o.readAttached(cmd); err != nil {
				return err
			}
			return runUp(cmd.Context(), o)
		},
	}
	o.bindBuild(cmd)
	o.bindConsent(cmd)
	o.bindAttach(cmd)
	o.bindMenu(cmd)
	o.bindForms(cmd)
	bindRemoveOrphans(cmd, g, &o.removeOrphans)
	flags := cmd.Flags()
	flags.BoolVar(&o.recreateDeps, "always-recreate-deps", false, "Recreate dependent containers. Incompatible with --no-recreate.")
	flags.BoolVar(&o.noStart, "no-start", false, "Don't start the services after creating them")
	flags.BoolVarP(&o.renewVolumes, "renew-anon-volumes", "V", false,
		"Recreate anonymous volumes instead of retrieving data from the previous containers")
	flags.BoolVarP(&o.detach, "detach", "d", false, "Detached mode: Run containers in the background")
	flags.BoolVar(&o.forceRecreate, "force-recreate", false, "Recreate containers even if their configuration and image haven't changed")
	flags.BoolVar(&o.noColor, "no-color", false, "Produce monochrome output")
	flags.BoolVar(&o.noDeps, "no-deps", false, "Don't start linked services")
	flags.BoolVar(&o.noPrefix, "no-log-prefix", false, "Don't print prefix in logs")
	flags.BoolVar(&o.noRecreate, "no-recreate", false,
		"If containers already exist, don't recreate them. Incompatible with --force-recreate.")
	flags.BoolVar(&o.quietBuild, "quiet-build", false, "Suppress the build output")
	flags.StringArrayVar(&o.scale, "scale", nil,
		"Scale SERVICE to NUM instances. Overrides the scale setting in the Compose file if present.")
	flags.IntVarP(&o.timeout, "timeout", "t", 0, "Use this timeout in seconds for container shutdown when attached or when containers are already running")
	flags.BoolVar(&o.timestamp, "timestamps", false, "Show timestamps")
	flags.BoolVar(&o.wait, "wait", false, "Wait for services to be running|healthy. Implies detached mode.")
	flags.IntVar(&o.waitTimeout, "wait-timeout", 0, "Maximum duration in seconds to wait for the project to be running|healthy")
	return cmd
}

// bindBuild binds the flags about how images come, and what they show and ask.
func (o *upOptions) bindBuild(cmd *cobra.Command) {
	o.bindImages(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.quietPull, "quiet-pull", false, "Pull without printing progress information")
	flags.BoolVarP(&o.yes, "yes", "y", false, `Assume "yes" as answer to all prompts and run non-interactively`)
	flags.BoolVar(&o.yes, "y", false, "Old name of --yes")
	_ = flags.MarkHidden("y")
}

// bindImages binds the flags about how images come.
func (o *upOptions) bindImages(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&o.build, "build", false, "Build images before starting containers")
	flags.BoolVar(&o.noBuild, "no-build", false, "Don't build an image, even if it's policy")
	flags.StringVar(&o.pull, "pull", "policy", `Pull image before running ("always"|"missing"|"never"|"build")`)
}

// check refuses flags that contradict each other, in docker compose's words.
func (o *upOptions) check() error {
	for _, refusal := range []struct {
		refused bool
		message string
	}{
		{o.waitTimeout < 0, "--wait-timeout must be a non-negative integer"},
		{o.build && o.noBuild, "--build and --no-build are incompatible"},
		{o.noRecreate && o.renewVolumes, "--no-recreate and --renew-anon-volumes are incompatible"},
		{o.forceRecreate && o.noRecreate, "--force-recreate and --no-recreate are incompatible"},
		{o.recreateDeps && o.noRecreate, "--always-recreate-deps and --no-recreate are incompatible"},
		{o.noBuild && o.watch, "--no-build and --watch are incompatible"},
		{o.isSet("COMPOSE_IGNORE_ORPHANS") && o.removeOrphans, "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans"},
	} {
		if refusal.refused {
			return errors.New(refusal.message)
		}
	}
	if err := o.attachOptions.check(o.detach, o.wait); err != nil || !o.watch {
		return err
	}
	return comesLater("--watch", "bring changes into containers by `muster up --build`")
}

func (o *upOptions) policy() plan.Policy {
	policy := plan.Policy{
		Targets: o.services, RemoveOrphans: o.removeOrphans, IgnoreOrphans: o.isSet("COMPOSE_IGNORE_ORPHANS"),
		StopTimeout: seconds(o.timeout, o.timeoutGiven),
		NoStart:     o.noStart, RecreateDependencies: o.recreateDeps, RenewAnonymousVolumes: o.renewVolumes,
		Wait: o.wait, WaitTimeout: time.Duration(o.waitTimeout) * time.Second, ShowSecrets: o.consent.showSecrets,
	}
	switch {
	case o.forceRecreate, o.renewVolumes:
		policy.Recreate = plan.RecreateAll
	case o.noRecreate:
		policy.Recreate = plan.RecreateNone
	}
	switch {
	case o.build:
		policy.Build = plan.BuildAlways
	case o.noBuild:
		policy.Build = plan.BuildNever
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
	if err := o.checkNames(p); err != nil {
		return nil, err
	}
	if err := o.checkProviders(p); err != nil {
		return nil, err
	}
	o.warn(p.Unsupported())
	return o.readContents(ctx, p)
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
	hub, err := o.dial(ctx, p.Name)
	if err != nil {
		return err
	}
	defer hub.Close() //nolint:errcheck // nothing is left to be said to the engine
	eng, err := o.keepLogs(hub, p.Name)
	if err != nil {
		return err
	}
	defer eng.warn()
	converger := convergence.Converger{Engine: eng, Providers: o.providers(p), Nearby: o.nearby}
	policy := o.policy()
	planned := func(ctx context.Context) (*plan.Plan, error) {
		return converger.Plan(ctx, p, policy, o.dryRun || o.consent.exact())
	}
	made, err := o.planAgreed(ctx, planned, &policy)
	if err != nil || o.dryRun {
		return err
	}
	c := &change{globals: o.globals, eng: eng, made: made, again: o.consent.holding(planned)}
	if err := c.begin(ctx); err != nil {
		return err
	}
	defer c.end(ctx)
	if err := o.beforeBuilds(p, c.made); err != nil {
		return err
	}
	if o.detach || o.wait || o.noStart {
		return o.applyDetached(ctx, c)
	}
	return o.runForeground(ctx, c, p)
}

// mayAsk says whether a plan has questions that can be answered now. One of a file was made without answers.
func (o *upOptions) mayAsk(made *plan.Plan) bool {
	return len(made.Questions) > 0 && o.consent.from == "" && (o.app.InTerminal || o.yes)
}

// planAgreed makes the plan, puts its questions to the user, whose answers go into the policy that it is made by, and has it agreed to where
// that is wanted. A dry run is over then.
func (o *upOptions) planAgreed(ctx context.Context, planned replan, policy *plan.Policy) (*plan.Plan, error) {
	made, err := planned(ctx)
	if err != nil {
		return nil, err
	}
	if o.dryRun {
		o.showPlan(made, o.applying)
		return made, o.consent.check(made)
	}
	if o.mayAsk(made) {
		if policy.RecreateVolumes, err = o.ask(made.Questions); err != nil {
			return nil, err
		}
		if made, err = planned(ctx); err != nil {
			return nil, err
		}
	}
	if err := made.Refusal(); err != nil {
		return nil, err
	}
	return made, o.agree(made)
}

// ask puts a plan's questions to the user; anything but yes is no.
func (o *upOptions) ask(questions []plan.Question) (map[string]bool, error) {
	answers := map[string]bool{}
	reader := bufio.NewReader(o.app.In)
	for _, question := range questions {
		if o.yes {
			answers[question.Volume] = true
			continue
		}
		_, _ = fmt.Fprintf(o.app.Err, "%s [y/N] ", question.Text)
		yes, err := o.isYes(reader)
		if err != nil {
			return nil, err
		}
		answers[question.Volume] = yes
	}
	return answers, nil
}

// isYes reads a line from the user: only a yes is one.
func (*globals) isYes(reader *bufio.Reader) (bool, error) {
	line, err := reader.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read answer: %w", err)
	}
	word := strings.ToLower(strings.TrimSpace(line))
	return word == "y" || word == "yes", nil
}

func (o *upOptions) title(p *plan.Plan, attached bool) display.Title {
	if o.noStart {
		return display.Title{
			Project: p.Project, Verb: "create", Done: p.Project + " is created", Nothing: p.Project + " is up to date",
		}
	}
	return display.Title{
		Project: p.Project, Verb: "up", Attached: attached, Done: p.Project + " is up", Nothing: p.Project + " is up to date",
	}
}

func (o *upOptions) applyDetached(ctx context.Context, c *change) error {
	looks, err := o.looks()
	if err != nil {
		return err
	}
	if err := c.apply(ctx, o.newProgress(looks), o.title(c.made, false)); err != nil {
		return err
	}
	o.addresses(ctx, c.eng, c.made, looks)
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
