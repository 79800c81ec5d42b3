package docker

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	contextdocker "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
)

// contextEndpoint is what a docker CLI context says (`docker context create`), with its TLS material.
func (s settings) contextEndpoint(name, origin string) (Endpoint, error) {
	folder := filepath.Join(s.folder, "contexts")
	contexts := store.New(folder, store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(contextdocker.DockerEndpoint, func() any { return &contextdocker.EndpointMeta{} }),
	))
	endpoint, err := readContext(contexts, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Endpoint{}, &advised{
			fmt.Errorf("find docker context %q (from %s): %s has only %s", name, origin, folder, contextNames(contexts)),
			"name one of these with --context or DOCKER_CONTEXT, or choose it with `docker context use`",
		}
	case err != nil:
		return Endpoint{}, fmt.Errorf("read docker context %q (from %s): %w", name, origin, err)
	}
	return endpoint, nil
}

func readContext(contexts *store.ContextStore, name string) (Endpoint, error) {
	metadata, err := contexts.GetMetadata(name)
	if err != nil {
		return Endpoint{}, err
	}
	meta, err := contextdocker.EndpointFromContext(metadata)
	if err != nil {
		return Endpoint{}, err
	}
	withTLS, err := contextdocker.WithTLSData(contexts, name, meta)
	if err != nil {
		return Endpoint{}, err
	}
	endpoint := Endpoint{Host: meta.Host, Origin: fmt.Sprintf("docker context %q", name)}
	endpoint.tlsOrigin = "the TLS files of " + endpoint.Origin
	if endpoint.Host == "" { // what `docker context create` writes for the default engine of long ago
		endpoint.Host = client.DefaultDockerHost
	}
	if !endpoint.isLocal() && (withTLS.TLSData != nil || meta.SkipTLSVerify) {
		endpoint.TLS, err = tlsConfig(withTLS.TLSData, meta.SkipTLSVerify)
	}
	return endpoint, err
}

// contextNames lists the contexts that there are, in words.
func contextNames(contexts *store.ContextStore) string {
	names, _ := store.Names(contexts) // one that cannot be read is none to choose
	quoted := []string{strconv.Quote(defaultContext)}
	for _, name := range names {
		quoted = append(quoted, strconv.Quote(name))
	}
	return strings.Join(quoted, ", ")
}
