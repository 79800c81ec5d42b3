package cli

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The docker CLI's side of its plugins (docker/cli, cli-plugins/metadata).
const (
	pluginWord      = "compose"        // what the docker CLI's user types, and what it passes on
	pluginProgram   = "docker compose" // how commands are told to such a user
	metadataCommand = "docker-cli-plugin-metadata"
	hooksCommand    = "docker-cli-plugin-hooks"
	socketVariable  = "DOCKER_CLI_PLUGIN_SOCKET"
)

// Introduce tells the docker CLI who the plugin is where the command line asks only for that, and says whether it did. The docker CLI
// asks before each of its commands: a program that begins with this does nothing else for it.
func Introduce(args []string, out io.Writer) bool {
	return len(args) == 1 && args[0] == metadataCommand && writeMetadata(out, buildVersion()) == nil
}

func writeMetadata(out io.Writer, version string) error {
	return json.NewEncoder(out).Encode(struct{ SchemaVersion, Vendor, Version, ShortDescription string }{
		"0.1.0", "Muster", "v" + version, "Compose projects up and down, with a plan that says what and why",
	})
}

// newPluginCommands are what the docker CLI calls by itself.
func newPluginCommands(g *globals) []*cobra.Command {
	return []*cobra.Command{
		{
			Use: metadataCommand, Short: "Say who this plugin of the docker CLI is", Hidden: true,
			RunE: func(*cobra.Command, []string) error { return writeMetadata(g.app.Out, g.app.Version) },
		},
		{
			Use: hooksCommand, Hidden: true, DisableFlagParsing: true,
			Short: "Say what to try after a command of the docker CLI: nothing, since errors say it themselves",
			RunE:  func(*cobra.Command, []string) error { return nil },
		},
	}
}

// asPlugin takes the word by which the docker CLI passes a command line on out of it, if it is there: what is before it is the
// docker CLI's, "--context far compose up". Help and completions of it are passed on as "help compose up" and as
// "__complete --context far compose up".
func asPlugin(flags *pflag.FlagSet, args []string) (rest []string, plugin bool) {
	from, last := 0, len(args)
	if len(args) > 1 {
		switch args[0] {
		case cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
			from, last = 1, len(args)-1 // the last word is not written in full
		case "help":
			from = 1
		}
	}
	for i := from; i < last; i++ {
		switch {
		case args[i] == pluginWord:
			return slices.Delete(slices.Clone(args), i, i+1), true
		case args[i] == "--" || !strings.HasPrefix(args[i], "-"):
			return args, false
		case takesNext(flags, args[i]):
			i++
		}
	}
	return args, false
}

// bindDocker binds the docker CLI's own flags, which come before its command and here before ours. Those that choose looks
// choose ours.
func bindDocker(flags *pflag.FlagSet, g *globals) {
	flags.StringVarP(&g.host, "host", "H", "", "Engine to connect to (as DOCKER_HOST)")
	flags.StringVarP(&g.context, "context", "c", "", "Name of the docker context to connect to the engine with")
	flags.StringVar(&g.dockerConfig, "config", "", "Folder of the docker CLI's configuration (as DOCKER_CONFIG)")
	flags.BoolVar(&g.tls, "tls", false, "Use TLS (as DOCKER_TLS)")
	flags.BoolVar(&g.tlsVerify, "tlsverify", false, "Use TLS and verify the engine (as DOCKER_TLS_VERIFY)")
	flags.StringVar(&g.tlsCA, "tlscacert", "", "Trust only engines that are certified by this CA")
	flags.StringVar(&g.tlsCert, "tlscert", "", "File of the client's TLS certificate")
	flags.StringVar(&g.tlsKey, "tlskey", "", "File of the client's TLS key")
	flags.BoolVarP(&g.verbose, "debug", "D", false, "Show every call to the engine")
	flags.StringVarP(&g.logLevel, "log-level", "l", "", `Like --verbose when it is "debug"`)
	for _, name := range []string{"config", "tls", "tlsverify", "tlscacert", "tlscert", "tlskey", "debug", "log-level"} {
		_ = flags.MarkHidden(name)
	}
}

// addDocker lays the docker CLI's flags over the environment, where the rest of Muster finds what they say.
func (g *globals) addDocker() {
	for name, value := range map[string]string{
		"DOCKER_CONFIG": g.dockerConfig, "DOCKER_TLS": flagWord(g.tls), "DOCKER_TLS_VERIFY": flagWord(g.tlsVerify),
	} {
		if value != "" {
			g.env[name] = value
		}
	}
	g.verbose = g.verbose || g.logLevel == "debug"
}

func flagWord(set bool) string {
	if set {
		return "1"
	}
	return ""
}

// hangUp interrupts when the docker CLI ends the connection that it keeps to its plugin: it was told to end. It does not take
// part in what the terminal sends to both.
func (i *interrupts) hangUp(ctx context.Context, address string) {
	if address == "" {
		return
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", address)
	if err != nil {
		return // whoever called is gone, or is an older docker CLI's child
	}
	i.connection = connection
	i.group.Go(func() error {
		_, _ = io.Copy(io.Discard, connection)
		select {
		case i.hungUp <- struct{}{}:
		case <-i.end:
		}
		return nil
	})
}
