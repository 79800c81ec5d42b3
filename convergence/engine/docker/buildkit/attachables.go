package buildkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/moby/buildkit/session/auth"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/buildkit/session/secrets"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/muster-dev/muster/convergence/engine"
)

// attachables are what BuildKit may ask for in a session.
func (b *Builder) attachables(given *offers, more ...attachable) []attachable {
	list := []attachable{filesync.NewFSSyncProvider(given), &authority{credentials: b.Credentials}, &keeper{offers: given}}
	if b.Load != nil {
		list = append(list, &receiver{offers: given})
	}
	return append(list, slices.DeleteFunc(more, func(one attachable) bool { return one == nil })...)
}

// openAgents reads the keys, and finds the agents, that steps may use; nil where none are wanted. Steps can sign with them
// and no more.
func openAgents(wanted []engine.BuildSSH) (attachable, error) {
	const hint = "start an agent (eval $(ssh-agent); ssh-add), or name a key without passphrase: default=PATH"
	if len(wanted) == 0 {
		return nil, nil
	}
	configs := make([]sshprovider.AgentConfig, len(wanted))
	for i, one := range wanted {
		for _, path := range one.Paths {
			if _, err := os.Stat(path); err != nil {
				return nil, advised{fmt.Errorf("ssh %q: %w", one.ID, err), hint}
			}
		}
		if len(one.Paths) == 0 {
			return nil, advised{fmt.Errorf("ssh %q: it names neither an agent's socket nor keys", one.ID), hint}
		}
		configs[i] = sshprovider.AgentConfig{ID: one.ID, Paths: slices.Clone(one.Paths)}
		if _, err := sshprovider.NewSSHAgentProvider(configs[i : i+1]); err != nil {
			return nil, advised{fmt.Errorf("ssh %q: %w", one.ID, innermost(err)), hint}
		}
	}
	return sshprovider.NewSSHAgentProvider(configs)
}

// innermost is what an error comes from, without what was wrapped around it.
func innermost(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

// maxSecret is how much BuildKit takes for a secret.
const maxSecret = 500 << 10

// readSecrets reads all of them, so that one that is missing is told of before the build.
func readSecrets(wanted []engine.BuildSecret) (map[string][]byte, error) {
	contents := make(map[string][]byte, len(wanted))
	for _, secret := range wanted {
		content := secret.Content
		if secret.File != "" {
			var err error
			if content, err = readBounded(secret.File); err != nil {
				return nil, fmt.Errorf("secret %q: %w", secret.ID, err)
			}
		}
		if len(content) > maxSecret {
			return nil, fmt.Errorf("secret %q: it has more than the %d KB that a build can be given", secret.ID, maxSecret>>10)
		}
		contents[secret.ID] = content
	}
	return contents, nil
}

// readBounded reads a file as far as it may be a secret, and one byte more.
func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	return io.ReadAll(io.LimitReader(file, maxSecret+1))
}

// keeper hands secrets to BuildKit when a step of a build asks for them.
type keeper struct {
	secrets.UnimplementedSecretsServer
	offers *offers
}

// Register implements attachable.
func (k *keeper) Register(server *grpc.Server) { secrets.RegisterSecretsServer(server, k) }

// GetSecret implements secrets.SecretsServer.
func (k *keeper) GetSecret(_ context.Context, request *secrets.GetSecretRequest) (*secrets.GetSecretResponse, error) {
	content, ok := k.offers.secret(request.GetID())
	if !ok {
		return nil, status.Error(codes.NotFound, "the build was not given it")
	}
	return &secrets.GetSecretResponse{Data: content}, nil
}

// authority hands credentials to BuildKit, which logs in to registries itself.
type authority struct {
	auth.UnimplementedAuthServer // tokens are not made here: BuildKit then asks for the credentials
	credentials                  func(ctx context.Context, host string) (Credentials, error)
}

// Register implements attachable.
func (a *authority) Register(server *grpc.Server) { auth.RegisterAuthServer(server, a) }

// Credentials implements auth.AuthServer.
func (a *authority) Credentials(ctx context.Context, request *auth.CredentialsRequest) (*auth.CredentialsResponse, error) {
	if a.credentials == nil {
		return &auth.CredentialsResponse{}, nil
	}
	found, err := a.credentials(ctx, request.GetHost())
	if err != nil {
		return nil, err
	}
	return &auth.CredentialsResponse{Username: found.Username, Secret: found.Secret}, nil
}
