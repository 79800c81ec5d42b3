package docker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config"
	dockercontext "github.com/docker/cli/cli/context"
	contextdocker "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"
)

// Options say which engine to talk to. The zero value follows the environment and the docker CLI's configuration.
type Options struct {
	// Host is the engine's address, as in DOCKER_HOST; it wins over everything else.
	Host string
	// Context is the name of a docker CLI context; it wins over the environment and the current context.
	Context string
	// Env looks up environment variables: DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, DOCKER_CERT_PATH, DOCKER_TLS,
	// DOCKER_TLS_VERIFY, DOCKER_API_VERSION, HOME, XDG_RUNTIME_DIR.
	Env func(string) string
	// UserAgent is sent with every request.
	UserAgent string
}

// Endpoint is where an engine is, and how it was found.
type Endpoint struct {
	Host   string
	TLS    *tls.Config // nil without TLS
	Origin string      // in words: "DOCKER_HOST", "docker context \"prod\"", "the default socket"
}

// defaultContext is the docker CLI's name for "no context: the environment and the default socket".
const defaultContext = "default"

// ResolveEndpoint finds the engine by the docker CLI's rules: an explicit host, an explicit context, DOCKER_HOST,
// DOCKER_CONTEXT, the configuration's current context, the default socket.
func ResolveEndpoint(options Options) (Endpoint, error) {
	configDir := options.configDir()
	if options.Host != "" {
		return options.hostEndpoint(options.Host, "--host", configDir)
	}
	name, origin := options.Context, "--context"
	if name == "" {
		if host := options.Env("DOCKER_HOST"); host != "" {
			return options.hostEndpoint(host, "DOCKER_HOST", configDir)
		}
		name, origin = options.Env("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
	}
	if name == "" {
		file, err := config.Load(configDir)
		if err != nil {
			return Endpoint{}, fmt.Errorf("read docker configuration: %w", err)
		}
		name, origin = file.CurrentContext, "the current docker context"
	}
	if name == "" || name == defaultContext {
		return options.hostEndpoint(client.DefaultDockerHost, "the default socket", configDir)
	}
	endpoint, err := contextEndpoint(configDir, name)
	if err != nil {
		return Endpoint{}, fmt.Errorf("docker context %q (from %s): %w", name, origin, err)
	}
	return endpoint, nil
}

func (o Options) configDir() string {
	if dir := o.Env("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	return filepath.Join(o.Env("HOME"), ".docker")
}

// hostEndpoint adds what the DOCKER_TLS* variables say to an address.
func (o Options) hostEndpoint(host, origin, configDir string) (Endpoint, error) {
	endpoint := Endpoint{Host: host, Origin: origin}
	verify := o.Env("DOCKER_TLS_VERIFY") != ""
	if isSocket(host) || !verify && o.Env("DOCKER_TLS") == "" {
		return endpoint, nil
	}
	certificates := o.Env("DOCKER_CERT_PATH")
	if certificates == "" {
		certificates = configDir
	}
	data, err := dockercontext.TLSDataFromFiles(
		existing(certificates, "ca.pem"), existing(certificates, "cert.pem"), existing(certificates, "key.pem"))
	if err != nil {
		return Endpoint{}, fmt.Errorf("read TLS files in %s: %w", certificates, err)
	}
	endpoint.TLS, err = tlsConfig(data, !verify)
	if err != nil {
		return Endpoint{}, fmt.Errorf("TLS files in %s: %w", certificates, err)
	}
	return endpoint, nil
}

func existing(dir, name string) string {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}

func contextEndpoint(configDir, name string) (Endpoint, error) {
	contexts := store.New(filepath.Join(configDir, "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(contextdocker.DockerEndpoint, func() any { return &contextdocker.EndpointMeta{} }),
	))
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
	if !isSocket(meta.Host) && (withTLS.TLSData != nil || meta.SkipTLSVerify) {
		endpoint.TLS, err = tlsConfig(withTLS.TLSData, meta.SkipTLSVerify)
	}
	return endpoint, err
}

func tlsConfig(data *dockercontext.TLSData, skipVerify bool) (*tls.Config, error) {
	tlsOptions := []func(*tls.Config){func(c *tls.Config) { c.InsecureSkipVerify = skipVerify }}
	if data != nil && data.CA != nil {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(data.CA) {
			return nil, errors.New("ca.pem holds no certificate")
		}
		tlsOptions = append(tlsOptions, func(c *tls.Config) { c.RootCAs = pool })
	}
	if data != nil && data.Cert != nil && data.Key != nil {
		pair, err := tls.X509KeyPair(data.Cert, data.Key)
		if err != nil {
			return nil, fmt.Errorf("read client certificate: %w", err)
		}
		tlsOptions = append(tlsOptions, func(c *tls.Config) { c.Certificates = []tls.Certificate{pair} })
	}
	return tlsconfig.ClientDefault(tlsOptions...), nil
}

// isSocket says whether the address needs no TLS because it does not leave the machine.
func isSocket(host string) bool {
	scheme, _, _ := strings.Cut(host, "://")
	return scheme == "unix" || scheme == "npipe" || scheme == "fd" || scheme == "ssh"
}
