package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/muster-dev/muster/cmd/cli"
)

// writeManual writes a man page for each command into a folder, which is made.
func writeManual(_ context.Context, _ tool, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: man FOLDER")
	}
	const mode = 0o755
	if err := os.MkdirAll(args[0], mode); err != nil {
		return fmt.Errorf("make folder for man pages: %w", err)
	}
	root := cli.Commands(cli.App{})
	forManual(root)
	// The date is that of SOURCE_DATE_EPOCH where it is set, so that the same source can give the same pages.
	header := doc.GenManHeader{Section: "1", Source: "Muster", Manual: "Muster"}
	if err := doc.GenManTree(root, &header, args[0]); err != nil {
		return fmt.Errorf("write man pages: %w", err)
	}
	return nil
}

// forManual leaves out of a command and those below it what only makes sense on a screen.
func forManual(command *cobra.Command) {
	command.DisableAutoGenTag = true
	for _, below := range command.Commands() {
		forManual(below)
	}
}
