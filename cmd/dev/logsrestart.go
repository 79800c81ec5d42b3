package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/muster-dev/muster/cmd/dev/chaos"
	"github.com/muster-dev/muster/cmd/dev/provision"
)

// runLogsRestart restarts the engine under `logs -f`, where it was started here: another one is nobody's to end.
func runLogsRestart(ctx context.Context, t tool, args []string) (err error) {
	flags := flag.NewFlagSet("logs-restart", flag.ContinueOnError)
	flags.SetOutput(t.err)
	restarts := flags.Int("restarts", 1, "how often to restart the engine, ended and killed in turn")
	if err := flags.Parse(args); err != nil {
		return errSilent
	}
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	defer found.Close() //nolint:errcheck // nothing depends on it any more
	if !found.own() {
		return &provision.Refusal{Reason: fmt.Sprintf("the engine at %s was not started here, and is not ended", found.Endpoint().Host)}
	}
	folder, err := os.MkdirTemp("", "muster-chaos-")
	if err != nil {
		return fmt.Errorf("make folder for the writers: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	lines, err := chaos.Logs(ctx, chaos.Options{
		Muster: filepath.Join(t.root, "bin", "muster"), Env: []string{"DOCKER_HOST=" + found.Endpoint().Host}, Engine: found.Client,
		Runs: chaos.Busybox("muster.test/busybox"), Folder: folder, Out: t.out,
		Restart: func(ctx context.Context, kill bool) error { return restartEngine(ctx, t, kill) }, Restarts: *restarts,
	})
	t.say("%d lines were followed over %d restarts of the engine", lines, *restarts)
	return err
}
