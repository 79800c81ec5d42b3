package parity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The names of the two tools, as reports and the list of what is intended have them.
const (
	peerName   = "docker compose"
	musterName = "muster"
)

// tools are both tools in an environment of their own: what the developer's shell has must not change what a file means.
type tools struct {
	muster, compose string
	host            string
	home            string
	path            string
	agent           string // the address of an SSH agent
}

// install makes a home in which docker compose finds its plugins, and a PATH on which both find the corpus's provider.
func install(o Options, folder string) (tools, error) {
	home := filepath.Join(folder, "home")
	plugins := filepath.Join(home, ".docker", "cli-plugins")
	const private = 0o700
	if err := os.MkdirAll(plugins, private); err != nil {
		return tools{}, fmt.Errorf("make home for the tools: %w", err)
	}
	programs := filepath.Join(folder, "corpus", "files", "bin")
	for _, plugin := range []string{filepath.Join(o.Peer, "docker-buildx"), filepath.Join(programs, "docker-model")} {
		if err := os.Symlink(plugin, filepath.Join(plugins, filepath.Base(plugin))); err != nil {
			return tools{}, fmt.Errorf("install plugin: %w", err)
		}
	}
	return tools{
		muster: o.Muster, compose: filepath.Join(o.Peer, "docker-compose"), host: o.Host, home: home,
		path: programs + string(filepath.ListSeparator) + os.Getenv("PATH"),
	}, nil
}

// call is one command of a tool on a file, with the output where it fails.
func (t tools) call(ctx context.Context, name string, file corpusFile, at site, arguments ...string) (output string, err error) {
	const patience = 3 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	program := t.compose
	if name == musterName {
		program = t.muster
	}
	global := []string{"-p", at.project, "-f", at.file, "--ansi", "never", "--progress", "quiet"}
	for _, profile := range file.Profiles {
		global = append(global, "--profile", profile)
	}
	command := exec.CommandContext(ctx, program, append(global, arguments...)...)
	command.Dir = filepath.Dir(at.file)
	command.Env = []string{"DOCKER_HOST=" + t.host, "HOME=" + t.home, "PATH=" + t.path, "SSH_AUTH_SOCK=" + t.agent}
	for key, value := range file.Env {
		command.Env = append(command.Env, key+"="+value)
	}
	content, err := command.CombinedOutput()
	if err != nil {
		err = &callError{Tool: name, Arguments: arguments, Output: strings.TrimSpace(string(content)), Cause: err}
	}
	return string(content), err
}

// callError is a command that failed.
type callError struct {
	Tool      string
	Arguments []string
	Output    string
	Cause     error
}

func (e *callError) Error() string {
	return fmt.Sprintf("%s %s: %v: %s", e.Tool, strings.Join(e.Arguments, " "), e.Cause, e.lines())
}

// lines is the end of what the command said, on one line.
func (e *callError) lines() string {
	const most = 6
	lines := strings.Split(e.Output, "\n")
	return strings.Join(lines[max(len(lines)-most, 0):], " | ")
}

func (e *callError) Unwrap() error { return e.Cause }

// exitCode is that of a command, 0 for none that failed, and -1 where it did not come to one.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// up brings a file up as its notes say.
func (t tools) up(ctx context.Context, name string, file corpusFile, at site) error {
	arguments := []string{"up", "-d", "-t", "0", "-y"}
	if file.Do == "create" {
		arguments = []string{"create", "-y"}
	}
	_, err := t.call(ctx, name, file, at, arguments...)
	return err
}

func (t tools) down(ctx context.Context, name string, file corpusFile, at site) error {
	_, err := t.call(ctx, name, file, at, "down", "-v", "-t", "0", "--remove-orphans")
	return err
}
