package provider_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/muster-dev/muster/convergence/provider"
)

// programs runs a shell script as every provider's program.
func programs(t *testing.T, script string) provider.Programs {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	// While it is written no other test may start a process: that would have it open for writing, too, and it could not be run.
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700) //nolint:gosec // it has to run
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	return provider.Programs{
		Find: func(string) (string, error) { return path, nil },
		Env:  []string{"PATH=" + os.Getenv("PATH"), "SIZE=small"}, Dir: t.TempDir(),
	}
}

func call(command provider.Command) provider.Call {
	return provider.Call{
		Project: "p", Service: "db", Type: "awesome", Command: command,
		Options: map[string][]string{"size": {"1"}, "names": {"a", "b"}},
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	const noMetadata = "case \"$2\" in metadata) exit 1 ;; esac\n"
	const metadata = `case "$2" in metadata) echo '{"up": {"parameters": [{"name": "size", "required": true}]}, "down": {}}'; exit ;; esac` + "\n"
	const arguments = `echo "{\"type\":\"setenv\",\"message\":\"A=$*\"}"`
	for name, c := range map[string]struct {
		script, want, failure string
		command               provider.Command
	}{
		"variables": {script: noMetadata + `cat <<END
{"type":"setenv","message":"URL=a=b"}

{"type":"rawsetenv","message":"RAW="}
{"type":"debug","message":"x"}
{"type":"info","message":"hello"}
END
printf '{"type":"setenv","message":"LAST=no end"}'`, want: "DB_LAST=no end DB_URL=a=b RAW= told:hello"},
		"arguments":             {script: noMetadata + arguments, want: "DB_A=compose --project-name=p up --names=a --names=b --size=1 db"},
		"known options":         {script: metadata + arguments, want: "DB_A=compose --project-name=p up --size=1 db"},
		"environment":           {script: noMetadata + `echo "{\"type\":\"setenv\",\"message\":\"S=$SIZE\"}"`, want: "DB_S=small"},
		"no stop":               {script: metadata + "exit 1", command: provider.Stop},
		"a missing option":      {script: strings.Replace(metadata, "size", "must", 1), failure: `required parameter "must" is missing from provider "awesome" definition`},
		"an error":              {script: noMetadata + `echo '{"type":"error","message":"no room"}'; exec sleep 60`, failure: `provider "awesome": no room`},
		"an exit code":          {script: noMetadata + "echo bad luck >&2; exit 7", failure: `provider "awesome": up: exit status 7: bad luck`},
		"no message":            {script: noMetadata + "echo hunter2; exec sleep 60", failure: `provider "awesome": line 1 of its output is no message in JSON`},
		"no variable":           {script: noMetadata + `echo '{"type":"setenv","message":"hunter2"}'`, failure: `provider "awesome": line 1 of its output sets no variable: it has to be NAME=VALUE`},
		"an unknown type":       {script: noMetadata + `echo '{"type":"x"}'`, failure: `provider "awesome": line 1 of its output is a message of the unknown type "x"`},
		"a line without an end": {script: noMetadata + "yes | tr -d '\\n'", failure: `provider "awesome": line 1 of its output is longer than 64 KB`},
		"messages without end":  {script: noMetadata + `exec yes '{"type":"debug"}'`, failure: `provider "awesome": says too much`},
		"variables without end": {
			script:  noMetadata + `while :; do i=$((i+1)); echo "{\"type\":\"setenv\",\"message\":\"V$i=hunter2\"}"; done`,
			failure: `provider "awesome": says too much`,
		},
		"metadata without end": {
			script: `case "$2" in metadata) exec yes ;; esac; ` + arguments, want: "DB_A=compose --project-name=p up --names=a --names=b --size=1 db",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.command == "" {
				c.command = provider.Up
			}
			var told []string
			variables, err := programs(t, c.script).Run(t.Context(), call(c.command), func(text string) { told = append(told, "told:"+text) })
			if err != nil || c.failure != "" {
				if err == nil || err.Error() != c.failure {
					t.Errorf("error %v, want %q", err, c.failure)
				}
				return
			}
			var got []string
			for _, name := range slices.Sorted(maps.Keys(variables)) {
				got = append(got, name+"="+variables[name])
			}
			if text := strings.Join(append(got, told...), " "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

// A program that is waited for ends with the caller's context.
func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	script := `case "$2" in metadata) exit 1 ;; esac; echo '{"type":"info","message":"waiting"}'; exec sleep 60`
	_, err := programs(t, script).Run(ctx, call(provider.Up), func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
