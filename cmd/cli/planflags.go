package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/project"
)

// planFlags are the flags of `plan` and `up` that decide what a plan is.
func planFlags() []string {
	return []string{
		"build", "no-build", "pull", "remove-orphans", "force-recreate", "no-recreate", "no-deps", "scale",
		"always-recreate-deps", "renew-anon-volumes", "no-start",
	}
}

// projectFlags are the flags before the command that decide what the project is.
func projectFlags() []string {
	return []string{
		"file", "project-name", "profile", "env-file", "project-directory", "workdir", "compatibility", "all-resources",
	}
}

// call notes how a plan is asked for.
func (o *upOptions) call(cmd *cobra.Command) savedCall {
	call := savedCall{
		Muster: o.app.Version, Host: o.engineAddress(), Services: slices.Clone(o.services), Flags: map[string][]string{},
	}
	if call.Services == nil {
		call.Services = []string{}
	}
	note := func(names []string, flags *pflag.FlagSet) {
		for _, name := range names {
			if flag := flags.Lookup(name); flag != nil && flag.Changed {
				call.Flags[name] = flagValues(flag)
			}
		}
	}
	note(planFlags(), cmd.Flags())
	note(projectFlags(), cmd.Root().Flags())
	if o.removeOrphans { // COMPOSE_REMOVE_ORPHANS may say so, too
		call.Flags["remove-orphans"] = []string{"true"}
	}
	return call
}

// engineAddress is where the engine is; empty where that cannot be found out, of which the connection will tell.
func (g *globals) engineAddress() string {
	endpoint, err := docker.ResolveEndpoint(g.engineOptions())
	if err != nil {
		return ""
	}
	return endpoint.Host
}

func flagValues(flag *pflag.Flag) []string {
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		return list.GetSlice()
	}
	return []string{flag.Value.String()}
}

// takeFrom reads the plan that is to be carried out and puts the flags that it was made with in place. Flags on the command line must not
// say otherwise.
func (o *upOptions) takeFrom(cmd *cobra.Command) error {
	switch {
	case o.consent.showSecrets && !o.consent.show:
		return errors.New("--show-secrets is for --plan")
	case o.consent.from == "":
		return nil
	case o.consent.show:
		return errors.New("--plan and --from are incompatible: the plan of the file has been seen")
	}
	saved, err := o.readPlan(o.consent.from)
	if err != nil {
		return err
	}
	call := saved.Saved.savedCall
	if len(o.services) > 0 && !slices.Equal(o.services, call.Services) {
		return o.otherwise("services " + strings.Join(o.services, ", "))
	}
	o.services = call.Services
	if err := o.takeFlags(call, planFlags(), cmd.Flags()); err != nil {
		return err
	}
	if err := o.takeFlags(call, projectFlags(), cmd.Root().Flags()); err != nil {
		return err
	}
	if here := o.engineAddress(); here != call.Host {
		return &movedError{o.consent.from, []string{fmt.Sprintf("it is for the engine at %s, and this is the one at %s", call.Host, here)}}
	}
	o.consent.saved = saved
	return o.readEnvironment()
}

func (o *upOptions) takeFlags(call savedCall, names []string, flags *pflag.FlagSet) error {
	for _, name := range names {
		flag := flags.Lookup(name)
		values, saved := call.Flags[name]
		switch {
		case flag == nil && saved:
			return fmt.Errorf("the plan in %q was made with --%s, which this command does not have", o.consent.from, name)
		case flag == nil:
		case flag.Changed && (!saved || !slices.Equal(values, flagValues(flag))):
			return o.otherwise("--" + name)
		case flag.Changed || !saved:
		default:
			for _, value := range values {
				if err := flags.Set(name, value); err != nil {
					return fmt.Errorf("read plan %q: --%s: %w", o.consent.from, name, err)
				}
			}
		}
	}
	return nil
}

// otherwise refuses what contradicts the plan of a file.
func (o *upOptions) otherwise(what string) error {
	return &hinted{
		fmt.Errorf("%s cannot be given with --from: the plan in %q was made otherwise", what, o.consent.from),
		"leave it out, or make the plan with it: muster plan --out " + quoted(o.consent.from),
	}
}

// refuseInput refuses to save the plan of a project that cannot be read again.
func (g *globals) refuseInput(p *project.Project) error {
	if slices.Contains(g.files, "-") || slices.Contains(p.ComposeFiles, "-") {
		return &hinted{
			fmt.Errorf("a plan for a file that comes from the input cannot be saved: `up --from` has to read the file again"),
			"name the file with -f",
		}
	}
	return nil
}
