package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	docsBegin = "<!-- commands: written by make docs -->\n"
	docsEnd   = "<!-- end of commands -->\n"
)

// writeDocs puts what `muster --help` says into the README, between its two marks.
func writeDocs(ctx context.Context, t tool, _ []string) error {
	help, err := exec.CommandContext(ctx, filepath.Join(t.root, "bin", "muster"), "--help").Output()
	if err != nil {
		return fmt.Errorf("ask muster for its commands: %w", err)
	}
	path := filepath.Join(t.root, "README.md")
	readme, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read README: %w", err)
	}
	written, err := between(string(readme), "```\n"+strings.TrimSpace(string(help))+"\n```\n")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	const mode = 0o644
	if err := os.WriteFile(path, []byte(written), mode); err != nil {
		return fmt.Errorf("write README: %w", err)
	}
	return nil
}

// between replaces what is between the marks of a text.
func between(text, content string) (string, error) {
	before, rest, begins := strings.Cut(text, docsBegin)
	_, after, ends := strings.Cut(rest, docsEnd)
	if !begins || !ends {
		return "", fmt.Errorf("there are no lines %q and %q", strings.TrimSpace(docsBegin), strings.TrimSpace(docsEnd))
	}
	return before + docsBegin + content + docsEnd + after, nil
}
