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
	exampleImages   = "muster.example/"
)

// examplePrograms are the example's programs; each becomes an image of its name.
func examplePrograms() []string { return []string{"frontend", "api", "worker", "store"} }

// makeImages compiles the example's programs for the engine's platform and makes an image of each. What has not changed is
// neither compiled nor sent again.
func makeImages(ctx context.Context, t tool, _ []string) error {
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	started := time.Now()
	if err := errors.Join(importAll(ctx, t, found.Client), found.Close()); err != nil {
		return err
	}
	t.say("images of the examples are there, after %v", time.Since(started).Round(time.Millisecond))
	return nil
}

// importAll makes the images of the examples' programs and of the software that they run, where that can be: else the examples
// run public images.
func importAll(ctx context.Context, t tool, client *docker.Client) error {
	if err := importPrograms(ctx, t, client); err != nil {
		return err
	}
	err := importSoftware(ctx, t, client)
	if errors.Is(err, provision.ErrNoPackages) {
		t.say("%v; examples pull what they run", err)
		return nil
	}
	return err
}

func importPrograms(ctx context.Context, t tool, client *docker.Client) error {
	version, err := client.Version(ctx)
	if err != nil {
		return fmt.Errorf("ask engine for its platform: %w", err)
	}
	folder := filepath.Join(t.cache, "examples", version.Arch)
	if err := compile(ctx, t, folder, version.Arch); err != nil {
		return err
	}
	for _, name := range examplePrograms() {
		image, err := programImage(folder, name)
		if err != nil {
			return err
		}
		if _, err := client.ImportImage(ctx, image); err != nil {
			return fmt.Errorf("make image %s: %w", image.Ref, err)
		}
	}
	return nil
}

// compile makes static binaries that are the same bytes for the same source.
func compile(ctx context.Context, t tool, folder, arch string) error {
	const mode = 0o755
	if err := os.MkdirAll(folder, mode); err != nil {
		return fmt.Errorf("make folder for programs: %w", err)
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", folder + string(filepath.Separator)}
	for _, name := range examplePrograms() {
		args = append(args, examplePackages+name)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.root, t.err, t.err
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compile programs: %w", err)
	}
	return nil
}

// programImage is an image of one static binary that runs as a user without rights and may write to /data.
func programImage(folder, name string) (docker.ScratchImage, error) {
	const anybodyWrites = 0o777
	binary, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return docker.ScratchImage{}, fmt.Errorf("read program: %w", err)
	}
	return docker.ScratchImage{
		Ref:        exampleImages + name + ":latest",
		Files:      map[string]docker.ScratchFile{"/" + name: {Content: binary}},
		Folders:    map[string]os.FileMode{"/data": anybodyWrites},
		Entrypoint: []string{"/" + name},
		User:       "65532:65532",
		Expose:     []string{"8080/tcp"},
		Labels:     map[string]string{"org.opencontainers.image.title": name},
	}, nil
}
