// Package fetched finds programs that tests and measurements run beside Muster, and fetches them unless they were before. Calls of
// several processes at once do no harm.
package fetched

import (
	"context"
	"errors"
	"os"
	"os/exec"

	"github.com/muster-dev/muster/cmd/dev/daemon"
	"github.com/muster-dev/muster/cmd/dev/provision"
)

// Registry is the path of an image registry's program. Where there are no packages of Debian, the machine's docker-registry does,
// or else the error is [provision.ErrNoPackages]. say tells what is being done.
func Registry(ctx context.Context, say func(format string, arguments ...any)) (path string, err error) {
	path, err = fetch(ctx, say, provision.Fetcher.Registry)
	if errors.Is(err, provision.ErrNoPackages) {
		if installed, missing := exec.LookPath("docker-registry"); missing == nil {
			return installed, nil
		}
	}
	return path, err
}

// DockerCLI is the path of the docker CLI: the machine's, or else that of the usual engine's packages.
func DockerCLI(ctx context.Context, say func(format string, arguments ...any)) (path string, err error) {
	if installed, missing := exec.LookPath("docker"); missing == nil {
		return installed, nil
	}
	return fetch(ctx, say, provision.Fetcher.DockerCLI)
}

// BuildKit is the folder of BuildKit's own programs, buildkitd and buildctl, of the version that Muster speaks to.
func BuildKit(ctx context.Context, say func(format string, arguments ...any)) (folder string, err error) {
	return fetch(ctx, say, provision.Fetcher.BuildKit)
}

func fetch(
	ctx context.Context, say func(format string, arguments ...any), get func(provision.Fetcher, context.Context) (string, error),
) (path string, err error) {
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
	return get(provision.Fetcher{Cache: cache, Mirror: os.Getenv("DEBIAN_MIRROR"), Machine: machine, Say: say}, ctx)
}
