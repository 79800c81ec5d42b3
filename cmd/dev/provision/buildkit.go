package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildKitModule is where BuildKit's programs come from.
const buildKitModule = "github.com/moby/buildkit"

// BuildKit compiles BuildKit's own programs out of the module that Muster is built with, which takes some minutes once, and returns
// their folder.
func (f Fetcher) BuildKit(ctx context.Context) (folder string, err error) {
	module, err := findModule(ctx, buildKitModule)
	if err != nil {
		return "", fmt.Errorf("find BuildKit: %w", err)
	}
	folder = filepath.Join(f.Cache, "buildkit-"+module.Version)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	f.Say("compiling BuildKit %s, which takes some minutes once", module.Version)
	part := folder + ".part"
	if err := os.RemoveAll(part); err != nil {
		return "", err
	}
	const folders = 0o755
	if err := os.MkdirAll(part, folders); err != nil {
		return "", err
	}
	// It is a module of its own: what it depends on is none of Muster's.
	build := exec.CommandContext(ctx, "go", "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", part+string(filepath.Separator),
		"./cmd/buildkitd", "./cmd/buildctl")
	build.Dir = module.Dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile BuildKit: %w\n%s", err, output)
	}
	return folder, os.Rename(part, folder)
}

// module is what Go knows of one.
type module struct{ Version, Dir string }

// findModule finds, and fetches if need be, a module in the version that this one requires.
func findModule(ctx context.Context, path string) (found module, err error) {
	version, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", path).Output()
	if err != nil {
		return module{}, said(err)
	}
	output, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", path+"@"+strings.TrimSpace(string(version))).Output()
	if err != nil {
		return module{}, said(err)
	}
	return found, json.Unmarshal(output, &found)
}

// said is an error of a program with what that said.
func said(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
