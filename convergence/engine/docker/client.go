// Package docker speaks the Docker Engine API for the rest of Muster. It is the only package that imports docker/docker and
// docker/cli: it turns plain requests into API structs, API answers into plain values, and errors into engine's sentinels.
package docker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/credentials"
	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"

	"github.com/muster-dev/muster/convergence/engine"
)

// Client is an engine reached through the Docker Engine API.
type Client struct {
	api        client.APIClient
	endpoint   Endpoint
	configFile *configfile.ConfigFile
	proxies    map[string]string // what the docker CLI's configuration adds to every container's environment
}

var _ engine.Engine = (*Client)(nil)

// Dial finds the engine that the options mean, connects and agrees on an API version: one request.
// An error that matches [engine.ErrUnavailable] is an [*UnreachableError] with what was tried.
func Dial(ctx context.Context, options Options) (*Client, error) {
	endpoint, err := ResolveEndpoint(options)
	if err != nil {
		return nil, err
	}
	host, dial, err := endpoint.dialer(options)
	if err != nil {
		return nil, fmt.Errorf("connect to engine at %s (from %s): %w", endpoint.Host, endpoint.Origin, err)
	}
	return connect(ctx, endpoint, options, host, dial)
}

// DialFunc connects to an engine through a dial function of the caller's, an in-memory listener in tests.
func DialFunc(ctx context.Context, options Options, dial func(ctx context.Context) (net.Conn, error)) (*Client, error) {
	return connect(ctx, Endpoint{Host: "memory", Origin: "a dial function"}, options, "http://engine.invalid",
		func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) })
}

// connect makes the client and agrees on an API version. A nil dial is the library's own for the host.
func connect(ctx context.Context, endpoint Endpoint, options Options, host string, dial dialFunc) (*Client, error) {
	transport := newTransport(endpoint.TLS)
	httpClient := &http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}
	clientOptions := []client.Opt{
		client.WithHTTPClient(httpClient),
		client.WithHost(host), client.WithUserAgent(options.UserAgent), client.WithAPIVersionNegotiation(),
	}
	if dial != nil {
		clientOptions = append(clientOptions, client.WithDialContext(dial))
	}
	if version := options.Env("DOCKER_API_VERSION"); version != "" {
		clientOptions = append(clientOptions, client.WithVersion(version))
	}
	api, err := client.NewClientWithOpts(clientOptions...)
	if err != nil {
		return nil, fmt.Errorf("connect to engine at %s: %w", endpoint.Host, err)
	}
	httpClient.Transport = tellStatus{httpClient.Transport} // the library keeps the client that it is given
	failedDial := rememberFailure(transport)
	ping, err := api.Ping(ctx)
	if err != nil {
		_ = api.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &UnreachableError{Endpoint: endpoint, Cause: cmp.Or(failedDial(), err)}
	}
	api.NegotiateAPIVersionPing(ping)
	file, err := config.Load(options.configDir())
	if err != nil {
		_ = api.Close()
		return nil, fmt.Errorf("read docker configuration: %w", err)
	}
	if !file.ContainsAuth() {
		file.CredentialsStore = credentials.DetectDefaultStore(file.CredentialsStore)
	}
	return &Client{api: api, endpoint: endpoint, configFile: file, proxies: proxyVariables(file, host)}, nil
}

func proxyVariables(file *configfile.ConfigFile, host string) map[string]string {
	proxies := map[string]string{}
	for name, value := range file.ParseProxyConfig(host, nil) {
		if value != nil {
			proxies[name] = *value
		}
	}
	return proxies
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// dialer is how to reach an address: its URL for the client, and for ssh a dial function that shares one connection.
func (e Endpoint) dialer(options Options) (host string, dial dialFunc, err error) {
	if !strings.HasPrefix(e.Host, "ssh://") {
		return e.Host, nil, nil
	}
	flags, err := sshFlags(options.Env)
	if err != nil {
		return "", nil, err
	}
	helper, err := connhelper.GetConnectionHelperWithSSHOpts(e.Host, flags)
	if err != nil {
		return "", nil, err
	}
	return helper.Host, helper.Dialer, nil
}

// rememberFailure makes the transport keep why it could not connect: the client library replaces that by a question.
func rememberFailure(transport *http.Transport) func() error {
	var (
		mutex sync.Mutex
		last  error
	)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			mutex.Lock()
			last = err
			mutex.Unlock()
		}
		return conn, err
	}
	return func() error {
		mutex.Lock()
		defer mutex.Unlock()
		return last
	}
}

// newTransport keeps as many idle connections as calls are ever made at once, so that a burst does not dial again and again.
func newTransport(tlsConfig *tls.Config) *http.Transport {
	const idle = 32
	return &http.Transport{MaxIdleConns: idle, MaxIdleConnsPerHost: idle, TLSClientConfig: tlsConfig}
}

// sshFlags make all connections of this user to one host share a single ssh session (OpenSSH's multiplexing): docker/cli's
// helper starts an ssh for each connection, and a server refuses many at once.
func sshFlags(env func(string) string) ([]string, error) {
	dir := env("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = os.TempDir()
	}
	dir = filepath.Join(dir, "muster-ssh-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder for the shared ssh connection: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, fmt.Errorf("folder for the shared ssh connection: %w", err)
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 {
		return nil, fmt.Errorf("folder for the shared ssh connection: %s is not a private folder (mode 0700)", dir)
	}
	return []string{"-oControlMaster=auto", "-oControlPath=" + filepath.Join(dir, "%C"), "-oControlPersist=60"}, nil
}

// Close implements [engine.System].
func (c *Client) Close() error { return c.api.Close() }

// Endpoint says where the engine is and how it was found.
func (c *Client) Endpoint() Endpoint { return c.endpoint }

// Version implements [engine.System].
func (c *Client) Version(ctx context.Context) (engine.Version, error) {
	answer, err := c.api.ServerVersion(ctx)
	if err != nil {
		return engine.Version{}, c.wrap(err)
	}
	components := map[string]string{}
	for _, component := range answer.Components {
		components[component.Name] = component.Version
	}
	return engine.Version{
		Engine: answer.Version, API: c.api.ClientVersion(), OS: answer.Os, Arch: answer.Arch, Components: components,
	}, nil
}

// CallLimit is how many calls at once this engine takes well: fewer over ssh, where each is a session of a shared connection,
// and few on engines older than API 1.42, whose network code can deadlock under many starts and removals at once.
// withStops says that stops count too.
func (c *Client) CallLimit() (limit int, withStops bool) {
	const (
		usual, overSSH, oldEngine = 16, 6, 4
	)
	switch {
	case c.olderThan("1.42"):
		return oldEngine, true
	case strings.HasPrefix(c.endpoint.Host, "ssh://"):
		return overSSH, false
	}
	return usual, false
}

func (c *Client) olderThan(version string) bool {
	return versions.LessThan(c.api.ClientVersion(), version)
}

// UnreachableError says that no engine answered: where it was looked for, why there, and what came back.
type UnreachableError struct {
	Endpoint Endpoint
	Cause    error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no engine answers at %s (from %s): %s", e.Endpoint.Host, e.Endpoint.Origin, rootCause(e.Cause))
}

// Unwrap makes the error match [engine.ErrUnavailable] and its cause.
func (e *UnreachableError) Unwrap() []error { return []error{engine.ErrUnavailable, e.Cause} }

// Hint is what to try next.
func (e *UnreachableError) Hint() string {
	switch {
	case errors.Is(e.Cause, os.ErrPermission):
		return "add your user to the group that owns the socket (usually docker), or run as root"
	case strings.HasPrefix(e.Endpoint.Host, "unix://"):
		return "start the engine (systemctl start docker), or name another one with DOCKER_HOST or a docker context"
	case strings.HasPrefix(e.Endpoint.Host, "ssh://"):
		return "check that `ssh " + strings.TrimPrefix(e.Endpoint.Host, "ssh://") + " docker version` works"
	}
	return "check the address, and that the engine there listens on it"
}

// rootCause is the innermost error's text: the outer ones repeat the address and ask whether the daemon is running.
func rootCause(err error) string {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Err != nil {
		return dial.Err.Error()
	}
	return strings.TrimSuffix(err.Error(), ". Is the docker daemon running?")
}
