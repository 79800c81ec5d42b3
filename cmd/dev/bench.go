package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/muster-dev/muster/cmd/dev/compare"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

const (
	benchImage  = "muster-bench/box:latest"
	benchRounds = 5
)

// runBench measures what has limits, on the engine that is there and with the binary that `make build` made, and prints each
// figure beside its limit. It fails when one is over.
func runBench(ctx context.Context, t tool, _ []string) error {
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	results, err := t.measure(ctx, found.Client)
	err = errors.Join(err, found.RemoveImage(context.WithoutCancel(ctx), benchImage), found.Close())
	compare.Write(t.out, results)
	for _, result := range results {
		if !result.OK() {
			err = errors.Join(err, fmt.Errorf("over its limit: %s", result.What))
		}
	}
	return err
}

func (t tool) measure(ctx context.Context, client *docker.Client) (results []compare.Result, err error) {
	folder, err := os.MkdirTemp("", "muster-bench-")
	if err != nil {
		return nil, fmt.Errorf("make folder for the measurement: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	if err := t.importBox(ctx, client, folder); err != nil {
		return nil, err
	}
	options := compare.Options{
		Muster: filepath.Join(t.root, "bin", "muster"), Folder: folder, Engine: client,
		Image: benchImage, Probe: []string{"/testbox", "probe"}, Rounds: benchRounds,
	}
	for _, measure := range []func(context.Context) (compare.Result, error){
		func(context.Context) (compare.Result, error) { return options.Binary() },
		func(ctx context.Context) (compare.Result, error) { return options.Memory(ctx, t.root) },
		func(ctx context.Context) (compare.Result, error) { return options.Planning(ctx, t.root) },
		options.Independent,
		options.Chain,
	} {
		result, err := measure(ctx)
		if err != nil {
			return results, err
		}
		t.say("measured: %s", result.What)
		results = append(results, result)
	}
	return results, nil
}

// importBox makes the image that the measured services run: a small program that is healthy and stays.
func (t tool) importBox(ctx context.Context, client *docker.Client, folder string) error {
	binary := filepath.Join(folder, "testbox")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", binary,
		"./convergence/engine/docker/testbox/main")
	build.Dir, build.Stderr = t.root, t.err
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if err := build.Run(); err != nil {
		return fmt.Errorf("compile testbox: %w", err)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("read testbox: %w", err)
	}
	const anybody = 0o1777
	_, err = client.ImportImage(ctx, docker.ScratchImage{
		Ref: benchImage, Files: map[string]docker.ScratchFile{"/testbox": {Content: content}},
		Folders:    map[string]fs.FileMode{"/tmp": anybody},
		Entrypoint: []string{"/testbox"}, Cmd: []string{"-stay"},
	})
	if err != nil {
		return fmt.Errorf("make image %s: %w", benchImage, err)
	}
	return nil
}
