package main

import (
	"context"
	"errors"
	"time"

	"github.com/muster-dev/muster/cmd/dev/daemon"
	"github.com/muster-dev/muster/cmd/dev/provision"
	"github.com/muster-dev/muster/cmd/dev/software"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// makeSoftware makes images of well-known software out of Debian's packages.
func makeSoftware(ctx context.Context, t tool, _ []string) error {
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	started := time.Now()
	if err := errors.Join(importSoftware(ctx, t, found.Client), found.Close()); err != nil {
		return err
	}
	t.say("images of software are there, after %v", time.Since(started).Round(time.Millisecond))
	return nil
}

// importSoftware makes the images that the engine does not have yet.
func importSoftware(ctx context.Context, t tool, client *docker.Client) error {
	machine, err := provision.ThisMachine()
	if err != nil {
		return err
	}
	unlock, err := daemon.Lock(ctx, t.cache)
	if err != nil {
		return err
	}
	defer unlock()
	_, err = software.Maker{Client: client, Fetcher: t.fetcher(machine)}.Ensure(ctx)
	return err
}

// fetchRegistry brings the registry of the tests now, so that none of them waits for it. Where there are no packages, tests look
// for the machine's.
func fetchRegistry(ctx context.Context, t tool) error {
	machine, err := provision.ThisMachine()
	if err != nil {
		return err
	}
	unlock, err := daemon.Lock(ctx, t.cache)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := t.fetcher(machine).Registry(ctx); !errors.Is(err, provision.ErrNoPackages) {
		return err
	}
	return nil
}
