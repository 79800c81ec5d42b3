// Package dropin types the same command lines with docker compose and with Muster, one tool after the other in a project of the same
// name, and compares what each line writes on stdout, its exit code, and what the engine then has of the project.
package dropin

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/muster-dev/muster/convergence/engine"
)

//go:embed testdata/session.txtar
var session []byte

// Options say what to compare.
type Options struct {
	Muster string // the program
	Peer   string // the folder with docker-compose and docker-buildx
	Host   string // the engine's address
	Engine engine.Engine
	Out    io.Writer
}

// ErrDifferent means that a line did something else, and that the session does not say why it should.
var ErrDifferent = errors.New("not the same as docker compose, see above")

// projectName is the name that both tools work under.
const projectName = "dropin"

// Run types the session twice and writes a report. The error is [ErrDifferent] where the comparison itself worked.
func Run(ctx context.Context, options Options) error {
	archive := txtar.Parse(session)
	lines, err := parseLines(string(archive.Comment))
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "muster-dropin-")
	if err != nil {
		return fmt.Errorf("make folder for the session: %w", err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	var typed [2][]outcome
	for i, program := range []string{filepath.Join(options.Peer, "docker-compose"), options.Muster} {
		// The same path for both: it is in what they write.
		t := typist{options: options, program: program, folder: filepath.Join(folder, "shop"), home: filepath.Join(folder, "home")}
		if err := t.prepare(archive); err != nil {
			return err
		}
		typed[i], err = t.typeAll(ctx, lines)
		if err := errors.Join(err, t.clear(ctx)); err != nil {
			return err
		}
	}
	return report(options.Out, lines, typed[0], typed[1])
}

// typist has one of the tools at hand.
type typist struct {
	options      Options
	program      string
	folder, home string
}

// prepare makes the project's folder anew, and a home in which docker compose finds its plugins.
func (t typist) prepare(archive *txtar.Archive) error {
	plugins := filepath.Join(t.home, ".docker", "cli-plugins")
	const private = 0o700
	if err := errors.Join(os.RemoveAll(t.folder), os.RemoveAll(t.home), os.MkdirAll(plugins, private)); err != nil {
		return fmt.Errorf("make folders of the session: %w", err)
	}
	if err := os.Symlink(filepath.Join(t.options.Peer, "docker-buildx"), filepath.Join(plugins, "docker-buildx")); err != nil {
		return fmt.Errorf("install plugin: %w", err)
	}
	for _, file := range archive.Files {
		path := filepath.Join(t.folder, file.Name)
		const readable = 0o644
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), private), os.WriteFile(path, file.Data, readable)); err != nil {
			return fmt.Errorf("write files of the session: %w", err)
		}
	}
	return nil
}

// outcome is what came of a line.
type outcome struct {
	exit   string
	stdout string
	stderr string // for whoever looks for the reason of a difference
	state  string
}

func (t typist) typeAll(ctx context.Context, lines []line) ([]outcome, error) {
	if err := t.clear(ctx); err != nil {
		return nil, err
	}
	outcomes := make([]outcome, len(lines))
	for i, line := range lines {
		var err error
		if outcomes[i], err = t.typeLine(ctx, line); err != nil {
			return nil, fmt.Errorf("type %q: %w", line.text, err)
		}
	}
	return outcomes, nil
}

func (t typist) typeLine(ctx context.Context, line line) (outcome, error) {
	const patience = 2 * time.Minute
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	command := exec.CommandContext(limited, t.program, line.arguments...)
	command.Dir = t.folder
	command.Env = append([]string{
		"DOCKER_HOST=" + t.options.Host, "HOME=" + t.home, "PATH=" + os.Getenv("PATH"), "COMPOSE_PROJECT_NAME=" + projectName,
		"BUILDX_NO_DEFAULT_ATTESTATIONS=1",
	}, line.env...)
	command.Stdin = strings.NewReader(line.stdin)
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return outcome{}, err
	}
	if limited.Err() != nil {
		return outcome{}, fmt.Errorf("it takes more than %s", patience)
	}
	if line.readBack != "" {
		content, err := os.ReadFile(filepath.Join(t.folder, line.readBack))
		if err != nil {
			content = []byte("there is no such file")
		}
		stdout.WriteString("\n" + line.readBack + ": " + string(content))
	}
	state, err := t.look(ctx)
	return outcome{
		exit: fmt.Sprint(command.ProcessState.ExitCode()), stdout: normal(stdout.String(), line.anyOrder), stderr: stderr.String(), state: state,
	}, err
}

// look tells what the engine has of the project.
func (t typist) look(ctx context.Context) (string, error) {
	state, err := t.containers(ctx)
	if err != nil {
		return "", err
	}
	networks, err := t.options.Engine.ListNetworks(ctx)
	if err != nil {
		return "", err
	}
	for _, n := range networks {
		state = append(state, own("network", n.Name, "_")...)
	}
	volumes, err := t.options.Engine.ListVolumes(ctx)
	if err != nil {
		return "", err
	}
	for _, v := range volumes {
		state = append(state, own("volume", v.Name, "_")...)
	}
	images, err := t.options.Engine.ListImages(ctx)
	if err != nil {
		return "", err
	}
	for _, i := range images {
		for _, tag := range i.Tags {
			state = append(state, own("image", tag, "-")...)
		}
	}
	slices.Sort(state)
	return strings.Join(state, "\n"), nil
}

// own is something with the project's name before a separator; nothing where it is somebody else's.
func own(kind, name, separator string) []string {
	if !strings.HasPrefix(name, projectName+separator) {
		return nil
	}
	return []string{kind + " " + name}
}

func (t typist) containers(ctx context.Context) (state []string, err error) {
	containers, err := t.options.Engine.ListContainers(ctx, engine.ContainerFilter{Project: projectName})
	if err != nil {
		return nil, err
	}
	for _, c := range containers {
		details, err := t.options.Engine.InspectContainer(ctx, c.ID) // a list may be a moment behind
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			state = append(state, fmt.Sprintf("container %s %s %d", oneOff(c.Name), details.State, details.ExitCode))
		}
	}
	return state, nil
}

// clear removes all that the engine has of the project.
func (t typist) clear(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	command := exec.CommandContext(ctx, t.options.Muster, "-p", projectName, "--progress", "quiet",
		"down", "-v", "-t", "0", "--remove-orphans", "--rmi", "local")
	command.Env = []string{"DOCKER_HOST=" + t.options.Host, "HOME=" + t.home}
	command.Dir = t.home
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("clear project %s: %w: %s", projectName, err, output)
	}
	left, err := t.look(ctx)
	if err == nil && left != "" {
		err = fmt.Errorf("left of project %s: %s", projectName, left)
	}
	return err
}
