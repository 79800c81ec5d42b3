package docker

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/docker/cli/cli/connhelper/ssh"
)

// sshCommand is how ssh is called for an engine's address.
type sshCommand struct {
	program  string
	spec     *ssh.Spec
	remote   []string // what runs on the other side
	endpoint Endpoint
	sharing  sshSharing
}

// newSSHCommand takes an address ssh://[user@]host[:port][/path/to.sock] apart (docker/cli, connhelper).
func newSSHCommand(ctx context.Context, s settings, endpoint Endpoint) (sshCommand, error) {
	spec, err := ssh.ParseURL(endpoint.Host)
	if err != nil {
		return sshCommand{}, fmt.Errorf("read address %s (from %s): %w", endpoint, endpoint.Origin, err)
	}
	c := sshCommand{spec: spec, endpoint: endpoint, remote: []string{"docker"}}
	if strings.Trim(spec.Path, "/") != "" {
		c.remote = append(c.remote, "--host=unix://"+spec.Path)
	}
	c.program, err = s.program("ssh")
	if err != nil {
		return sshCommand{}, &UnreachableError{Endpoint: endpoint, Cause: &sshError{command: c, local: err}}
	}
	c.sharing, err = c.share(ctx, s)
	if err != nil {
		return sshCommand{}, fmt.Errorf("share ssh connections to %s: %w", endpoint, err)
	}
	return c, nil
}

// arguments are those for a session on a line.
func (c sshCommand) arguments(line int, role sshRole) ([]string, error) {
	flags := append([]string{"-oConnectTimeout=30", "-T"}, c.sharing.flags(line, role)...)
	arguments, err := c.spec.Command(flags, slices.Concat(c.remote, []string{"system", "dial-stdio"})...)
	if err != nil {
		return nil, fmt.Errorf("call ssh for %s: %w", c.endpoint, err)
	}
	return arguments, nil
}

// ask runs ssh for an answer of its own, without a connection.
func (c sshCommand) ask(ctx context.Context, flag ...string) (string, error) {
	arguments, err := c.spec.Command(append(flag, "-T"), slices.Concat(c.remote, []string{"version"})...)
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, c.program, arguments...)
	command.SysProcAttr = apart()
	out, err := command.Output()
	return string(out), err
}

// byHand is what a user types to run a command on the engine's host.
func (c sshCommand) byHand(remote ...string) string {
	words := []string{"ssh"}
	if c.spec.Port != "" {
		words = append(words, "-p", c.spec.Port)
	}
	host := c.spec.Host
	if c.spec.User != "" {
		host = c.spec.User + "@" + host
	}
	return "`" + strings.Join(slices.Concat(words, []string{host}, remote), " ") + "`"
}

// dockerByHand is what a user types to speak to the engine there.
func (c sshCommand) dockerByHand() string { return c.byHand(slices.Concat(c.remote, []string{"version"})...) }
