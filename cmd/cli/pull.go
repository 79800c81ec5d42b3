package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

type pullOptions struct {
	lifecycleOptions
	ignoreBuildable, ignoreFailures bool
	includeDeps                     bool
	policy                          string
}

func newPull(g *globals) *cobra.Command {
	o := &pullOptions{lifecycleOptions: lifecycleOptions{globals: g}}
	cmd := lifecycleCommand(&o.lifecycleOptions, "pull [OPTIONS] [SERVICE...]", "Pull service images",
		`Pull the images of services, each once. No container changes: that is what `+"`muster up`"+` does.

Credentials come from the docker CLI's configuration and its helpers.`,
		func(ctx context.Context) error { return runPull(ctx, o) })
	flags := cmd.Flags()
	flags.BoolVar(&o.ignoreBuildable, "ignore-buildable", false, "Ignore images that can be built")
	flags.BoolVar(&o.ignoreFailures, "ignore-pull-failures", false, "Pull what it can and ignores images with pull failures")
	flags.BoolVar(&o.includeDeps, "include-deps", false, "Also pull services declared as dependencies")
	flags.StringVar(&o.policy, "policy", "", `Apply pull policy ("missing"|"always")`)
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "Pull without printing progress information")
	for _, name := range []string{"parallel", "no-parallel"} {
		flags.Bool(name, false, "Has no effect: --parallel before the command bounds pulls")
		_ = flags.MarkHidden(name)
	}
	return cmd
}

func runPull(ctx context.Context, o *pullOptions) error {
	if !slices.Contains([]string{"", project.PullAlways, project.PullMissing}, o.policy) {
		return fmt.Errorf("unsupported --policy value %q: use missing or always", o.policy)
	}
	p, err := o.load(ctx, o.services, !o.includeDeps)
	if err != nil {
		return err
	}
	eng, err := o.dial(ctx, p.Name)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	made, err := convergence.Converger{Engine: eng}.PlanPull(ctx, plan.PullInput{
		Project: p, Policy: o.policy, IgnoreBuildable: o.ignoreBuildable, IgnoreFailures: o.ignoreFailures,
	})
	if err != nil {
		return err
	}
	var failed []string
	title := display.Title{Project: p.Name, Verb: "pull", Done: p.Name + ": pulled", Nothing: p.Name + ": nothing to pull"}
	err = o.finish(ctx, eng, made, title, func(event convergence.Event) {
		if event.Phase == convergence.Failed && event.Optional {
			failed = append(failed, event.Object.Name)
		}
	})
	o.tellToBuild(p, failed)
	return err
}

// tellToBuild says which services have to be built, because their images could not be pulled.
func (o *pullOptions) tellToBuild(p *project.Project, failed []string) {
	var services []string
	for _, name := range p.ServiceNames() {
		if service := p.Services[name]; service.Build != nil && slices.Contains(failed, p.ImageName(service)) {
			services = append(services, name)
		}
	}
	if len(services) == 0 {
		return
	}
	slices.Sort(services)
	o.warn([]project.Warning{{Message: "Some service image(s) must be built from source by running: " +
		o.hintOf(programName+" build "+strings.Join(services, " "))}})
}
