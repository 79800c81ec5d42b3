package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/muster-dev/muster/project"
)

// hinted is an error with what to try next.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

// Hint is what to try next.
func (e *hinted) Hint() string { return e.hint }

// flagError says of a flag that cannot be understood what may have been meant.
func flagError(cmd *cobra.Command, err error) error {
	hint := "see `" + cmd.CommandPath() + " --help`"
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		return &hinted{badValue(bad), hint}
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return &hinted{err, hint}
	}
	name := unknown.GetSpecifiedName()
	if flag := globalFlag(cmd, name); flag != "" {
		hint = fmt.Sprintf("put it before the command: `%s %s ... %s`", cmd.Root().DisplayName(), flag, cmd.Name())
	} else if near := nearestFlag(cmd, name); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return &hinted{err, hint}
}

// badValue says what a flag takes, without how it was read.
func badValue(bad *pflag.InvalidValueError) error {
	flag := bad.GetFlag()
	name := "--" + flag.Name
	if flag.Shorthand != "" {
		name = "-" + flag.Shorthand + ", " + name
	}
	takes := map[string]string{"int": "a whole number", "bool": "true or false"}[flag.Value.Type()]
	if takes == "" {
		return bad
	}
	return fmt.Errorf("invalid argument %q for %q flag: it takes %s", bad.GetValue(), name, takes)
}

// isFlagError says whether an error is of the flags before the command, which cobra returns as they are.
func isFlagError(err error) bool {
	var (
		hint     interface{ Hint() string }
		unknown  *pflag.NotExistError
		noValue  *pflag.ValueRequiredError
		bad      *pflag.InvalidValueError
		noSyntax *pflag.InvalidSyntaxError
	)
	return !errors.As(err, &hint) &&
		(errors.As(err, &unknown) || errors.As(err, &noValue) || errors.As(err, &bad) || errors.As(err, &noSyntax))
}

// globalFlag is a flag of the whole command line as it was given to a command, which does not have it.
func globalFlag(cmd *cobra.Command, name string) string {
	flags := cmd.Root().Flags()
	switch {
	case cmd == cmd.Root():
	case flags.Lookup(name) != nil:
		return "--" + name
	case len(name) == 1 && flags.ShorthandLookup(name) != nil:
		return "-" + name
	}
	return ""
}

func nearestFlag(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, flag.Name)
		}
	})
	if near := project.Nearest(name, names); near != "" {
		return "--" + near
	}
	return ""
}

func unknownCommand(root *cobra.Command, name string) error {
	var names []string
	for _, command := range root.Commands() {
		names = append(names, command.Name())
	}
	hint := "see `" + root.CommandPath() + " --help`"
	if near := project.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return &hinted{fmt.Errorf("unknown command: %q", name), hint}
}
