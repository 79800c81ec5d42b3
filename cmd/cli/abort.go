package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/convergence/plan"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/project"
)

// attachOptions say whose logs an attached `up` shows, and what end of a container ends it.
type attachOptions struct {
	attach, noAttach  []string
	dependencies      bool
	onExit, onFailure bool
	watch             bool
	exitCodeFrom      string
}

func (a *attachOptions) bindAttach(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&a.onExit, "abort-on-container-exit", false, "Stops all containers if any container was stopped. Incompatible with -d")
	flags.BoolVar(&a.onFailure, "abort-on-container-failure", false,
		"Stops all containers if any container exited with failure. Incompatible with -d")
	flags.StringArrayVar(&a.attach, "attach", nil,
		"Restrict attaching to the specified services. Incompatible with --attach-dependencies.")
	flags.BoolVar(&a.dependencies, "attach-dependencies", false, "Automatically attach to log output of dependent services")
	flags.StringVar(&a.exitCodeFrom, "exit-code-from", "",
		"Return the exit code of the selected service container. Implies --abort-on-container-exit")
	flags.BoolVarP(&a.watch, "watch", "w", false, "Follow changes of source code: comes in a later version")
	flags.StringArrayVar(&a.noAttach, "no-attach", nil, "Do not attach (stream logs) to the specified services")
}

// aborts says whether the end of a container may end it all.
func (a *attachOptions) aborts() bool { return a.onExit || a.onFailure || a.exitCodeFrom != "" }

// stopsOnExit says whether any end does.
func (a *attachOptions) stopsOnExit() bool { return a.onExit || a.exitCodeFrom != "" && !a.onFailure }

// check refuses what contradicts, in docker compose's words.
func (a *attachOptions) check(detach, wait bool) error {
	attached := len(a.attach) > 0 || a.dependencies
	switch {
	case a.onFailure && a.onExit:
		return errors.New("--abort-on-container-failure cannot be combined with --abort-on-container-exit")
	case len(a.attach) > 0 && a.dependencies:
		return errors.New("cannot combine --attach and --attach-dependencies")
	case wait && (a.stopsOnExit() || attached):
		return errors.New("--wait cannot be combined with --abort-on-container-exit, --attach or --attach-dependencies")
	case wait && (a.onFailure || a.watch):
		return errors.New("--wait cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, " +
			"--attach-dependencies or --watch")
	case detach && (a.aborts() || attached || a.watch):
		return errors.New("--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, " +
			"--attach-dependencies or --watch")
	}
	return nil
}

// checkNames refuses services that the project does not have.
func (a *attachOptions) checkNames(p *project.Project) error {
	for _, name := range slices.Concat(a.attach, a.noAttach, []string{a.exitCodeFrom}) {
		if name == "" {
			continue
		}
		if err := checkServices(p, nil, []string{name}); err != nil {
			return err
		}
	}
	if _, ok := p.Services[a.exitCodeFrom]; a.exitCodeFrom != "" && !ok {
		return fmt.Errorf("--exit-code-from %s: the service is not among those that are started", a.exitCodeFrom)
	}
	return nil
}

// shows says whether a service's logs are shown. named are the services of the command line.
func (a *attachOptions) shows(service project.Service, named []string) bool {
	switch {
	case slices.Contains(a.noAttach, service.Name):
		return false
	case len(a.attach) > 0:
		return slices.Contains(a.attach, service.Name)
	case slices.Contains(named, service.Name):
		return true
	case len(named) > 0 && !a.dependencies:
		return false
	}
	return service.Attach == nil || *service.Attach
}

// ending waits for the end of a container that ends it all.
type ending struct {
	options attachOptions
	project *project.Project
	needed  map[string]bool // services that others need completed
	stopped map[string]bool // containers that the plan itself stops, by ID
	first   chan logs.Item  // holds the first end that counts
}

func newEnding(options attachOptions, p *project.Project, made *plan.Plan) *ending {
	e := &ending{
		options: options, project: p, needed: map[string]bool{}, stopped: map[string]bool{}, first: make(chan logs.Item, 1),
	}
	for _, service := range p.Services {
		for name, dependency := range service.DependsOn {
			e.needed[name] = e.needed[name] || dependency.Condition == project.ConditionCompleted
		}
	}
	for _, node := range made.Nodes {
		if stop, ok := node.Step.(step.StopContainer); ok {
			e.stopped[stop.ID] = true
		}
	}
	return e
}

// note takes the end of a container, if it counts: not of one that the plan stops or the engine starts again, and not a one-shot
// that others need completed and that is.
func (e *ending) note(item logs.Item) {
	if item.Kind != logs.KindExited || item.Restarting || item.Source.OneOff || e.stopped[item.Source.ContainerID] {
		return
	}
	failed := item.ExitCode != 0
	if !failed && (e.needed[item.Source.Service] || !e.options.stopsOnExit()) || !e.options.aborts() {
		return
	}
	select {
	case e.first <- item:
	default:
	}
}

// concerns says whether a container's end may count, so that it has to be heard of.
func (e *ending) concerns(service string) bool {
	_, ok := e.project.Services[service]
	return ok && e.options.aborts()
}
