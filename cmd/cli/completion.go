package cli

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/project"
)

// addCompletion adds the command that writes completion scripts, and says for all commands what these may offer. It needs no
// files and no engine, and comes after the other commands.
func addCompletion(root *cobra.Command, g *globals) {
	root.AddCommand(newCompletion())
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	c := &completer{globals: g}
	c.completeFlags(root)
	for _, command := range root.Commands() {
		c.completeFlags(command)
		switch {
		case strings.Contains(command.Use, "SERVICE=REPLICAS"):
			command.ValidArgsFunction = c.scaled
		case strings.Contains(command.Use, "SERVICE:"):
			command.ValidArgsFunction = c.copied
		case strings.Contains(command.Use, "SERVICE PRIVATE_PORT"):
			command.ValidArgsFunction = c.portArguments
		case strings.Contains(command.Use, "SERVICE"):
			command.ValidArgsFunction = c.serviceArguments(!strings.Contains(command.Use, "SERVICE...") && !strings.Contains(command.Use, "SERVICES"))
		}
	}
}

func newCompletion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Write a script that completes commands on Tab: bash, zsh, fish or powershell",
		Long: `Write a script for a shell: it completes commands, flags and their values, services, profiles and project names on Tab.

bash, with the package bash-completion:
  muster completion bash > ~/.local/share/bash-completion/completions/muster

zsh, into a folder of its $fpath:
  muster completion zsh > "${fpath[1]}/_muster"

fish:
  muster completion fish > ~/.config/fish/completions/muster.fish

PowerShell, as a line of the file that $PROFILE names:
  muster completion powershell | Out-String | Invoke-Expression

A new shell has it then.`,
		Example:               "  source <(muster completion bash)      for the current shell alone",
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return &hinted{fmt.Errorf("unknown shell %q", strings.Join(args, " ")), "name one: " + strings.Join(shells, ", ")}
			}
			return writeCompletion(cmd.Root(), args[0])
		},
	}
}

func writeCompletion(root *cobra.Command, shell string) error {
	out := root.OutOrStdout()
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(out, true)
	case "zsh":
		return root.GenZshCompletion(out)
	case "fish":
		return root.GenFishCompletion(out, true)
	}
	return root.GenPowerShellCompletionWithDesc(out)
}

// completer finds what can stand where the user has pressed Tab. What it cannot find out, within a second, it does not offer; it
// never says why, since that would be in the middle of the user's line.
type completer struct{ *globals }

// completeFlags says what the flags of a command take: what their usage lists, or what is there.
func (c *completer) completeFlags(command *cobra.Command) {
	live := map[string]cobra.CompletionFunc{
		"project-name": c.offering(c.projectNames), "profile": c.offering(c.profileNames),
		"scale": c.scaled, "index": c.numbered, "hash": c.offering(c.serviceNames), "exit-code-from": c.offering(c.serviceNames),
		"attach": c.offering(c.serviceNames), "no-attach": c.offering(c.serviceNames),
		"progress": fixed("auto", "tty", "plain", "json", "quiet"),
		"signal":   fixed("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"),
		"output":   files(), "env-file": files(), "file": files("yaml", "yml", "json"),
		"project-directory": folders, "workdir": folders,
	}
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		complete, ok := live[flag.Name]
		if !ok {
			values := listedValues(flag.Usage)
			if len(values) == 0 {
				return
			}
			complete = fixed(values...)
		}
		if flag.Value.Type() != "bool" {
			_ = command.RegisterFlagCompletionFunc(flag.Name, complete) // fails for flags that are not there
		}
	})
}

// listedValues are the values that a flag's usage lists: ("always"|"missing"), or [yaml | json].
func listedValues(usage string) []string {
	list := valueList.FindString(usage)
	return strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(`"[|] `, r) })
}

var valueList = regexp.MustCompile(`"[a-z]+"(\|"[a-z]+")+|\[[a-z]+( \| [a-z]+)+\]`)

func fixed(values ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, start string) ([]string, cobra.ShellCompDirective) {
		return beginning(values, start), cobra.ShellCompDirectiveNoFileComp
	}
}

// files are those with the endings, or all where none is given.
func files(endings ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		if len(endings) == 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// offering offers what a function finds.
func (c *completer) offering(find func(ctx context.Context) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, start string) ([]string, cobra.ShellCompDirective) {
		return beginning(c.patiently(cmd, find), start), cobra.ShellCompDirectiveNoFileComp
	}
}

// scaled offers services for SERVICE=NUM.
func (c *completer) scaled(cmd *cobra.Command, _ []string, start string) ([]string, cobra.ShellCompDirective) {
	names := beginning(c.patiently(cmd, c.serviceNames), start)
	for i := range names {
		names[i] += "="
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// copied offers services for SERVICE:PATH; where none fits, the shell offers files.
func (c *completer) copied(cmd *cobra.Command, _ []string, start string) ([]string, cobra.ShellCompDirective) {
	names := beginning(c.patiently(cmd, c.serviceNames), start)
	for i := range names {
		names[i] += ":"
	}
	return names, cobra.ShellCompDirectiveNoSpace
}

// serviceArguments offers the services that are not on the line yet; just for the first argument where one is taken.
func (c *completer) serviceArguments(one bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, start string) ([]string, cobra.ShellCompDirective) {
		if one && len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		names := slices.DeleteFunc(c.patiently(cmd, c.serviceNames), func(name string) bool { return slices.Contains(args, name) })
		return beginning(names, start), cobra.ShellCompDirectiveNoFileComp
	}
}

// numbered offers the numbers of a service's replicas.
func (c *completer) numbered(cmd *cobra.Command, args []string, start string) ([]string, cobra.ShellCompDirective) {
	return beginning(c.patiently(cmd, c.ofService(args, func(container engine.Container) []string {
		if container.Number == 0 {
			return nil
		}
		return []string{strconv.Itoa(container.Number)}
	})), start), cobra.ShellCompDirectiveNoFileComp
}

// portArguments offers a service, and then the ports of its containers.
func (c *completer) portArguments(cmd *cobra.Command, args []string, start string) ([]string, cobra.ShellCompDirective) {
	find := c.serviceNames
	if len(args) > 0 {
		find = c.ofService(args, func(container engine.Container) (ports []string) {
			for _, port := range container.Ports {
				ports = append(ports, strconv.Itoa(int(port.Port)))
			}
			return ports
		})
	}
	return beginning(c.patiently(cmd, find), start), cobra.ShellCompDirectiveNoFileComp
}

// ofService finds words of the containers of the service that is on the line, or of all where none is.
func (c *completer) ofService(args []string, words func(engine.Container) []string) func(ctx context.Context) []string {
	return func(ctx context.Context) (found []string) {
		name, err := project.Name(ctx, c.options(nil, false))
		if err != nil {
			return nil
		}
		c.containers(ctx, engine.ContainerFilter{Project: name}, func(container engine.Container) string {
			if len(args) == 0 || container.Service == args[0] {
				found = append(found, words(container)...)
			}
			return ""
		})
		return found
	}
}

// beginning are the words that begin with a text, sorted, each once. Words that a shell could take for more than a word are left
// out: they come from files and engines.
func beginning(words []string, start string) []string {
	var found []string
	for _, word := range words {
		if strings.HasPrefix(word, start) && quoted(word) == word {
			found = append(found, word)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// patiently asks with the settings of the command line and of the environment, as far as they can be read.
func (c *completer) patiently(cmd *cobra.Command, find func(ctx context.Context) []string) []string {
	ctx, cancel := context.WithTimeout(cmd.Context(), cmp.Or(c.app.TabPatience, time.Second))
	defer cancel()
	_ = c.readEnvironment() // what cannot be read is left out
	c.verbose, c.app.In = false, strings.NewReader("")
	return find(ctx)
}

// lenient are options that need as little as can be of the files to be right.
func (c *completer) lenient() project.Options {
	options := c.options(nil, false)
	options.SkipConsistency, options.SkipEnvResolution = true, true
	return options
}

// serviceNames are those of the file, whether their profiles are enabled or not; where there is no file that can be read, those
// of the project's containers.
func (c *completer) serviceNames(ctx context.Context) []string {
	if p, err := project.Load(ctx, c.lenient()); err == nil {
		return slices.Concat(p.ServiceNames(), p.DisabledServiceNames())
	}
	name, err := project.Name(ctx, c.options(nil, false))
	if err != nil {
		return nil
	}
	return c.containers(ctx, engine.ContainerFilter{Project: name}, func(c engine.Container) string { return c.Service })
}

func (c *completer) profileNames(ctx context.Context) []string {
	p, err := project.Load(ctx, c.lenient())
	if err != nil {
		return nil
	}
	return profiles(p)
}

func (c *completer) projectNames(ctx context.Context) []string {
	return c.containers(ctx, engine.ContainerFilter{AnyProject: true}, func(c engine.Container) string { return c.Project })
}

// containers are a word of each container that the engine has. An engine behind ssh is not asked: ssh could ask for a password.
func (c *completer) containers(ctx context.Context, filter engine.ContainerFilter, word func(engine.Container) string) []string {
	if endpoint, err := docker.ResolveEndpoint(c.engineOptions()); c.app.Dial == nil && (err != nil || strings.HasPrefix(endpoint.Host, "ssh://")) {
		return nil
	}
	eng, err := c.dial(ctx, filter.Project)
	if err != nil {
		return nil
	}
	defer eng.Close() //nolint:errcheck // nothing is left to be said to the engine
	found, err := eng.ListContainers(ctx, filter)
	if err != nil {
		return nil
	}
	words := make([]string, 0, len(found))
	for _, container := range found {
		words = append(words, word(container))
	}
	return words
}
