package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/cmd/terminal"
	"github.com/muster-dev/muster/convergence"
	"github.com/muster-dev/muster/convergence/engine"
)

type attachCommandOptions struct {
	*globals
	interrupts *interrupts
	detachKeys string
	index      int
	noStdin    bool
	sigProxy   bool
}

func newAttach(g *globals, interrupts *interrupts) *cobra.Command {
	o := &attachCommandOptions{globals: g, interrupts: interrupts}
	cmd := &cobra.Command{
		Use:   "attach [OPTIONS] SERVICE",
		Short: "Attach local standard input, output, and error streams to a service's running container",
		Long: `Read what a container's own process writes from now on, and write what it reads, until it ends: the exit code is its.

Where the container has a terminal (tty: true) the detach keys leave it running. Else an interrupt goes to the container, unless
--sig-proxy=false, which ends the attachment only.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runAttach(cmd.Context(), o, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.detachKeys, "detach-keys", "", "Override the key sequence for detaching from a container.")
	flags.IntVar(&o.index, "index", 0, "index of the container if service has multiple replicas.")
	flags.BoolVar(&o.noStdin, "no-stdin", false, "Do not attach STDIN")
	flags.BoolVar(&o.sigProxy, "sig-proxy", true, "Proxy all received signals to the process")
	return cmd
}

func runAttach(ctx context.Context, o *attachCommandOptions, service string) error {
	eng, container, err := o.ofProject(ctx, service, o.index)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	details, err := eng.InspectContainer(ctx, container.ID)
	if err != nil {
		return err
	}
	var in io.Reader
	if details.OpenStdin && !o.noStdin {
		in = o.app.In
	}
	if details.Tty && in != nil && !o.app.InTerminal {
		return &hinted{terminal.ErrNoTerminal, "the container has a terminal: attach from one, or with --no-stdin"}
	}
	if o.dryRun {
		o.say("would attach to container %s", container.Name)
		return nil
	}
	var code int
	attend := func(ctx context.Context) error {
		loan := o.loan(in, details.Tty, o.detachKeys)
		loan.KeepOpen = !details.StdinOnce
		return loan.Lend(ctx, func(ctx context.Context, console engine.Console) (err error) {
			code, err = convergence.Attend(ctx, eng, convergence.Attended{
				ID: container.ID, Project: container.Project, Console: console, Output: o.write,
			})
			return err
		})
	}
	if o.sigProxy && !details.Tty {
		kill := func(ctx context.Context, signal string) error { return eng.KillContainer(ctx, container.ID, signal) }
		err = o.passSignals(ctx, o.interrupts, kill, true, attend)
	} else {
		err = attend(ctx)
	}
	if err != nil {
		return o.detached(err)
	}
	return ended(code)
}
