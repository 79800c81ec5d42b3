package compare

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// Start compares how long Muster takes to tell the docker CLI who it is, which is asked before each of docker's commands, with a
// program that has the same packages in it and does nothing.
func (o Options) Start(ctx context.Context, root string) (Result, error) {
	const rounds, limit = 100, 1.15
	idle := filepath.Join(o.Folder, "idle")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", idle, "./cmd/dev/compare/idle")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return Result{}, fmt.Errorf("compile idle: %w\n%s", err, output)
	}
	program := func(name, path string, arguments ...string) side {
		return side{
			name: name,
			do:   func(ctx context.Context) error { return o.call(exec.CommandContext(ctx, path, arguments...)) },
			undo: func(context.Context) error { return nil },
		}
	}
	return o.ratio(ctx, match{what: "telling the docker CLI who the plugin is", limit: limit, rounds: rounds, warmUp: 2},
		program("a program that does nothing", idle), program("muster", o.Muster, "docker-cli-plugin-metadata"))
}
