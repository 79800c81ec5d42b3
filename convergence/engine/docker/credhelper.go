package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/docker/cli/cli/config/types"
	"github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"
)

// helperPrefix is what credential helpers' names begin with.
const helperPrefix = "docker-credential-"

// identityUser is the user name by which a helper says that the secret is an identity token (docker-credential-helpers).
const identityUser = "<token>"

// askHelper asks a credential helper for a registry's credentials; zero where it has none.
func (s settings) askHelper(ctx context.Context, helper, key string) (types.AuthConfig, error) {
	path, err := s.program(helperPrefix + helper)
	if err != nil {
		return types.AuthConfig{}, err
	}
	var run *helperRun
	found, err := client.Get(func(arguments ...string) client.Program {
		run = newHelperRun(ctx, path, arguments)
		return run
	}, key)
	switch {
	case credentials.IsErrCredentialsNotFound(err):
		return types.AuthConfig{}, nil
	case err != nil && run.failure != nil:
		return types.AuthConfig{}, fmt.Errorf("%s%s: %w", helperPrefix, helper, run.failure)
	case err != nil: // the library's error may quote the answer
		return types.AuthConfig{}, fmt.Errorf("%s%s: its answer cannot be read", helperPrefix, helper)
	case found.Username == identityUser:
		return types.AuthConfig{IdentityToken: found.Secret, ServerAddress: key}, nil
	}
	return types.AuthConfig{Username: found.Username, Password: found.Secret, ServerAddress: key}, nil
}

// helperRun is one run of a helper, as the library wants it; the library's own cannot be cancelled, and lets helpers write
// over what is on the terminal.
type helperRun struct {
	command *exec.Cmd
	failure error
}

func newHelperRun(ctx context.Context, path string, arguments []string) *helperRun {
	command := exec.CommandContext(ctx, path, arguments...)
	command.WaitDelay = time.Second // for what the helper left running with its output
	return &helperRun{command: command}
}

// Input implements client.Program.
func (r *helperRun) Input(in io.Reader) { r.command.Stdin = in }

// Output implements client.Program.
func (r *helperRun) Output() ([]byte, error) {
	out, err := r.command.Output()
	if err == nil {
		return out, nil
	}
	r.failure = err
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return out, err
	}
	// Helpers tell what is wrong on stdout, where on success the secret is.
	for _, said := range [][]byte{out, exit.Stderr} {
		if text := strings.TrimSpace(string(said)); text != "" && !bytes.Contains(said, []byte(`"Secret"`)) {
			r.failure = errors.New(text)
			break
		}
	}
	return out, err
}
