package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// startTimeout is how long an engine may take: one that was killed puts its containers in order first.
const startTimeout = 2 * time.Minute

// Start starts the engine in the background and returns when it is ready. It outlives this process and its terminal.
// The caller holds the lock.
func Start(ctx context.Context, launch Launch) (Record, error) {
	at := layoutOf(launch.Cache, launch.Release)
	// An engine that was killed leaves containers without a master, mounts, and files with the ID of a process that may be
	// another's by now. The next one could take over some of it; a clean start is quicker and always the same.
	if err := sweep(ctx, os.DirFS("/proc"), places{run: at.run, data: at.data}); err != nil {
		return Record{}, fmt.Errorf("clear what the last engine left: %w", err)
	}
	if err := launch.prepare(); err != nil {
		return Record{}, err
	}
	ready, err := listenForReadiness(at.run)
	if err != nil {
		return Record{}, err
	}
	defer ready.close() //nolint:errcheck // nothing depends on it any more
	record, err := spawn(launch, ready.path)
	if err != nil {
		return Record{}, err
	}
	return record, awaitReady(ctx, launch, record, ready)
}

// spawn starts the process and records it at once, so that it can be ended whatever happens next.
func spawn(launch Launch, notifySocket string) (Record, error) {
	at := layoutOf(launch.Cache, launch.Release)
	const private = 0o600
	log, err := os.OpenFile(at.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, private)
	if err != nil {
		return Record{}, fmt.Errorf("open engine's log: %w", err)
	}
	defer log.Close() //nolint:errcheck // the engine has its own copy
	program := filepath.Join(launch.Programs, "usr", "sbin", "dockerd")
	// Not with the context: the engine outlives this process.
	cmd := exec.Command(program, at.arguments()...)
	cmd.Env = append(os.Environ(), "PATH="+launch.path(os.Getenv("PATH")), "NOTIFY_SOCKET="+notifySocket)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = ownSession()
	if err := cmd.Start(); err != nil {
		return Record{}, fmt.Errorf("start engine: %w", err)
	}
	process, err := identify(os.DirFS("/proc"), cmd.Process.Pid)
	if err != nil {
		return Record{}, errors.Join(err, cmd.Process.Kill())
	}
	record := newRecord(launch.Cache, launch.Release, process)
	if err := record.write(launch.Cache); err != nil {
		return Record{}, errors.Join(err, cmd.Process.Kill())
	}
	return record, nil
}

// awaitReady waits for the engine; one that does not get ready is ended.
func awaitReady(ctx context.Context, launch Launch, record Record, ready *readiness) error {
	limited, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	proc := os.DirFS("/proc")
	err := ready.wait(limited, func() bool { return record.Process.Alive(proc) })
	if err == nil {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = fmt.Errorf("it was not ready after %v", startTimeout)
	}
	stopped := Stop(context.WithoutCancel(ctx), launch.Cache, record)
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), stopped)
	}
	return errors.Join(fmt.Errorf("start engine: %w; the end of its log %s:\n%s", err, record.Log, tail(record.Log)), stopped)
}

// tail is the end of a log, without what is only information.
func tail(path string) string {
	const enough = 12
	data, err := os.ReadFile(path)
	if err != nil {
		return "  " + err.Error()
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(data)), "\n"), func(line string) bool {
		return strings.Contains(line, " level=info ")
	})
	return "  " + strings.Join(lines[max(0, len(lines)-enough):], "\n  ")
}
