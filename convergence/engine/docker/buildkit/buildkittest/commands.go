package buildkittest

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
)

// command carries out one instruction. name is what it is told of as, where it is a step.
func (b *build) command(ctx context.Context, at *state, command instructions.Command, name string) error {
	known := at.known()
	if expanding, ok := command.(instructions.SupportsSingleWordExpansion); ok {
		if err := expanding.Expand(func(word string) (string, error) { return b.file.expand(word, known) }); err != nil {
			return err
		}
	}
	switch c := command.(type) {
	case *instructions.ArgCommand:
		return b.file.declare(c, at.arguments, known, b.options)
	case *instructions.RunCommand:
		return b.runCommand(ctx, at, c, name)
	case *instructions.CopyCommand:
		return b.copyCommand(at, c, name)
	case *instructions.AddCommand:
		return b.addCommand(at, c, name)
	case *instructions.WorkdirCommand:
		at.image.Config.WorkingDir = at.absolute(c.Path)
		return b.remembered(at, name, hash(at.key, "WORKDIR", at.image.Config.WorkingDir), func(*vertex) error { return nil })
	}
	return at.configure(command)
}

// configure carries out the instructions that only change the image's configuration.
func (at *state) configure(command instructions.Command) error {
	config := &at.image.Config
	switch c := command.(type) {
	case *instructions.EnvCommand:
		for _, variable := range c.Env {
			config.Env = withVariable(config.Env, variable.Key, variable.Value)
		}
	case *instructions.LabelCommand:
		for _, label := range c.Labels {
			config.Labels = with(config.Labels, label.Key, label.Value)
		}
	case *instructions.CmdCommand:
		config.Cmd = at.words(c.ShellDependantCmdLine)
	case *instructions.EntrypointCommand:
		config.Entrypoint = at.words(c.ShellDependantCmdLine)
		config.Cmd = nil
	case *instructions.ExposeCommand:
		for _, port := range c.Ports {
			if !strings.Contains(port, "/") {
				port += "/tcp"
			}
			config.ExposedPorts = with(config.ExposedPorts, port, struct{}{})
		}
	case *instructions.VolumeCommand:
		for _, volume := range c.Volumes {
			config.Volumes = with(config.Volumes, volume, struct{}{})
		}
	case *instructions.UserCommand:
		config.User = c.User
	case *instructions.StopSignalCommand:
		config.StopSignal = c.Signal
	case *instructions.HealthCheckCommand:
		config.Healthcheck = c.Health
	case *instructions.ShellCommand:
		at.shell = c.Shell
	default:
		return unknown("the instruction %s", command.Name())
	}
	return nil
}

// runCommand is RUN. A program that does not end well fails the build.
func (b *build) runCommand(ctx context.Context, at *state, c *instructions.RunCommand, name string) error {
	if len(c.FlagsUsed) > 0 || len(c.Files) > 0 {
		return unknown("RUN with flags or here-documents")
	}
	words := at.words(c.ShellDependantCmdLine)
	environment := at.known()
	key := hash(append([]string{at.key, "RUN", at.image.Config.WorkingDir, at.image.Config.User}, append(environment.list(), words...)...)...)
	return b.remembered(at, name, key, func(v *vertex) error {
		code := b.execute(ctx, at, v, words, environment)
		if code != 0 && ctx.Err() == nil {
			return fmt.Errorf("process %q did not complete successfully: exit code: %d", strings.Join(words, " "), code)
		}
		return ctx.Err()
	})
}

func (b *build) execute(ctx context.Context, at *state, v *vertex, words []string, environment variables) int {
	stdout, stderr := logWriter{v, 1}, logWriter{v, 2}
	if program, known := at.image.Files[words[0]]; at.image.OnlyItsFiles && (!known || !program.Executable) {
		reason := fmt.Sprintf("stat %s: no such file or directory", words[0])
		if known {
			reason = "permission denied"
		}
		_, _ = fmt.Fprintf(stderr, "runc run failed: unable to start container process: exec: %q: %s\n", words[0], reason)
		return 1
	}
	files := newTree(at.image.Files)
	code := b.server.engine.Run(ctx, Process{
		Image: at.image, Args: words, Env: environment, Stdout: stdout, Stderr: stderr, Files: files,
	})
	at.image.Files = files.files
	return code
}

// words are a command's, with the shell before it where it is written without brackets.
func (at *state) words(line instructions.ShellDependantCmdLine) []string {
	if !line.PrependShell {
		return line.CmdLine
	}
	return append(slices.Clone(at.shell), strings.Join(line.CmdLine, " "))
}

// known are the variables that words can refer to: those of ENV over those of ARG.
func (at *state) known() variables {
	known := maps.Clone(at.arguments)
	for _, entry := range at.image.Config.Env {
		name, value, _ := strings.Cut(entry, "=")
		known[name] = value
	}
	return known
}

func (v variables) list() []string {
	var list []string
	for name, value := range v {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

// absolute is a path in the image.
func (at *state) absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join("/", at.image.Config.WorkingDir, name)
}

func withVariable(list []string, name, value string) []string {
	list = slices.DeleteFunc(slices.Clone(list), func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
	return append(list, name+"="+value)
}

// with is a map with one more entry; the one that was there stays as it is.
func with[V any](m map[string]V, key string, value V) map[string]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}

func cloned(config dockerspec.DockerOCIImageConfig) dockerspec.DockerOCIImageConfig {
	config.Env = slices.Clone(config.Env)
	return config
}
