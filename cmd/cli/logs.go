package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/project"
)

type logsOptions struct {
	*globals
	logForms
	services                     []string
	follow                       bool
	tail, since, until           string
	index                        int
	noColor, noPrefix, timestamp bool
	logOrder
	showPrevious bool
}

func newLogs(g *globals) *cobra.Command {
	o := &logsOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "logs [OPTIONS] [SERVICE...]",
		Short: "View output from containers",
		Long:  "View output from containers.\n\n" + formsHelp + "\n\n" + previousHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.services = args
			if err := o.readForms(cmd, o.timestamp); err != nil {
				return err
			}
			return runLogs(cmd.Context(), o)
		},
	}
	o.bindForms(cmd)
	flags := cmd.Flags()
	flags.BoolVarP(&o.follow, "follow", "f", false, "Follow log output")
	flags.IntVar(&o.index, "index", 0, "index of the container if service has multiple replicas")
	flags.BoolVar(&o.noColor, "no-color", false, "Produce monochrome output")
	flags.BoolVar(&o.noPrefix, "no-log-prefix", false, "Don't print prefix in logs")
	flags.BoolVar(&o.showPrevious, "previous", false, "Show the last lines of the containers that were replaced, as far as they are kept here")
	flags.StringVar(&o.since, "since", "", "Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)")
	flags.StringVarP(&o.tail, "tail", "n", "all", "Number of lines to show from the end of the logs for each container")
	flags.BoolVarP(&o.timestamp, "timestamps", "t", false, "Show timestamps")
	flags.StringVar(&o.until, "until", "", "Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)")
	o.addOrder(flags)
	return cmd
}

func runLogs(ctx context.Context, o *logsOptions) error {
	if o.app.Frugal != nil {
		o.app.Frugal()
	}
	options, err := o.read(time.Now())
	if err != nil {
		return err
	}
	if o.showPrevious {
		return runPrevious(ctx, o, options)
	}
	here, err := o.look(ctx, o.services)
	if err != nil {
		return err
	}
	defer here.engine.Close() //nolint:errcheck // nothing is left to be said to the engine
	wanted := func(c engine.Container) bool { return o.wants(here.project, c) }
	if o.index > 0 && !slices.ContainsFunc(here.containers, wanted) {
		return fmt.Errorf("service %q has no container #%d", o.services[0], o.index)
	}
	printing := o.printing(o.sourceNames(here, wanted), serviceNames(here))
	var idle func() error
	if !o.holds(printing) { // what is held is written when its time has come
		printing.Stdout, idle = o.app.gathered()
	}
	var counted *logs.Options
	if o.criteria.Any() { // the engine counts what is hidden, too
		counted = &options
	}
	chain := o.chain(printing, counted)
	chain.idle = idle
	options.Project, options.Services, options.Filter = here.name, o.services, wanted
	if slices.ContainsFunc(here.containers, func(c engine.Container) bool { return wanted(c) && c.Running() }) {
		options.Linger = linger
	}
	err = chain.follow(ctx, here.engine, options)
	o.warn(chain.warnings())
	return err
}

// printing is how lines are printed, after names that are known and in colours that services share out.
func (o *logsOptions) printing(names, services []string) logs.PrinterOptions {
	return logs.PrinterOptions{
		Stdout: o.app.Out, Marks: marks(o.app.OutTerminal, o.events), Stderr: o.app.Err, NoPrefix: o.noPrefix, Timestamps: o.timestamp,
		Color: o.colorOut() && !o.noColor, Raw: !o.app.OutTerminal, Names: names, Services: services,
	}
}

// read reads what the flags say about which lines to show.
func (o *logsOptions) read(now time.Time) (options logs.Options, err error) {
	options.Follow = o.follow
	if options.Tail, err = parseTail(o.tail); err != nil {
		return options, err
	}
	if err = o.order(&options); err != nil {
		return options, err
	}
	if options.Since, err = parseMoment("since", o.since, now); err != nil {
		return options, err
	}
	if options.Until, err = parseMoment("until", o.until, now); err != nil {
		return options, err
	}
	switch {
	case o.index < 0:
		err = fmt.Errorf("invalid value for --index: %d is not the number of a replica", o.index)
	case o.index > 0 && len(o.services) != 1:
		err = errors.New("--index requires one service to be selected")
	default:
		err = o.checkPrevious()
	}
	return options, err
}

// wants says whether a container is to be heard: those of the named services, or of all but for those with attach: false.
func (o *logsOptions) wants(p *project.Project, c engine.Container) bool {
	if o.index > 0 && c.Number != o.index {
		return false
	}
	if len(o.services) > 0 || p == nil {
		return len(o.services) == 0 || slices.Contains(o.services, c.Service)
	}
	service, known := p.Services[c.Service]
	return !known || service.Attach == nil || *service.Attach
}

// linger bridges the moment between the end of the last container and its start by hand, as `docker restart` has it. It begins again with
// each event of the project.
const linger = time.Second

// sourceNames are the names before the lines, known beforehand so that all prefixes are equally wide: those of the replicas that may
// come, too, when they are waited for.
func (o *logsOptions) sourceNames(here found, wanted func(engine.Container) bool) []string {
	var names []string
	for _, c := range here.containers {
		if !c.OneOff && wanted(c) {
			names = append(names, logs.SourceOf(c).Name())
		}
	}
	if o.follow && here.project != nil {
		for _, name := range here.project.ServiceNames() {
			service := here.project.Services[name]
			for number := 1; number <= service.GetScale(); number++ {
				c := engine.Container{Project: here.name, Service: name, Number: number, Name: here.project.ContainerName(service, number)}
				if wanted(c) {
					names = append(names, logs.SourceOf(c).Name())
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// serviceNames are all that the project has, heard or not: they share the colours out.
func serviceNames(here found) []string {
	var names []string
	if here.project != nil {
		for name := range here.project.AllServices() {
			names = append(names, name)
		}
	}
	for _, c := range here.containers {
		names = append(names, c.Service)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func parseTail(value string) (int, error) {
	if value == "all" {
		return -1, nil
	}
	lines, err := strconv.Atoi(value)
	if err != nil || lines < 0 {
		return 0, fmt.Errorf("invalid value for --tail: %q is neither a number nor \"all\"", value)
	}
	return lines, nil
}
