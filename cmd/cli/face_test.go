package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// notYet are the commands that say that they come later. Their flags need not be there.
func notYet() []string {
	return []string{"bridge", "publish", "watch", "alpha publish", "alpha generate"}
}

// wantedFlag is a flag as scripts for docker compose count on it.
type wantedFlag struct {
	name, shorthand, kind, value string
	hidden                       bool
}

// TestCommandLine holds Muster to docker compose's command line: every command and flag of the table is there, with its type,
// shorthand and default. What is hidden there may be shown here, not the other way round.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/face/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	root := newRoot(&globals{}, newInterrupts(t.Context(), nil))
	var command *cobra.Command
	path, commands, flags := "", 0, 0
	for line := range strings.Lines(string(text)) {
		line, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "  ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !indented:
			path = line
			command = find(t, root, path)
			commands++
		default:
			flags++
			if command != nil {
				parseFlag(t, line).check(t, path, command.Flags())
			}
		}
	}
	const knownCommands, knownFlags = 44, 231
	if commands < knownCommands || flags < knownFlags {
		t.Errorf("only %d commands and %d flags were looked at", commands, flags)
	}
}

// find is a command of the table; nil where it need not be there with its flags.
func find(t *testing.T, root *cobra.Command, path string) *cobra.Command {
	t.Helper()
	if path == "(before the command)" {
		return root
	}
	words := strings.Fields(path)
	found, rest, err := root.Find(words)
	there := err == nil && len(rest) == 0 && found != root
	for _, later := range notYet() {
		if path != later && !strings.HasPrefix(path, later+" ") {
			continue
		}
		if err != nil || found == root {
			t.Errorf("there is no command %q to say that it comes later", path)
		}
		return nil
	}
	if !there {
		t.Errorf("there is no command %q", path)
		return nil
	}
	return found
}

// parseFlag reads "-f --file array" or "--index int 0 hidden".
func parseFlag(t *testing.T, line string) wantedFlag {
	t.Helper()
	words := strings.Fields(line)
	var wanted wantedFlag
	if !strings.HasPrefix(words[0], "--") {
		wanted.shorthand, words = strings.TrimPrefix(words[0], "-"), words[1:]
	}
	if len(words) > 1 && words[len(words)-1] == "hidden" {
		wanted.hidden, words = true, words[:len(words)-1]
	}
	wanted.name, wanted.kind = strings.TrimPrefix(words[0], "--"), words[1]
	usual := map[string]string{"bool": "false", "int": "0", "array": "[]", "list": "[]", "bytes": "0"}
	wanted.value = usual[wanted.kind]
	if len(words) > 2 {
		wanted.value = words[2]
	}
	return wanted
}

func (w wantedFlag) check(t *testing.T, path string, flags *pflag.FlagSet) {
	t.Helper()
	flag := flags.Lookup(w.name)
	if flag == nil {
		t.Errorf("%s has no flag --%s", path, w.name)
		return
	}
	kinds := map[string]string{"stringArray": "array", "stringSlice": "list"}
	kind := flag.Value.Type()
	if known, ok := kinds[kind]; ok {
		kind = known
	}
	if kind == "array" && w.kind == "list" { // the docker CLI's lists are given flag by flag, too: an instruction may have commas
		kind = w.kind
	}
	if kind != w.kind || flag.Shorthand != w.shorthand || flag.DefValue != w.value {
		t.Errorf("%s --%s is %s -%s %q, want %s -%s %q", path, w.name, kind, flag.Shorthand, flag.DefValue, w.kind, w.shorthand, w.value)
	}
	if flag.Hidden && !w.hidden {
		t.Errorf("%s --%s is hidden", path, w.name)
	}
}
