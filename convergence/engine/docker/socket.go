package docker

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	helperclient "github.com/docker/docker-credential-helpers/client"
)

// SocketCredentials is a configuration of the docker CLI with the credentials for all registries, for containers that may use the
// engine's socket (`use_api_socket`). It is nothing to be printed. An engine that is not on this machine gets none.
func (o Options) SocketCredentials(ctx context.Context) ([]byte, error) {
	s := o.settings()
	endpoint, err := s.endpoint()
	if err != nil {
		return nil, err
	}
	if !endpoint.isHere() {
		return nil, &advised{
			fmt.Errorf("the engine at %s (from %s) is not on this machine, and gets no credentials of it", endpoint, endpoint.Origin),
			"bind the socket with `volumes`, and give credentials of their own to what is there",
		}
	}
	found, err := s.allCredentials(ctx)
	if err != nil {
		return nil, fmt.Errorf("read credentials: %w", err)
	}
	file := configfile.New("")
	file.AuthConfigs = found
	var text bytes.Buffer
	if err := file.SaveToWriter(&text); err != nil {
		return nil, fmt.Errorf("write credentials: %w", err)
	}
	return text.Bytes(), nil
}

// allCredentials are those of the configuration or the helper that it names for all registries, over them those of helpers for single
// ones, and over those DOCKER_AUTH_CONFIG's.
func (s settings) allCredentials(ctx context.Context) (map[string]types.AuthConfig, error) {
	fromEnv, err := s.credentialsInEnv()
	if err != nil {
		return nil, err
	}
	registries := slices.Concat(slices.Collect(maps.Keys(fromEnv)), slices.Collect(maps.Keys(s.file.CredentialHelpers)))
	if s.file.CredentialsStore == "" {
		registries = slices.AppendSeq(registries, maps.Keys(s.file.AuthConfigs))
	} else {
		kept, err := s.listHelper(ctx, s.file.CredentialsStore)
		if err != nil {
			return nil, err
		}
		registries = slices.AppendSeq(registries, maps.Keys(kept))
	}
	all := map[string]types.AuthConfig{}
	for _, key := range registries {
		found, err := s.credentials(ctx, key)
		if err != nil {
			return nil, err
		}
		if found != (types.AuthConfig{}) {
			all[key] = found
		}
	}
	return all, nil
}

// listHelper asks a credential helper for which registries it has credentials.
func (s settings) listHelper(ctx context.Context, helper string) (map[string]string, error) {
	path, err := s.program(helperPrefix + helper)
	if err != nil {
		return nil, err
	}
	var run *helperRun
	kept, err := helperclient.List(func(arguments ...string) helperclient.Program {
		run = newHelperRun(ctx, path, arguments)
		return run
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && run.failure != nil:
		return nil, fmt.Errorf("%s%s: %w", helperPrefix, helper, run.failure)
	case err != nil: // the library's error may quote the answer
		return nil, fmt.Errorf("%s%s: its answer cannot be read", helperPrefix, helper)
	}
	return kept, nil
}
