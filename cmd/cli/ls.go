package cli

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

type lsOptions struct {
	*globals
	all, quiet bool
	format     string
	filters    []string
}

func newLs(g *globals) *cobra.Command {
	o := &lsOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "ls [OPTIONS]",
		Short: "List running compose projects",
		Long:  "List the projects that the engine has, by the labels of their containers. No file is needed.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runLs(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.all, "all", "a", false, "Show all stopped Compose projects")
	flags.StringArrayVar(&o.filters, "filter", nil, "Filter output based on conditions provided (name=NAME or an expression)")
	flags.StringVar(&o.format, formatFlag, formatTable, listFormats)
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "Only display project names")
	return cmd
}

func runLs(ctx context.Context, o *lsOptions) error {
	form, err := display.ParseForm(o.format)
	if err != nil {
		return err
	}
	filter, err := parseNameFilter(o.filters)
	if err != nil {
		return err
	}
	eng, err := o.dial(ctx, "")
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	containers, err := eng.ListContainers(ctx, engine.ContainerFilter{AnyProject: true})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	stacks := slices.DeleteFunc(o.stacks(containers), func(s display.Stack) bool { return !filter(s.Name) })
	if o.quiet {
		for _, stack := range stacks {
			if _, err := fmt.Fprintln(o.app.Out, stack.Name); err != nil {
				return err
			}
		}
		return nil
	}
	if form.Table() {
		return display.Stacks(o.app.Out, stacks)
	}
	return display.StacksBy(o.app.Out, form, stacks)
}

// parseNameFilter reads name=VALUE filters: a project has to match one of them, by its name or an expression.
func parseNameFilter(filters []string) (func(name string) bool, error) {
	var wanted []*regexp.Regexp
	for _, filter := range filters {
		key, value, _ := strings.Cut(filter, "=")
		if key != "name" {
			return nil, fmt.Errorf("invalid value for --filter: %q: only name=... is known", filter)
		}
		pattern, err := regexp.Compile(value)
		if err != nil {
			return nil, fmt.Errorf("invalid value for --filter: %q: %w", filter, err)
		}
		wanted = append(wanted, pattern)
	}
	return func(name string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, func(r *regexp.Regexp) bool { return r.MatchString(name) })
	}, nil
}

// stacks are the projects of containers, sorted by name; without --all only those of which something runs.
func (o *lsOptions) stacks(containers []engine.Container) []display.Stack {
	byName := map[string]*display.Stack{}
	for _, c := range containers {
		if !o.all && !c.Running() {
			continue
		}
		stack := byName[c.Project]
		if stack == nil {
			stack = &display.Stack{Name: c.Project, States: map[engine.State]int{}}
			byName[c.Project] = stack
		}
		stack.States[c.State]++
		for file := range strings.SplitSeq(c.Labels[project.LabelConfigFiles], ",") {
			if file != "" && !slices.Contains(stack.Files, file) {
				stack.Files = append(stack.Files, file)
			}
		}
	}
	var stacks []display.Stack
	for _, stack := range byName {
		stacks = append(stacks, *stack)
	}
	slices.SortFunc(stacks, func(a, b display.Stack) int { return cmp.Compare(a.Name, b.Name) })
	return stacks
}
