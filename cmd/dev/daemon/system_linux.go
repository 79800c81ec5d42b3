package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ownSession lets a process live on when this one, its terminal or its process group ends.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func terminate(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) }

func kill(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }

func unmount(point string) error { return syscall.Unmount(point, syscall.MNT_DETACH) }

// Lock lets one process at a time fetch, start or end an engine from this cache folder. A process that ends lets go.
func Lock(ctx context.Context, cache string) (release func(), err error) {
	const folderMode, private, look = 0o755, 0o600, 100 * time.Millisecond
	if err := os.MkdirAll(cache, folderMode); err != nil {
		return nil, fmt.Errorf("make cache folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(cache, "engine.lock"), os.O_CREATE|os.O_RDWR, private)
	if err != nil {
		return nil, fmt.Errorf("lock engine: %w", err)
	}
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock engine: %w", err), file.Close())
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), file.Close())
		}
	}
}
