// Package parity brings Compose files up with docker compose and with Muster, on the same engine one after the other, and compares
// what the engine then tells of their containers, networks, volumes and built images, field by field. Each tool also takes over what
// the other one made, which must stay as it is.
package parity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
)

// Options say what to compare with.
type Options struct {
	Muster string   // the program
	Peer   string   // the folder with docker-compose and docker-buildx
	Host   string   // the engine's address
	Names  []string // of the files to check; none means all
	Out    io.Writer
}

// ErrDifferent means that something is not as docker compose has it, and not as the list of what is intended says.
var ErrDifferent = errors.New("not the same as docker compose, see above")

// Run checks the corpus and writes a report. The error is [ErrDifferent] where the comparison itself worked.
func Run(ctx context.Context, options Options) error {
	files, err := readCorpus()
	if err != nil {
		return err
	}
	if files, err = choose(files, options.Names); err != nil {
		return err
	}
	wanted, err := readIntended()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "muster-parity-")
	if err != nil {
		return fmt.Errorf("make folder for the comparison: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	corpus := filepath.Join(folder, "corpus")
	if err := unpack(corpus); err != nil {
		return err
	}
	both, err := install(options, folder)
	if err != nil {
		return err
	}
	// The corpus names a socket as an SSH agent's. Nobody asks it anything: a build only takes it along.
	agent, err := (&net.ListenConfig{}).Listen(ctx, "unix", filepath.Join(corpus, "agent.sock"))
	if err != nil {
		return fmt.Errorf("make socket of an agent: %w", err)
	}
	defer agent.Close() //nolint:errcheck // nothing depends on it any more
	both.agent = agent.Addr().String()
	engine, err := newRawEngine(options.Host)
	if err != nil {
		return err
	}
	defer engine.close()
	version, err := engine.version(ctx)
	if err != nil {
		return fmt.Errorf("ask engine for its version: %w", err)
	}
	containerd, err := engine.usesContainerd(ctx)
	if err != nil {
		return fmt.Errorf("ask engine for its storage: %w", err)
	}
	privileged, err := engine.runsPrivileged(ctx)
	if err != nil {
		return fmt.Errorf("ask engine for privileged containers: %w", err)
	}
	report := report{out: options.Out, wanted: wanted, whole: len(options.Names) == 0}
	r := runner{engine: engine, tools: both, folder: corpus, version: version, containerd: containerd, privileged: privileged, intended: wanted}
	fmt.Fprintf(options.Out, "%d files on engine %s (API %s)\n", len(files), version.Version, version.APIVersion)
	for _, file := range files {
		result, err := r.check(ctx, file)
		if err != nil {
			return fmt.Errorf("check %s.yaml: %w", file.Name, err)
		}
		report.add(result)
	}
	return report.end()
}
