package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/cmd/terminal"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// consoleOptions are what exec and run have in common: what a process gets of the caller's.
type consoleOptions struct {
	*globals
	detach, noTty    bool
	interactive, tty bool
	noTtyGiven       bool
	user, folder     string
	variables        []string
	program          []string
	service          string
}

// bindConsole binds their flags. They are only taken before the service: what comes after it is the process's own.
func (o *consoleOptions) bindConsole(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.StringArrayVarP(&o.variables, "env", "e", nil, "Set environment variables")
	flags.BoolVarP(&o.noTty, "no-tty", "T", false, "Disable pseudo-TTY allocation (default: auto-detected)")
	flags.StringVarP(&o.user, "user", "u", "", "Run the command as this user")
	flags.StringVarP(&o.folder, "workdir", "w", "", "Path to workdir directory for this command")
	flags.BoolVarP(&o.interactive, "interactive", "i", true, "Keep STDIN open even if not attached")
	flags.BoolVarP(&o.tty, "tty", "t", true, "Allocate a pseudo-TTY")
	flags.BoolVar(&o.noTty, "no-TTY", false, "Old name of --no-tty")
	for _, name := range []string{"interactive", "tty", "no-TTY"} {
		_ = flags.MarkHidden(name)
	}
}

// take takes the command line.
func (o *consoleOptions) take(cmd *cobra.Command, args []string) {
	o.service, o.program = args[0], args[1:]
	o.noTtyGiven = cmd.Flags().Changed("no-tty") || cmd.Flags().Changed("no-TTY")
}

// decideTty decides whether the process has a terminal, where the flags do not say it: where a person sits at both ends.
func (o *consoleOptions) decideTty() error {
	if !o.noTtyGiven {
		o.noTty = !o.app.OutTerminal || o.interactive && !o.app.InTerminal || !o.tty
		return nil
	}
	if !o.noTty && !o.detach && o.interactive && !o.app.InTerminal {
		return &hinted{terminal.ErrNoTerminal, "leave out --no-tty=false: without a terminal, what is piped in is passed on as it is"}
	}
	return nil
}

// input is what the process reads; nil for nothing.
func (o *consoleOptions) input() io.Reader {
	if !o.interactive || o.detach {
		return nil
	}
	return o.app.In
}

// loan is what the process gets of the terminal, or of the pipes.
func (g *globals) loan(in io.Reader, tty bool, detachKeys string) terminal.Loan {
	return terminal.Loan{In: in, Out: g.app.Out, Tty: tty, DetachKeys: cmp.Or(detachKeys, g.engineOptions().DetachKeys())}
}

// write passes on what the process writes, as it is.
func (g *globals) write(frame engine.Frame) error {
	to := g.app.Out
	if frame.Stream == engine.Stderr {
		to = g.app.Err
	}
	if _, err := to.Write(frame.Data); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

// parseVariables reads KEY=VALUE, or KEY for the value that it has here; one that has none here is left out.
func (g *globals) parseVariables(entries []string) (map[string]string, error) {
	variables := map[string]string{}
	own := map[string]string{}
	for _, entry := range g.app.Env {
		name, value, _ := strings.Cut(entry, "=")
		own[name] = value
	}
	for _, entry := range entries {
		name, value, given := strings.Cut(entry, "=")
		if name == "" {
			return nil, fmt.Errorf("invalid environment variable: %s", entry)
		}
		if !given {
			if value, given = own[name]; !given {
				continue
			}
		}
		variables[name] = value
	}
	return variables, nil
}

// ofProject finds a container of a service by the project's name alone, connected to the engine, which is to be closed.
func (g *globals) ofProject(ctx context.Context, service string, index int) (eng *engine.Hub, c engine.Container, err error) {
	if index < 0 {
		return nil, c, fmt.Errorf("invalid value for --index: %d is not the number of a replica", index)
	}
	name, err := project.Name(ctx, g.options(nil, false))
	if err != nil {
		return nil, c, err
	}
	if eng, err = g.dial(ctx, name); err != nil {
		return nil, c, err
	}
	containers, err := eng.ListContainers(ctx, engine.ContainerFilter{Project: name})
	if err != nil {
		err = fmt.Errorf("list containers of project %q: %w", name, err)
	} else {
		c, err = pick(containers, service, index)
	}
	if err != nil {
		_ = eng.Close()
		return nil, c, err
	}
	return eng, c, nil
}

// mostPolite is how many interrupts a container gets as they are; the next one kills it, and whoever interrupts after that waits for
// it no more.
const mostPolite = 2

// passSignals sends what signals come to a container while do lasts: an interrupt that it cannot get, because it does not run or the
// engine does not pass it on, ends do's context instead.
func (g *globals) passSignals(
	ctx context.Context, i *interrupts, kill func(ctx context.Context, signal string) error, others bool, do func(ctx context.Context) error,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ours, stop := i.relay()
	defer stop()
	var more <-chan os.Signal
	if others && g.app.OtherSignals != nil {
		var stopMore func()
		more, stopMore = g.app.OtherSignals()
		defer stopMore()
	}
	var passing errgroup.Group
	passing.Go(func() error {
		pass(ctx, kill, ours, more, func() { cancel(errInterrupted) })
		return nil
	})
	err := do(ctx)
	cause := context.Cause(ctx)
	cancel(nil)
	_ = passing.Wait()
	if errors.Is(cause, errInterrupted) {
		return cause
	}
	return err
}

// pass sends signals on until the context ends. An engine that does not answer keeps none of those that follow.
func pass(
	ctx context.Context, kill func(context.Context, string) error, interrupts, others <-chan os.Signal, giveUp func(),
) {
	const atOnce = 8
	var calls errgroup.Group
	calls.SetLimit(atOnce)
	defer calls.Wait() //nolint:errcheck // they return none
	send := func(name string, undelivered func()) {
		calls.TryGo(func() error {
			if err := kill(ctx, name); err != nil && !errors.Is(err, engine.ErrNotFound) {
				undelivered()
			}
			return nil
		})
	}
	for interrupted := 0; ; {
		select {
		case <-ctx.Done():
			return
		case signal := <-others:
			send(signalName(signal), func() {}) // one that does not run misses it
		case signal := <-interrupts:
			switch interrupted++; {
			case interrupted <= mostPolite:
				send(signalName(signal), giveUp)
			case interrupted == mostPolite+1:
				send("", giveUp)
			default:
				giveUp()
			}
		}
	}
}

// detached says so where the user has left a process alone.
func (g *globals) detached(err error) error {
	if errors.Is(err, terminal.ErrDetached) {
		_, _ = fmt.Fprintln(g.app.Err, err)
		return nil
	}
	return err
}
