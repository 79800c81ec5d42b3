package registry

import (
	"context"
	"errors"
	"os"
	"os/exec"

	"github.com/muster-dev/muster/cmd/dev/daemon"
	"github.com/muster-dev/muster/cmd/dev/provision"
)

// Program is the path of the registry's program, which is fetched unless it was before. Where there are no packages of Debian, the
// machine's docker-registry does, or else the error is [provision.ErrNoPackages]. Calls of several processes at once do no harm.
func Program(ctx context.Context, say func(format string, arguments ...any)) (path string, err error) {
	root, err := provision.Repository()
	if err != nil {
		return "", err
	}
	cache, err := provision.Cache(root, os.Getenv)
	if err != nil {
		return "", err
	}
	machine, err := provision.ThisMachine()
	if err != nil {
		return "", err
	}
	unlock, err := daemon.Lock(ctx, cache)
	if err != nil {
		return "", err
	}
	defer unlock()
	fetcher := provision.Fetcher{Cache: cache, Mirror: os.Getenv("DEBIAN_MIRROR"), Machine: machine, Say: say}
	path, err = fetcher.Registry(ctx)
	if errors.Is(err, provision.ErrNoPackages) {
		if installed, missing := exec.LookPath("docker-registry"); missing == nil {
			return installed, nil
		}
	}
	return path, err
}
