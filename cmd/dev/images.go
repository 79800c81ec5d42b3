package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/muster-dev/muster/cmd/dev/provision"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

const (
	examplePackages = "./examples/microservices/"
	exampleBinaries = "examples/microservices/bin" // and below it the engine's architecture, as the example's Dockerfile has it
)

// makeImages makes what the examples run, as far as Muster does not build it: the example's programs, of which `muster build` makes
// images, and images of software.
func makeImages(ctx context.Context, t tool, _ []string) error {
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	started := time.Now()
	if err := errors.Join(prepareExamples(ctx, t, found.Client), found.Close()); err != nil {
		return err
	}
	t.say("what the examples run is there, after %v", time.Since(started).Round(time.Millisecond))
	return nil
}

// makePrograms compiles the example's programs only.
func makePrograms(ctx context.Context, t tool, _ []string) error {
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	return errors.Join(compilePrograms(ctx, t, found.Client), found.Close())
}

// prepareExamples compiles the example's programs, and makes images of the software that examples run, where that can be: else
// they run public images.
func prepareExamples(ctx context.Context, t tool, client *docker.Client) error {
	if err := compilePrograms(ctx, t, client); err != nil {
		return err
	}
	err := importSoftware(ctx, t, client)
	if errors.Is(err, provision.ErrNoPackages) {
		t.say("%v; examples pull what they run", err)
		return nil
	}
	return err
}

// compilePrograms makes static binaries for the engine's platform that are the same bytes for the same source.
func compilePrograms(ctx context.Context, t tool, client *docker.Client) error {
	const mode = 0o755
	version, err := client.Version(ctx)
	if err != nil {
		return fmt.Errorf("ask engine for its platform: %w", err)
	}
	folder := filepath.Join(t.root, exampleBinaries, version.Arch)
	if err := os.MkdirAll(folder, mode); err != nil {
		return fmt.Errorf("make folder for programs: %w", err)
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", folder + string(filepath.Separator)}
	for _, name := range []string{"frontend", "api", "worker", "store"} {
		args = append(args, examplePackages+name)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.root, t.err, t.err
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+version.Arch)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compile programs: %w", err)
	}
	return nil
}
