package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/muster-dev/muster/cmd/dev/chaos"
	"github.com/muster-dev/muster/cmd/dev/daemon"
	"github.com/muster-dev/muster/cmd/dev/provision"
)

// runChaos kills bin/muster at random moments on the engine that is there, and restarts that engine in the middle of an up where it was
// started here: another one is nobody's to end.
func runChaos(ctx context.Context, t tool, args []string) error {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(t.err)
	const usualRounds, usualRestarts = 50, 0
	rounds := flags.Int("rounds", usualRounds, "how often to kill")
	restarts := flags.Int("restarts", usualRestarts, "how often to restart the engine, killed and ended in turn; only one that was started here")
	seed := flags.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments and the commands")
	if err := flags.Parse(args); err != nil {
		return errSilent
	}
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	defer found.Close() //nolint:errcheck // nothing depends on it any more
	if *restarts > 0 && !found.own() {
		return &provision.Refusal{Reason: fmt.Sprintf("the engine at %s was not started here, and is not ended", found.Endpoint().Host)}
	}
	folder, err := os.MkdirTemp("", "muster-chaos-")
	if err != nil {
		return fmt.Errorf("make folder for the stack: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	t.say("seed %d (--seed %d does the same again)", *seed, *seed)
	result, err := chaos.Run(ctx, chaos.Options{
		Muster: filepath.Join(t.root, "bin", "muster"), Env: []string{"DOCKER_HOST=" + found.Endpoint().Host}, Engine: found.Client,
		Runs: chaos.Busybox("muster.test/busybox"), Folder: folder, Rounds: *rounds, Seed: *seed, Out: t.out,
		Restart: func(ctx context.Context, kill bool) error { return restartEngine(ctx, t, kill) }, Restarts: *restarts,
	})
	t.say("%d rounds, killed in %d; %d restarts of the engine, of which %d ups ended well", result.Rounds, result.Hits, result.Restarts, result.Ended)
	return err
}

// restartEngine ends the engine that was started here and starts it again.
func restartEngine(ctx context.Context, t tool, kill bool) error {
	record, err := startedHere(t)
	if err != nil {
		return err
	}
	if record.Host == "" {
		return errors.New("no engine that was started here runs")
	}
	release, err := provision.FindRelease(record.Release)
	if err != nil {
		return err
	}
	end := func() error { return daemon.Stop(ctx, t.cache, record) }
	if kill {
		end = func() error { return daemon.Kill(ctx, record) }
	}
	unlock, err := daemon.Lock(ctx, t.cache)
	if err != nil {
		return err
	}
	err = end()
	unlock()
	if err != nil {
		return err
	}
	return startEngine(ctx, t, release)
}
