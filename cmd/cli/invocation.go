package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// programName is how commands are told to the user.
const programName = "muster"

// invocation is how the user calls muster for the same project on the same engine: with the flags before the command that
// choose these, and without those that only choose looks. What Muster tells to run can be copied then.
func invocation(root *cobra.Command) string {
	ofProject := []string{
		"file", "project-name", "profile", "env-file", "project-directory", "workdir", "compatibility", "all-resources",
	}
	ofEngine := []string{"host", "context", "config", "tls", "tlsverify", "tlscacert", "tlscert", "tlskey"}
	typed := func(names []string) (words []string) {
		root.Flags().Visit(func(flag *pflag.Flag) {
			if slices.Contains(names, flag.Name) {
				words = append(words, asTyped(flag)...)
			}
		})
		return words
	}
	if docker, compose, plugin := strings.Cut(root.DisplayName(), " "); plugin {
		return strings.Join(slices.Concat([]string{docker}, typed(ofEngine), []string{compose}, typed(ofProject)), " ")
	}
	return strings.Join(append([]string{programName}, typed(append(ofProject, ofEngine...))...), " ")
}

// asTyped is a flag with its values as one types it.
func asTyped(flag *pflag.Flag) []string {
	name := "--" + flag.Name
	if flag.Shorthand != "" {
		name = "-" + flag.Shorthand
	}
	values := []string{flag.Value.String()}
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		values = list.GetSlice()
	}
	var words []string
	for _, value := range values {
		switch {
		case flag.Value.Type() != "bool":
			words = append(words, name, quoted(value))
		case value == "true":
			words = append(words, name)
		default:
			words = append(words, "--"+flag.Name+"="+value)
		}
	}
	return words
}

// applying is the command that does what a command only tells of: plan's is up, and else it is the same without --dry-run.
func applying(cmd *cobra.Command, services []string) string {
	name := cmd.Name()
	if name == "plan" {
		name = "up"
	}
	words := []string{invocation(cmd.Root()), name}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if cmd.LocalFlags().Lookup(flag.Name) == flag && !onlyLooks(flag.Name) {
			words = append(words, asTyped(flag)...)
		}
	})
	for _, service := range services {
		words = append(words, quoted(service))
	}
	return strings.Join(words, " ")
}

// onlyLooks says of a flag that it decides how a plan is told, and not what it is.
func onlyLooks(flag string) bool {
	return slices.Contains([]string{formatFlag, outFlag, showSecretsFlag, schemaFlag}, flag)
}

// joinValues writes the flags before the command so that a value cannot be taken for a flag of its own: "--parallel", "-1"
// becomes "--parallel=-1".
func joinValues(flags *pflag.FlagSet, args []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" || !strings.HasPrefix(arg, "-") {
			return append(joined, args[i:]...)
		}
		if i+1 < len(args) && takesNext(flags, arg) {
			i++
			if args[i] == "" { // "-c=" would be a value "="
				joined = append(joined, arg, "")
				continue
			}
			arg += "=" + args[i]
		}
		joined = append(joined, arg)
	}
	return joined
}

// takesNext says whether the value of a flag is the argument after it.
func takesNext(flags *pflag.FlagSet, arg string) bool {
	name, long := strings.CutPrefix(arg, "--")
	if long {
		flag := flags.Lookup(name)
		return flag != nil && flag.NoOptDefVal == ""
	}
	for i, letter := range arg[1:] {
		flag := flags.ShorthandLookup(string(letter))
		if flag == nil || flag.NoOptDefVal == "" {
			return flag != nil && i+1 == len(arg[1:])
		}
	}
	return false
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// hintOf is what an error says to try, with muster as the user calls it.
func (g *globals) hintOf(hint string) string {
	if rest, ok := strings.CutPrefix(hint, programName+" "); ok && g.invocation != "" {
		hint = g.invocation + " " + rest
	}
	if g.plugin {
		hint = strings.ReplaceAll(hint, "`"+programName+" ", "`"+pluginProgram+" ")
	}
	return hint
}
