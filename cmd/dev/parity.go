package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/muster-dev/muster/cmd/dev/daemon"
	"github.com/muster-dev/muster/cmd/dev/parity"
	"github.com/muster-dev/muster/cmd/dev/provision"
)

// runParity compares what Muster makes of Compose files with what docker compose makes of them, with the binary that `make build`
// made, on the engine that is there or that ENGINE asks for.
func runParity(ctx context.Context, t tool, names []string) error {
	found, err := ensureEngine(ctx, t)
	if err != nil {
		return err
	}
	defer found.Close() //nolint:errcheck // nothing depends on it any more
	if err := importSoftware(ctx, t, found.Client); err != nil {
		return fmt.Errorf("make images of software: %w", err)
	}
	peer, err := fetchPeer(ctx, t)
	if err != nil {
		return err
	}
	description, err := found.describe(ctx)
	if err != nil {
		return err
	}
	t.say("%s", description)
	err = parity.Run(ctx, parity.Options{
		Muster: filepath.Join(t.root, "bin", "muster"), Peer: peer, Host: found.Endpoint().Host, Names: names, Out: t.out,
	})
	if errors.Is(err, parity.ErrDifferent) {
		fmt.Fprintln(t.out)
	}
	return err
}

// fetchPeer brings docker compose and buildx, and returns their folder.
func fetchPeer(ctx context.Context, t tool) (folder string, err error) {
	machine, err := provision.ThisMachine()
	if err != nil {
		return "", err
	}
	unlock, err := daemon.Lock(ctx, t.cache)
	if err != nil {
		return "", err
	}
	defer unlock()
	if folder, err = t.fetcher(machine).Peer(ctx); err != nil {
		return "", fmt.Errorf("fetch peer: %w", err)
	}
	return folder, nil
}
