package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/credentials"
	"github.com/docker/cli/cli/config/types"
	helperclient "github.com/docker/docker-credential-helpers/client"
	helpererrors "github.com/docker/docker-credential-helpers/credentials"
	"github.com/docker/docker/api/types/registry"
)

// dockerHub is the key under which the docker CLI keeps the default registry's credentials.
const dockerHub = "https://index.docker.io/v1/"

// registryAuth is the X-Registry-Auth header for a reference's registry; empty where there are no credentials. It is nothing
// to be printed.
func (c *Client) registryAuth(ctx context.Context, ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", invalid("image %q: %v", ref, err)
	}
	domain := reference.Domain(named)
	key := domain
	if key == "docker.io" {
		key = dockerHub
	}
	found, err := c.settings.credentials(ctx, key)
	if err != nil {
		return "", fmt.Errorf("read credentials for %s: %w", domain, err)
	}
	if found == (types.AuthConfig{}) {
		return "", nil
	}
	return registry.EncodeAuthConfig(registry.AuthConfig{
		Username: found.Username, Password: found.Password, Auth: found.Auth,
		ServerAddress: found.ServerAddress, IdentityToken: found.IdentityToken, RegistryToken: found.RegistryToken,
	})
}

// credentials are those of DOCKER_AUTH_CONFIG, else of the helper that the docker CLI's configuration names for the registry
// or for all, else of the configuration's auths; zero where there are none.
func (s settings) credentials(ctx context.Context, key string) (types.AuthConfig, error) {
	fromEnv, err := s.credentialsInEnv()
	if err != nil {
		return types.AuthConfig{}, err
	}
	if found, ok := fromEnv[key]; ok {
		return found, nil
	}
	helper, setting := s.file.CredentialsStore, "credsStore"
	if named, ok := s.file.CredentialHelpers[key]; ok {
		helper, setting = named, "credHelpers"
	}
	if helper == "" {
		return credentials.NewFileStore(s.file).Get(key)
	}
	found, err := s.askHelper(ctx, helper, key)
	switch {
	case ctx.Err() != nil:
		return types.AuthConfig{}, ctx.Err()
	case err != nil:
		file := filepath.Join(s.folder, config.ConfigFileName)
		return types.AuthConfig{}, &advised{
			fmt.Errorf("%s of %s: %w", setting, file, err),
			fmt.Sprintf("make `%s%s list` work, or take it out of %s", helperPrefix, helper, file),
		}
	}
	return found, nil
}

// credentialsInEnv reads DOCKER_AUTH_CONFIG, which is auths as in the configuration. The library prints what is wrong with it
// to the process's stderr; here it is an error.
func (s settings) credentialsInEnv() (map[string]types.AuthConfig, error) {
	value := s.Env("DOCKER_AUTH_CONFIG")
	if value == "" {
		return nil, nil
	}
	file, err := config.LoadFromReader(strings.NewReader(value))
	if err != nil {
		return nil, fmt.Errorf("DOCKER_AUTH_CONFIG: %w", err)
	}
	return file.AuthConfigs, nil
}

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
	found, err := helperclient.Get(func(arguments ...string) helperclient.Program {
		run = newHelperRun(ctx, path, arguments)
		return run
	}, key)
	switch {
	case helpererrors.IsErrCredentialsNotFound(err):
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

// Input implements helperclient.Program.
func (r *helperRun) Input(in io.Reader) { r.command.Stdin = in }

// Output implements helperclient.Program.
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
