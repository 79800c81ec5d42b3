package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/build"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

type buildOptions struct {
	lifecycleOptions
	args             []string
	pull, noCache    bool
	withDependencies bool
	check, print     bool
	push             bool
	memory           byteSize
	ssh              string
	provenance, sbom string
}

func newBuild(g *globals) *cobra.Command {
	o := &buildOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "build [OPTIONS] [SERVICE...]", "Build or rebuild services",
		`Build the images of services with a build section, all at the same time, by the BuildKit that is in the engine, or by the builder
of docker buildx that --builder, BUILDX_BUILDER or `+"`docker buildx use`"+` names.

No container changes: that is what `+"`muster up`"+` does.`,
		func(ctx context.Context) error { return runBuild(ctx, o) })
	flags := cmd.Flags()
	flags.StringArrayVar(&o.args, "build-arg", nil, "Set build-time variables for services")
	flags.VarP(&o.memory, "memory", "m", "Has no effect: it was for the builder before BuildKit")
	flags.StringVar(&o.builder, "builder", "", "Set builder to use: one of docker buildx, or the name of a docker context")
	flags.BoolVar(&o.check, "check", false, "Check build configuration")
	flags.BoolVar(&o.noCache, "no-cache", false, "Do not use cache when building the image")
	flags.BoolVar(&o.print, "print", false, "Print equivalent bake file")
	flags.StringVar(&o.provenance, "provenance", "", `Add a provenance attestation ("true", "mode=max", ...)`)
	flags.StringVar(&o.sbom, "sbom", "", `Add a SBOM attestation ("true", "generator=IMAGE")`)
	flags.StringVar(&o.ssh, "ssh", "", `Set SSH authentications used when building service images ("default", or ID=PATH of a key or an agent's socket)`)
	flags.BoolVar(&o.push, "push", false, "Push service images")
	flags.BoolVar(&o.pull, "pull", false, "Always attempt to pull a newer version of the image")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "Suppress the build output")
	flags.BoolVar(&o.withDependencies, "with-dependencies", false, "Also build dependencies (transitively)")
	for _, name := range []string{"compress", "force-rm", "no-rm", "parallel"} {
		flags.Bool(name, false, "Has no effect: it was for the builder before BuildKit")
		_ = flags.MarkHidden(name)
	}
	flags.String("progress", "", "Has no effect: --progress before the command is what chooses")
	_ = flags.MarkHidden("progress")
	return cmd
}

func runBuild(ctx context.Context, o *buildOptions) error {
	p, err := o.load(ctx, o.services, !o.withDependencies)
	if err != nil {
		return err
	}
	overrides, err := o.overrides()
	if err != nil {
		return err
	}
	if _, err := graph.From(p); err != nil { // before an engine is asked for anything
		return err
	}
	p = p.WithBuild(overrides)
	if o.print {
		return o.printBake(p)
	}
	made, err := o.plan(p)
	switch {
	case err != nil:
		return err
	case made.Empty():
		o.warn([]project.Warning{{Message: "No services to build"}})
		return nil
	}
	o.followBuildkit()
	if o.memory != 0 {
		o.warn([]project.Warning{{Message: "--memory has no effect: BuildKit has no limit of its own"}})
	}
	if o.dryRun && !o.check {
		o.showPlan(made, o.applying)
		return nil
	}
	if err := o.beforeBuilds(p, made); err != nil {
		return err
	}
	eng, err := o.dial(ctx, p.Name)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	if o.check {
		return o.checkDockerfiles(ctx, eng, made)
	}
	return o.finish(ctx, eng, made, display.Title{
		Project: p.Name, Verb: "build", Done: p.Name + ": built",
	})
}

// followBuildkit takes BuildKit's own variable for progress where nothing else says how to show it.
func (o *buildOptions) followBuildkit() {
	modes := map[string]display.Mode{"plain": display.Plain, "tty": display.TTY, "rawjson": display.JSON, "quiet": display.Quiet}
	mode, known := modes[o.lookup("BUILDKIT_PROGRESS")]
	if known && !o.given("progress") && o.lookup("COMPOSE_PROGRESS") == "" {
		o.env["COMPOSE_PROGRESS"] = string(mode)
	}
}

// byteSize is a flag's value in bytes, "64m".
type byteSize int64

// Set implements pflag.Value.
func (b *byteSize) Set(text string) error {
	size, err := units.RAMInBytes(text)
	*b = byteSize(size)
	return err
}

// String implements pflag.Value.
func (b *byteSize) String() string { return strconv.FormatInt(int64(*b), 10) }

// Type implements pflag.Value.
func (*byteSize) Type() string { return "bytes" }

// plan plans the builds, and who brings the images to their registries.
func (o *buildOptions) plan(p *project.Project) (*plan.Plan, error) {
	made, err := plan.BuildImages(p, plan.PushNothing)
	if err != nil || made.Empty() {
		return made, err
	}
	builder, err := o.engineOptions().FindBuilder()
	switch {
	case err != nil:
		return nil, err
	case !o.push || o.check:
		return made, nil
	case builder.IsEngine():
		return plan.BuildImages(p, plan.PushByEngine)
	}
	return plan.BuildImages(p, plan.PushByBuilder)
}

// overrides are what the flags say about all build sections.
func (o *buildOptions) overrides() (project.BuildOverrides, error) {
	args, err := parseBuildArgs(o.args)
	if err != nil {
		return project.BuildOverrides{}, err
	}
	overrides := project.BuildOverrides{
		Args: args, Pull: o.pull, NoCache: o.noCache, Provenance: o.provenance, SBOM: o.sbom,
	}
	const agent = "default"
	id, path, given := strings.Cut(o.ssh, "=")
	switch {
	case o.ssh == "":
		return overrides, nil
	case id == "" || !given && id != agent:
		return overrides, fmt.Errorf("invalid ssh key %q", o.ssh)
	case path != "" && !filepath.IsAbs(path):
		path = filepath.Join(o.app.Dir, path)
	}
	overrides.SSH = map[string]string{id: path}
	return overrides, nil
}

// printBake writes the builds as a file for `docker buildx bake`.
func (o *buildOptions) printBake(p *project.Project) error {
	bake, err := build.NewBake(p, o.push)
	if err != nil {
		return err
	}
	if o.check {
		bake = bake.Checking()
	}
	text, err := json.MarshalIndent(bake, "", "  ")
	if err != nil {
		return fmt.Errorf("encode bake file: %w", err)
	}
	return o.writeOutput("", append(text, '\n'))
}

// checkDockerfiles tells what the checks find in the Dockerfiles of the builds of a plan. The exit code is 1 when there is anything.
func (o *buildOptions) checkDockerfiles(ctx context.Context, eng engine.Engine, made *plan.Plan) error {
	const atOnce = 4
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	checked := make([]display.CheckedBuild, len(made.Nodes))
	for i, node := range made.Nodes {
		request := node.Step.(step.BuildImage).Request //nolint:forcetypeassert // without pushes a plan of builds has no other steps
		checked[i].Service = request.Service
		group.Go(func() (err error) {
			checked[i].Findings, err = eng.CheckBuild(groupCtx, request)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if !o.quiet {
		display.BuildFindings(o.app.Out, checked, o.colorOut())
	}
	for _, one := range checked {
		if len(one.Findings) > 0 {
			return exitCode(exitError)
		}
	}
	return nil
}

// parseBuildArgs reads KEY=VALUE, and KEY alone, which has its value from the environment.
func parseBuildArgs(args []string) (map[string]*string, error) {
	parsed := map[string]*string{}
	for _, arg := range args {
		key, value, given := strings.Cut(arg, "=")
		if key == "" {
			return nil, fmt.Errorf("invalid --build-arg %q. Should be KEY=VALUE or KEY", arg)
		}
		parsed[key] = nil
		if given {
			parsed[key] = &value
		}
	}
	return parsed, nil
}

// beforeBuilds finds the builder of a plan's builds, and tells what they leave out of their build sections.
func (g *globals) beforeBuilds(p *project.Project, made *plan.Plan) error {
	var built []string
	for _, node := range made.Nodes {
		if step, ok := node.Step.(step.BuildImage); ok {
			built = append(built, step.Request.Service)
		}
	}
	if len(built) == 0 {
		return nil
	}
	if g.lookup("DOCKER_BUILDKIT") == "0" {
		g.warn([]project.Warning{{Message: "DOCKER_BUILDKIT=0 has no effect: BuildKit is what images are built with"}})
	}
	if narrowed, err := p.Narrow(built, true); err == nil {
		g.warn(build.Unsupported(narrowed))
	}
	_, err := g.engineOptions().FindBuilder()
	return err
}

// hushed is progress that leaves out how far pulls or builds are.
type hushed struct {
	display.Progress
	pulls, builds bool
}

// Event implements [display.Progress].
func (h hushed) Event(event convergence.Event) {
	if event.Phase == convergence.Progress {
		building := event.Progress.Build != nil
		if h.builds && building || h.pulls && !building && event.Step.Action() == "pull" {
			return
		}
	}
	h.Progress.Event(event)
}

func (o *upOptions) newProgress(looks display.Looks) display.Progress {
	return hushed{o.globals.newProgress(looks), o.quietPull, o.quietBuild}
}
