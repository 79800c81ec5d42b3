package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

type psOptions struct {
	*globals
	services        []string
	all, quiet      bool
	noTrunc, byName bool
	orphans         bool
	format          string
	status          []string
}

func newPs(g *globals) *cobra.Command {
	o := &psOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "ps [OPTIONS] [SERVICE...]",
		Short: "List containers",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			return runPs(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.all, "all", "a", false, "Show all stopped containers (including those created by the run command)")
	flags.StringVar(&o.format, "format", "", `Format output ("table"|"json"); on a terminal a narrow table is the default`)
	flags.BoolVar(&o.noTrunc, "no-trunc", false, "Don't truncate output")
	flags.BoolVar(&o.orphans, "orphans", true, "Include orphaned services (not declared by project)")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "Only display IDs")
	flags.BoolVar(&o.byName, "services", false, "Display services")
	flags.StringArrayVar(&o.status, "status", nil,
		"Filter services by status. Values: ["+strings.Join(states(), " | ")+"]")
	return cmd
}

func runPs(ctx context.Context, o *psOptions) error {
	if !slices.Contains([]string{"", "table", "json"}, o.format) {
		return fmt.Errorf("unsupported --format value %q: use table or json", o.format)
	}
	for _, status := range o.status {
		if !slices.Contains(states(), status) {
			return fmt.Errorf("unknown --status %q: use %s", status, strings.Join(states(), ", "))
		}
	}
	here, err := o.look(ctx, o.services)
	if err != nil {
		return err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	narrow := o.format == "" && o.app.OutTerminal
	containers := slices.DeleteFunc(here.containers, func(c engine.Container) bool {
		return !o.shows(c, narrow) || !o.orphans && isOrphan(here.project, c)
	})
	return o.write(containers, narrow)
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

func (o *psOptions) write(containers []engine.Container, narrow bool) error {
	switch {
	case o.quiet:
		return o.list(containers, func(c engine.Container) string { return c.ID })
	case o.byName:
		return o.list(containers, func(c engine.Container) string { return c.Service })
	case o.format == "json":
		return display.ContainersJSON(o.app.Out, containers, time.Now(), o.noTrunc)
	case narrow:
		return display.Replicas(o.app.Out, containers, o.colorOut())
	}
	return display.Containers(o.app.Out, containers, time.Now(), o.noTrunc)
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
