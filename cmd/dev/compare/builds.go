package compare

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
)

// What is built: services of a context each, with random content, so that nothing of it comes from a cache.
const (
	builtServices = 5
	builtFiles    = 20
	builtSize     = 1_000_000 // of each file
	buildRounds   = 4
)

// Build compares `muster build` with docker compose's.
func (o Options) Build(ctx context.Context) (result Result, err error) {
	home := filepath.Join(o.Folder, "peer")
	if err := makePlugins(home, o.Peer); err != nil {
		return Result{}, fmt.Errorf("install buildx: %w", err)
	}
	buildx := filepath.Join(o.Peer, "docker-buildx")
	before, err := o.buildCache(ctx, buildx)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, o.pruneBuilds(context.WithoutCancel(ctx), buildx, before)) }()
	muster := built{Options: o, project: "muster-bench-build"}
	muster.file = filepath.Join(o.Folder, muster.project, "compose.yaml")
	peer := built{Options: o, project: "muster-bench-peer"}
	peer.file = filepath.Join(o.Folder, peer.project, "compose.yaml")
	m := o.usual(fmt.Sprintf("build of %d images", builtServices))
	m.rounds = buildRounds
	return o.ratio(ctx, m, peer.side("docker compose", func(ctx context.Context) error {
		command := exec.CommandContext(ctx, filepath.Join(o.Peer, "docker-compose"),
			"-p", peer.project, "-f", peer.file, "--progress", "quiet", "build")
		command.Env = append(os.Environ(), "HOME="+home, "DOCKER_CONFIG="+filepath.Join(home, ".docker"))
		return o.call(command)
	}), muster.side("muster", o.muster(muster.project, muster.file, "build")))
}

// makePlugins makes a home in which docker compose finds buildx.
func makePlugins(home, peer string) error {
	plugins := filepath.Join(home, ".docker", "cli-plugins")
	const private = 0o700
	if err := os.MkdirAll(plugins, private); err != nil {
		return err
	}
	return os.Symlink(filepath.Join(peer, "docker-buildx"), filepath.Join(plugins, "docker-buildx"))
}

// built is a project that is built anew each time.
type built struct {
	Options
	project, file string
}

func (b built) side(name string, build func(context.Context) error) side {
	return side{name: name, ready: b.write, do: build, undo: b.remove}
}

// write makes the project in an empty folder.
func (b built) write(context.Context) error {
	const private, public = 0o700, 0o600
	var file strings.Builder
	file.WriteString("services:\n")
	content := make([]byte, builtSize)
	for i := range builtServices {
		fmt.Fprintf(&file, "  s%d: {build: ./s%d}\n", i, i)
		folder := filepath.Join(filepath.Dir(b.file), fmt.Sprintf("s%d", i))
		if err := os.MkdirAll(filepath.Join(folder, "content"), private); err != nil {
			return err
		}
		text := "FROM " + b.Base + "\nCOPY content " + benchMark + "\nRUN busybox sha256sum " + benchMark + "/* > /sums\n" +
			"RUN busybox wc -l /sums > " + benchMark + "-count\n"
		if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), []byte(text), public); err != nil {
			return err
		}
		for j := range builtFiles {
			_, _ = rand.Read(content) // never fails
			if err := os.WriteFile(filepath.Join(folder, "content", fmt.Sprint(j)), content, public); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(b.file, []byte(file.String()), public)
}

func (b built) remove(ctx context.Context) error {
	problems := []error{os.RemoveAll(filepath.Dir(b.file))}
	for i := range builtServices {
		err := b.Engine.RemoveImage(ctx, fmt.Sprintf("%s-s%d", b.project, i))
		if !errors.Is(err, engine.ErrNotFound) {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// benchMark is in the description of each step.
const benchMark = "/muster-bench"

// buildCache lists what the engine keeps of steps like ours, and of contexts, which nothing tells apart; by ID.
func (o Options) buildCache(ctx context.Context, buildx string) (map[string]bool, error) {
	list := exec.CommandContext(ctx, buildx, "du", "--format", "{{.ID}} {{.Description}}")
	list.Env = append(os.Environ(), "DOCKER_HOST="+o.Engine.Endpoint().Host, "HOME="+o.Folder)
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list cache of builds: %w", err)
	}
	found := map[string]bool{}
	for line := range strings.Lines(string(output)) {
		id, description, _ := strings.Cut(line, " ")
		if strings.Contains(description, benchMark) || strings.HasPrefix(description, "local source for ") {
			found[id] = true
		}
	}
	return found, nil
}

// pruneBuilds removes what the engine has kept of builds since.
func (o Options) pruneBuilds(ctx context.Context, buildx string, before map[string]bool) error {
	now, err := o.buildCache(ctx, buildx)
	if err != nil {
		return err
	}
	var made []string
	for id := range now {
		if !before[id] {
			made = append(made, regexp.QuoteMeta(id))
		}
	}
	if len(made) == 0 {
		return nil
	}
	prune := exec.CommandContext(ctx, buildx, "prune", "--force", "--all", "--filter", "id~=^("+strings.Join(made, "|")+")$")
	prune.Env = append(os.Environ(), "DOCKER_HOST="+o.Engine.Endpoint().Host, "HOME="+o.Folder)
	if err := prune.Run(); err != nil {
		return fmt.Errorf("prune cache of builds: %w", err)
	}
	return nil
}
