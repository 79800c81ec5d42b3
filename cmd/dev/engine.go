package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/muster-dev/muster/cmd/dev/daemon"
	"github.com/muster-dev/muster/cmd/dev/fetched"
	"github.com/muster-dev/muster/cmd/dev/provision"
)

// engineUp makes sure that an engine answers.
func engineUp(ctx context.Context, t tool, _ []string) error {
	found, err := ensureEngine(ctx, t)
	if err != nil {
		return err
	}
	defer found.Close() //nolint:errcheck // nothing depends on it any more
	description, err := found.describe(ctx)
	if err != nil {
		return err
	}
	t.say("%s", description)
	if found.own() {
		t.say(`  a shell of yours reaches it after: eval "$(go run ./cmd/dev engine env)"`)
		t.say("  its log: %s; make engine-down ends it", found.record.Log)
	}
	return nil
}

// ensureEngine returns the engine that answers. Where none does, or where ENGINE asks for another one than the one that was
// started here, it starts one.
func ensureEngine(ctx context.Context, t tool) (located, error) {
	wanted := t.env("ENGINE")
	release, err := provision.FindRelease(wanted)
	if err != nil {
		return located{}, err
	}
	found, err := locate(ctx, t)
	switch {
	case errors.Is(err, errNoEngine):
		t.say("%v", err)
	case err != nil:
		return located{}, err
	case wanted == "" || found.record.Release == release.Name:
		return found, nil
	case !found.own():
		return located{}, errors.Join(otherEngine(found, wanted), found.Close())
	}
	if err := startEngine(ctx, t, release); err != nil {
		return located{}, err
	}
	return locate(ctx, t)
}

// otherEngine refuses a second engine: it would rewrite the firewall chains that both share and cut the first one's ports.
func otherEngine(found located, wanted string) error {
	endpoint := found.Endpoint()
	return fmt.Errorf("ENGINE=%s asks for an engine of its own, but one answers at %s (from %s), and two at once cut each "+
		"other's ports: end that one, or leave ENGINE out", wanted, endpoint.Host, endpoint.Origin)
}

// startEngine fetches the release unless it was fetched before, ends another release that was started here, and starts it.
func startEngine(ctx context.Context, t tool, release provision.Release) error {
	machine, err := provision.ThisMachine()
	if err != nil {
		return err
	}
	if err := machine.Suits(); err != nil {
		return err
	}
	unlock, err := daemon.Lock(ctx, t.cache)
	if err != nil {
		return err
	}
	defer unlock()
	if running, err := startedHere(t); err != nil || running.Release == release.Name {
		return err // another process was quicker
	}
	programs, err := t.fetcher(machine).Engine(ctx, release)
	if err != nil {
		return fmt.Errorf("fetch engine: %w", err)
	}
	if err := endOther(ctx, t, release.Name); err != nil {
		return err
	}
	started := time.Now()
	t.say("starting the engine (ENGINE=%s: %s)", release.Name, release.About)
	_, err = daemon.Start(ctx, daemon.Launch{
		Cache: t.cache, Programs: programs, Release: release.Name, Features: release.Features,
	})
	if err != nil {
		return &provision.Refusal{Reason: "the fetched engine does not run here; it needs root with cgroups and iptables", Cause: err}
	}
	t.say("ready after %v", time.Since(started).Round(time.Millisecond))
	return nil
}

func (t tool) fetcher(machine provision.Machine) provision.Fetcher {
	return provision.Fetcher{Cache: t.cache, Mirror: t.env("DEBIAN_MIRROR"), Machine: machine, Say: t.say}
}

// endOther ends the engine that was started here before, or what is left of it, unless it is of the release that is about to
// be started: then starting puts it in order. The caller holds the lock.
func endOther(ctx context.Context, t tool, release string) error {
	record, recorded, err := daemon.ReadRecord(t.cache)
	if err != nil || !recorded || record.Release == release {
		return err
	}
	t.say("ending the engine that was started here (ENGINE=%s)", record.Release)
	return daemon.Stop(ctx, t.cache, record)
}

func engineDown(ctx context.Context, t tool, _ []string) error {
	record, recorded, err := daemon.ReadRecord(t.cache)
	if err != nil {
		return err
	}
	if !recorded {
		t.say("no engine was started here; nothing to end")
		return nil
	}
	unlock, err := daemon.Lock(ctx, t.cache)
	if err != nil {
		return err
	}
	defer unlock()
	if err := daemon.Stop(ctx, t.cache, record); err != nil {
		return err
	}
	t.say("ended the engine that was started here (ENGINE=%s); its data stays in %s", record.Release, record.Data)
	return nil
}

func engineStatus(ctx context.Context, t tool, _ []string) error {
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	defer found.Close() //nolint:errcheck // nothing depends on it any more
	description, err := found.describe(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, description)
	if found.own() {
		fmt.Fprintf(t.out, "process %d, log %s, data %s\n", found.record.Process.PID, found.record.Log, found.record.Data)
	}
	return nil
}

// engineEnv prints nothing to be run when the engine is one that every tool finds by itself.
func engineEnv(ctx context.Context, t tool, _ []string) error {
	found, err := required(ctx, t)
	if err != nil {
		return err
	}
	if found.own() {
		fmt.Fprintf(t.out, "export DOCKER_HOST=%s\n", found.record.Host)
	} else {
		fmt.Fprintf(t.out, "# the engine is found without a word: %s\n", found.Endpoint().Origin)
	}
	return found.Close()
}

func enginePeer(ctx context.Context, t tool, _ []string) error {
	folder, err := fetchPeer(ctx, t)
	if err != nil {
		return err
	}
	for _, name := range []string{"docker-compose", "docker-buildx"} {
		program := filepath.Join(folder, name)
		version, err := exec.CommandContext(ctx, program, "version").Output()
		if err != nil {
			return fmt.Errorf("run peer %s: %w", program, err)
		}
		fmt.Fprintf(t.out, "%s  %s", program, version)
	}
	return nil
}

// compileBuildKit prints the folder of BuildKit's programs.
func compileBuildKit(ctx context.Context, t tool, _ []string) error {
	folder, err := fetched.BuildKit(ctx, t.say)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, folder)
	return nil
}
