package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/project"
)

type psOptions struct {
	*globals
	services        []string
	all, quiet      bool
	formatGiven     bool
	noTrunc, byName bool
	orphans         bool
	format, filter  string
	form            display.Form // that the format means
	status          []string
}

func newPs(g *globals) *cobra.Command {
	o := &psOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "ps [OPTIONS] [SERVICE...]",
		Short: "List containers",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services, o.formatGiven = args, cmd.Flags().Changed(formatFlag)
			return runPs(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.all, "all", "a", false, "Show all stopped containers (including those created by the run command)")
	flags.StringVar(&o.filter, "filter", "", "Filter services by a property (supported filters: status)")
	flags.StringVar(&o.format, formatFlag, formatTable, listFormats+
		"; where it is not given, psFormat of the docker CLI's configuration counts, else a terminal gets a narrow table")
	flags.BoolVar(&o.noTrunc, "no-trunc", false, "Don't truncate output")
	flags.BoolVar(&o.orphans, "orphans", true, "Include orphaned services (not declared by project)")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "Only display IDs")
	flags.BoolVar(&o.byName, "services", false, "Display services")
	flags.StringArrayVar(&o.status, "status", nil,
		"Filter services by status. Values: ["+strings.Join(states(), " | ")+"]")
	return cmd
}

func runPs(ctx context.Context, o *psOptions) error {
	if err := o.read(); err != nil {
		return err
	}
	here, err := o.look(ctx, o.services)
	if err != nil {
		return err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	narrow := !o.formatGiven && o.app.OutTerminal
	containers := slices.DeleteFunc(slices.Clone(here.containers), func(c engine.Container) bool {
		return !o.shows(c, narrow) || !o.orphans && isOrphan(here.project, c)
	})
	unfinished := o.unfinished(ctx, here)
	list := display.Listing{Containers: containers, Parts: unfinished.Parts(), Now: time.Now(), Whole: o.noTrunc}
	var missing []display.Missing
	if narrow {
		list.Containers = append(list.Containers, o.hooksLeft(here, list.Parts)...)
		if len(o.status) == 0 {
			missing = o.missing(here)
		}
	}
	if err := o.write(list, missing, narrow); err != nil {
		return err
	}
	if !o.quiet && !o.byName {
		o.tellUnfinished(here.name, unfinished)
	}
	return nil
}

// hooksLeft are the containers of hooks that an interrupted command has left: people see them, too.
func (o *psOptions) hooksLeft(here found, parts map[string]plan.Part) []engine.Container {
	return slices.DeleteFunc(here.hooks, func(c engine.Container) bool { return parts[c.ID] == "" || !o.shows(c, true) })
}

// read reads what the flags say about what to list and how.
func (o *psOptions) read() (err error) {
	if o.filter != "" {
		switch key, value, given := strings.Cut(o.filter, "="); {
		case !given:
			return errors.New("arguments to --filter should be in form KEY=VAL")
		case key == "status":
			o.status = append(o.status, value)
		case key == "source":
			return &hinted{errors.New("filter source is not implemented"), "filter by status, or name services"}
		default:
			return &hinted{fmt.Errorf("unknown filter %s", key), "filter by status, or name services"}
		}
	}
	for _, status := range o.status {
		if !slices.Contains(states(), status) {
			return fmt.Errorf("unknown --status %q: use %s", status, strings.Join(states(), ", "))
		}
	}
	if !o.formatGiven && !o.quiet && !o.byName {
		if configured := o.engineOptions().ContainerFormat(); configured != "" {
			o.format, o.formatGiven = configured, true
		}
	}
	o.form, err = display.ParseForm(o.format)
	return err
}

// missing are the replicas that the file expects and the engine lacks.
func (o *psOptions) missing(here found) []display.Missing {
	if here.project == nil {
		return nil
	}
	var missing []display.Missing
	for _, name := range here.project.ServiceNames() {
		service := here.project.Services[name]
		if service.Provider != nil || len(o.services) > 0 && !slices.Contains(o.services, name) {
			continue
		}
		for _, number := range lacking(here.containers, name, service.GetScale()) {
			missing = append(missing, display.Missing{Service: name, Number: number})
		}
	}
	return missing
}

// lacking are the lowest numbers that a service has free for as many replicas as it lacks.
func lacking(containers []engine.Container, service string, wanted int) (numbers []int) {
	taken := map[int]bool{}
	for _, c := range containers {
		if c.Service == service && !c.OneOff {
			taken[c.Number] = true
		}
	}
	for number := 1; len(taken)+len(numbers) < wanted; number++ {
		if !taken[number] {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// isOrphan says whether a container is of a service that the file does not have, where there is a file.
func isOrphan(p *project.Project, c engine.Container) bool {
	if p == nil {
		return false
	}
	_, known := p.AllServices()[c.Service]
	return !known
}

// states are what --status takes.
func states() []string {
	return []string{"paused", "restarting", "removing", "running", "dead", "created", "exited"}
}

// shows says whether a container is to be listed. The narrow table for people has what has ended, too.
func (o *psOptions) shows(c engine.Container, narrow bool) bool {
	switch {
	case len(o.services) > 0 && !slices.Contains(o.services, c.Service):
		return false
	case len(o.status) > 0:
		return slices.Contains(o.status, string(c.State))
	case o.all:
		return true
	case c.OneOff:
		return false
	}
	return c.Running() || narrow
}

func (o *psOptions) write(list display.Listing, missing []display.Missing, narrow bool) error {
	containers := list.Containers
	switch {
	case o.quiet:
		return o.list(containers, func(c engine.Container) string { return c.ID })
	case o.byName:
		return o.list(containers, func(c engine.Container) string { return c.Service })
	case narrow:
		return display.Replicas(o.app.Out, list, missing, o.colorOut())
	case o.form.Table():
		return display.Containers(o.app.Out, containers, list.Now, list.Whole)
	}
	return display.ContainersBy(o.app.Out, o.form, list)
}

// list writes something of each container, each once.
func (o *psOptions) list(containers []engine.Container, word func(engine.Container) string) error {
	var words []string
	for _, c := range containers {
		if !slices.Contains(words, word(c)) {
			words = append(words, word(c))
		}
	}
	for _, one := range words {
		if _, err := fmt.Fprintln(o.app.Out, one); err != nil {
			return err
		}
	}
	return nil
}
