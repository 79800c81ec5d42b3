package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/muster-dev/muster/cmd/dev/dropin"
)

// runDropIn types typical command lines with docker compose and with Muster and compares what comes of them.
func runDropIn(ctx context.Context, t tool, _ []string) error {
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
	return dropin.Run(ctx, dropin.Options{
		Muster: filepath.Join(t.root, "bin", "muster"), Peer: peer, Host: found.Endpoint().Host, Engine: found.Client, Out: t.out,
	})
}
