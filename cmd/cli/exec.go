package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/muster-dev/muster/convergence/engine"
)

type execOptions struct {
	consoleOptions
	index      int
	privileged bool
}

func newExec(g *globals) *cobra.Command {
	o := &execOptions{consoleOptions: consoleOptions{globals: g}}
	cmd := &cobra.Command{
		Use:   "exec [OPTIONS] SERVICE COMMAND [ARGS...]",
		Short: "Execute a command in a running container",
		Long: `Run a command beside a container's own process, and exit as it does.

At a terminal the command has one too: keys go to it as they are, and so does the window's size. The detach keys, ctrl-p ctrl-q or
detachKeys of the docker CLI's configuration, leave it running. With a pipe at either end it reads and writes that, byte for byte.`,
		Args: cobra.MinimumNArgs(2), //nolint:mnd // a service and a program
		RunE: func(cmd *cobra.Command, args []string) error {
			o.take(cmd, args)
			return runExec(cmd.Context(), o)
		},
	}
	o.bindConsole(cmd)
	flags := cmd.Flags()
	flags.BoolVarP(&o.detach, "detach", "d", false, "Detached mode: Run command in the background")
	flags.IntVar(&o.index, "index", 0, "Index of the container if service has multiple replicas")
	flags.BoolVar(&o.privileged, "privileged", false, "Give extended privileges to the process")
	return cmd
}

func runExec(ctx context.Context, o *execOptions) error {
	request := engine.Exec{
		Command: o.program, User: o.user, WorkingDir: o.folder, Privileged: o.privileged, Detach: o.detach,
	}
	var err error
	if request.Environment, err = o.parseVariables(o.variables); err != nil {
		return err
	}
	if err := o.decideTty(); err != nil {
		return err
	}
	eng, container, err := o.ofProject(ctx, o.service, o.index)
	if err != nil {
		return err
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	if o.dryRun {
		o.say("would run %s in container %s", quotedAll(o.program), container.Name)
		return nil
	}
	if o.detach {
		request.Tty = !o.noTty
		_, err := eng.Exec(ctx, container.ID, request, o.write)
		return err
	}
	var code int
	loan := o.loan(o.input(), !o.noTty, "")
	err = loan.Lend(ctx, func(ctx context.Context, console engine.Console) error {
		request.Console = console
		code, err = eng.Exec(ctx, container.ID, request, o.write)
		return err
	})
	if err := o.detached(err); err != nil {
		return err
	}
	return ended(code)
}

// quotedAll are words as a shell takes them.
func quotedAll(words []string) string {
	quotes := make([]string, len(words))
	for i, word := range words {
		quotes[i] = quoted(word)
	}
	return strings.Join(quotes, " ")
}

// ended is the outcome of a command that ends as a process does.
func ended(code int) error {
	if code == exitOK {
		return nil
	}
	return exitCode(code)
}
