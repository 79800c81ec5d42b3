package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/muster-dev/muster/cmd/cli"
)

// There is a man page for each command that help shows, and each tells of all its flags.
func TestManual(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "man1")
	if err := writeManual(t.Context(), tool{}, []string{folder}); err != nil {
		t.Fatal(err)
	}
	pages, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	var look func(command *cobra.Command)
	look = func(command *cobra.Command) {
		told++
		name := strings.ReplaceAll(command.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Error(err)
		}
		text := strings.ReplaceAll(string(page), `\-`, "-")
		if !strings.HasPrefix(text, ".nh\n.TH \"MUSTER") || !strings.Contains(text, ".SH SYNOPSIS") {
			t.Errorf("%s is no man page: %.200s", name, text)
		}
		command.NonInheritedFlags().VisitAll(func(flag *pflag.Flag) {
			if !flag.Hidden && !strings.Contains(text, "--"+flag.Name) {
				t.Errorf("%s does not tell of --%s", name, flag.Name)
			}
		})
		for _, below := range command.Commands() {
			if below.IsAvailableCommand() {
				look(below)
			}
		}
	}
	look(cli.Commands(cli.App{}))
	const least = 25
	if told != len(pages) || told < least {
		t.Errorf("%d pages for %d commands", len(pages), told)
	}
}
