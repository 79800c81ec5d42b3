//go:build unix

package registry

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
)

// program makes a program out of a shell script.
func program(t *testing.T, script string) string {
	t.Helper()
	path := t.TempDir() + "/program"
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestChildEndsWithItsOwner(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	for name, end := range map[string]func(*child) error{
		"ended":       (*child).end,
		"end of task": func(c *child) error { cancel(); return c.group.Wait() },
	} {
		c, err := startChild(ctx, program(t, "echo starting >&2; echo listening on a socket >&2; echo more >&2; exec sleep 600"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := syscall.Kill(c.pid, 0); err != nil {
			t.Errorf("%s: it does not run: %v", name, err)
		}
		if err := end(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := syscall.Kill(c.pid, 0); err == nil {
			t.Errorf("%s: process %d still runs", name, c.pid)
		}
		c.cancel()
		if ctx.Err() != nil {
			ctx, cancel = context.WithCancel(t.Context())
		}
	}
	cancel()
}

func TestChildThatDoesNotStart(t *testing.T) {
	t.Parallel()
	if _, err := startChild(t.Context(), program(t, "echo no such option >&2; exit 1")); err == nil || !strings.Contains(err.Error(), "ended: no such option") {
		t.Errorf("a program that ends: %v", err)
	}
	if _, err := startChild(t.Context(), "/no/such/program"); err == nil {
		t.Error("no program was started")
	}
	if _, err := New(t.Context(), Options{Program: "/no/such/program", User: "ann", Password: "secret"}); err == nil {
		t.Error("a registry without a program")
	}
}
