package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/muster-dev/muster/cmd/dev/daemon"
	"github.com/muster-dev/muster/cmd/dev/provision"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// located is an engine that answers.
type located struct {
	*docker.Client
	record daemon.Record // of the engine that was started here; else zero
}

// own says whether the engine was started here.
func (l located) own() bool { return l.record.Host != "" }

const defaultSocket = "unix:///var/run/docker.sock"

// errNoEngine means that nothing answers where an engine usually is, so that one may be fetched.
var errNoEngine = errors.New("no engine answers")

// locate finds the engine that commands use: the one that DOCKER_HOST or DOCKER_CONTEXT names, the one that was started
// here, or the one that the docker CLI would take. Where an engine was named and does not answer, that is the error:
// nobody wants another one then.
func locate(ctx context.Context, t tool) (located, error) {
	record, err := startedHere(t)
	if err != nil {
		return located{}, err
	}
	options := docker.Options{UserAgent: "muster-dev", Env: t.outerEnv}
	named := t.outerEnv("DOCKER_HOST") != "" || t.outerEnv("DOCKER_CONTEXT") != ""
	if named {
		record = daemon.Record{}
	}
	options.Host = record.Host
	const patience = 20 * time.Second
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := docker.Dial(limited, options)
	if err != nil {
		return located{}, explain(err, !named)
	}
	return located{Client: client, record: record}, nil
}

// startedHere is the record of the engine that was started from this cache folder, zero where it does not run.
func startedHere(t tool) (daemon.Record, error) {
	record, recorded, err := daemon.ReadRecord(t.cache)
	if err != nil || !recorded || !record.Process.Alive(os.DirFS("/proc")) {
		return daemon.Record{}, err
	}
	return record, nil
}

// outerEnv is the environment without what `engine env` added to it: an engine that was started here and has ended since is
// not one that somebody asked for.
func (t tool) outerEnv(name string) string {
	value := t.env(name)
	if name == "DOCKER_HOST" && daemon.IsOwn(value) {
		return ""
	}
	return value
}

// explain turns an error of dialing into [errNoEngine] where an engine may be fetched instead.
func explain(err error, mayFetch bool) error {
	var unreachable *docker.UnreachableError
	if !errors.As(err, &unreachable) {
		return err
	}
	nobody := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
	if mayFetch && nobody && unreachable.Endpoint.Host == defaultSocket {
		return fmt.Errorf("%w at %s", errNoEngine, defaultSocket)
	}
	return err
}

// required is the engine for commands that need one.
func required(ctx context.Context, t tool) (located, error) {
	found, err := locate(ctx, t)
	if errors.Is(err, errNoEngine) {
		return located{}, &provision.Refusal{Reason: err.Error() + " (make engine starts one where it can)"}
	}
	return found, err
}

// describe says in words which engine it is.
func (l located) describe(ctx context.Context) (string, error) {
	version, err := l.Version(ctx)
	if err != nil {
		return "", fmt.Errorf("ask engine for its version: %w", err)
	}
	endpoint := l.Endpoint()
	origin := endpoint.Origin
	if l.own() {
		origin = "started here as ENGINE=" + l.record.Release
	}
	return fmt.Sprintf("engine %s at %s (%s)", version.Engine, endpoint.Host, origin), nil
}
