package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/build"
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
	memory           string
}

func newBuild(g *globals) *cobra.Command {
	o := &buildOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "build [OPTIONS] [SERVICE...]", "Build or rebuild services",
		`Build the images of services with a build section, all at the same time, by the BuildKit that is in the engine.

No container changes: that is what `+"`muster up`"+` does.`,
		func(ctx context.Context) error { return runBuild(ctx, o) })
	flags := cmd.Flags()
	flags.StringArrayVar(&o.args, "build-arg", nil, "Set build-time variables for services")
	flags.StringVarP(&o.memory, "memory", "m", "", "Has no effect: it was for the builder before BuildKit")
	flags.BoolVar(&o.noCache, "no-cache", false, "Do not use cache when building the image")
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
	args, err := parseBuildArgs(o.args)
	if err != nil {
		return err
	}
	if _, err := graph.From(p); err != nil { // before an engine is asked for anything
		return err
	}
	p = p.WithBuild(project.BuildOverrides{Args: args, Pull: o.pull, NoCache: o.noCache})
	made, err := plan.BuildImages(p)
	switch {
	case err != nil:
		return err
	case made.Empty():
		o.warn([]project.Warning{{Message: "No services to build"}})
		return nil
	}
	if o.memory != "" {
		o.warn([]project.Warning{{Message: "--memory has no effect: BuildKit has no limit of its own"}})
	}
	if o.dryRun {
		o.showPlan(made, o.applying)
		return nil
	}
	o.warnOfBuilds(p, made)
	eng, err := o.dial(ctx, p.Name)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	return o.finish(ctx, eng, made, display.Title{
		Project: p.Name, Verb: "build", Done: p.Name + ": built",
	})
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

// warnOfBuilds tells what a plan's builds leave out of their build sections.
func (g *globals) warnOfBuilds(p *project.Project, made *plan.Plan) {
	var built []string
	for _, node := range made.Nodes {
		if step, ok := node.Step.(step.BuildImage); ok {
			built = append(built, step.Request.Service)
		}
	}
	if narrowed, err := p.Narrow(built, true); err == nil && len(built) > 0 {
		g.warn(build.Unsupported(narrowed))
	}
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
	return hushed{display.NewProgress(looks, o.app.Streams), o.quietPull, o.quietBuild}
}
