package daemon

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// stopTimeout is longer than the 15 seconds that an engine gives its containers.
const stopTimeout = 40 * time.Second

// Stop ends the engine of the record and everything that it has started. One that has ended already is no error: what it left
// behind is ended all the same. The caller holds the lock.
func Stop(ctx context.Context, cache string, record Record) error {
	proc := os.DirFS("/proc")
	if record.Process.Alive(proc) {
		if err := terminate(record.Process.PID); err != nil {
			return fmt.Errorf("end engine: %w", err)
		}
		if err := awaitEnd(ctx, proc, []Process{record.Process}, stopTimeout); err != nil {
			return fmt.Errorf("end engine: %w", err)
		}
	}
	if err := sweep(ctx, proc, places{run: record.Run, data: record.Data}); err != nil {
		return err
	}
	return forget(cache)
}

// sweep ends every process that an engine has started, takes off what it has mounted, and removes its sockets and state. What
// it keeps in its data folder stays.
func sweep(ctx context.Context, proc fs.FS, of places) error {
	left, err := ours(proc, of)
	if err != nil {
		return err
	}
	if err := end(ctx, proc, left); err != nil {
		return err
	}
	if err := unmountIn(of.run, of.data); err != nil {
		return err
	}
	if err := os.RemoveAll(of.run); err != nil {
		return fmt.Errorf("remove engine's sockets: %w", err)
	}
	return nil
}

// end ends processes by force if they do not end by themselves.
func end(ctx context.Context, proc fs.FS, processes []Process) error {
	const patience = 5 * time.Second
	for _, signal := range []func(int) error{terminate, kill} {
		for _, process := range processes {
			if !process.Alive(proc) {
				continue
			}
			if err := signal(process.PID); err != nil && process.Alive(proc) {
				return fmt.Errorf("end process %d: %w", process.PID, err)
			}
		}
		if awaitEnd(ctx, proc, processes, patience) == nil {
			return nil
		}
	}
	return awaitEnd(ctx, proc, processes, patience)
}

// awaitEnd waits until none of the processes runs. They are not our children, so there is nothing to wait on but to look.
func awaitEnd(ctx context.Context, proc fs.FS, processes []Process, patience time.Duration) error {
	const look = 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for _, process := range processes {
		for process.Alive(proc) {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return fmt.Errorf("process %d still runs: %w", process.PID, ctx.Err())
			}
		}
	}
	return nil
}

// Kill ends the engine of the record at once, as a crash does, and nothing that it has started: the next start puts that in order. The
// caller holds the lock.
func Kill(ctx context.Context, record Record) error {
	proc := os.DirFS("/proc")
	if !record.Process.Alive(proc) {
		return nil
	}
	if err := kill(record.Process.PID); err != nil {
		return fmt.Errorf("kill engine: %w", err)
	}
	return awaitEnd(ctx, proc, []Process{record.Process}, stopTimeout)
}
