package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/muster-dev/muster/cmd/dev/compare"
	"github.com/muster-dev/muster/cmd/dev/fetched"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

const (
	benchImage  = "muster-bench/box:latest"
	benchBase   = "muster.test/busybox:latest"
	benchRounds = 5
)

// runBench measures what has limits, on the engine that is there and with the binary that `make build` made, and prints each
// figure beside its limit. It fails when one is over. The argument "logs" keeps to what concerns logs.
func runBench(ctx context.Context, t tool, only []string) error {
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	results, err := t.measure(ctx, found.Client, only)
	err = errors.Join(err, found.RemoveImage(context.WithoutCancel(ctx), benchImage), found.Close())
	compare.Write(t.out, results)
	for _, result := range results {
		if !result.OK() {
			err = errors.Join(err, fmt.Errorf("over its limit: %s", result.What))
		}
	}
	return err
}

func (t tool) measure(ctx context.Context, client *docker.Client, only []string) (results []compare.Result, err error) {
	folder, err := os.MkdirTemp("", "muster-bench-")
	if err != nil {
		return nil, fmt.Errorf("make folder for the measurement: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	program, err := t.importBox(ctx, client, folder)
	if err != nil {
		return nil, err
	}
	options := compare.Options{
		Muster: filepath.Join(t.root, "bin", "muster"), Folder: folder, Engine: client,
		Image: benchImage, Probe: []string{boxPath, "probe"}, Rounds: benchRounds,
		Program: program, ProgramPath: boxPath, Base: benchBase,
	}
	onlyLogs := slices.Contains(only, "logs")
	if options.Peer, err = t.fetchOthers(ctx, client); err != nil {
		return nil, err
	}
	if !onlyLogs {
		if options.Registry, err = fetched.Registry(ctx, t.say); err != nil {
			return nil, fmt.Errorf("fetch registry: %w", err)
		}
	}
	single := func(measure func(context.Context) (compare.Result, error)) func(context.Context) ([]compare.Result, error) {
		return func(ctx context.Context) ([]compare.Result, error) {
			result, err := measure(ctx)
			return []compare.Result{result}, err
		}
	}
	logs := []func(context.Context) ([]compare.Result, error){
		func(ctx context.Context) ([]compare.Result, error) { return options.History(ctx, t.root) },
		single(func(ctx context.Context) (compare.Result, error) { return options.LongHistory(ctx, t.root) }),
		func(ctx context.Context) ([]compare.Result, error) { return options.Burst(ctx, t.root) },
	}
	measures := append([]func(context.Context) ([]compare.Result, error){
		single(func(context.Context) (compare.Result, error) { return options.Binary() }),
		single(func(ctx context.Context) (compare.Result, error) { return options.Memory(ctx, t.root) }),
		single(func(ctx context.Context) (compare.Result, error) { return options.Start(ctx, t.root) }),
		single(func(ctx context.Context) (compare.Result, error) { return options.Planning(ctx, t.root) }),
		single(options.Independent),
		single(options.Chain),
		options.Pull,
		single(options.Build),
	}, logs...)
	if onlyLogs {
		measures = logs
	}
	for _, measure := range measures {
		measured, err := measure(ctx)
		if err != nil {
			return results, err
		}
		for _, result := range measured {
			t.say("measured: %s", result.What)
		}
		results = append(results, measured...)
	}
	return results, nil
}

// fetchOthers brings what is measured against and with: docker compose with buildx, and the image that others are built from.
func (t tool) fetchOthers(ctx context.Context, client *docker.Client) (peer string, err error) {
	if err := importSoftware(ctx, t, client); err != nil {
		return "", fmt.Errorf("make image %s: %w", benchBase, err)
	}
	return fetchPeer(ctx, t)
}

// boxPath is where the image has its program.
const boxPath = "/testbox"

// importBox makes the image that the measured services run: a small program that is healthy and stays. It returns the program.
func (t tool) importBox(ctx context.Context, client *docker.Client, folder string) (program []byte, err error) {
	binary := filepath.Join(folder, "testbox")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", binary,
		"./convergence/engine/docker/testbox/main")
	build.Dir, build.Stderr = t.root, t.err
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("compile testbox: %w", err)
	}
	if program, err = os.ReadFile(binary); err != nil {
		return nil, fmt.Errorf("read testbox: %w", err)
	}
	const anybody = 0o1777
	_, err = client.ImportImage(ctx, docker.ScratchImage{
		Ref: benchImage, Files: map[string]docker.ScratchFile{boxPath: {Content: program}},
		Folders:    map[string]fs.FileMode{"/tmp": anybody},
		Entrypoint: []string{boxPath}, Cmd: []string{"-stay"},
	})
	if err != nil {
		return nil, fmt.Errorf("make image %s: %w", benchImage, err)
	}
	return program, nil
}
