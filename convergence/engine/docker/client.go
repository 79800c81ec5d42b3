// Package docker speaks the Docker Engine API for the rest of Muster. It is the only package that imports docker/docker and
// docker/cli: it turns plain requests into API structs, API answers into plain values, and errors into engine's sentinels.
package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/buildkit"
	"github.com/muster-dev/muster/convergence/engine/docker/sshdial"
)

// Client is an engine reached through the Docker Engine API.
type Client struct {
	api       client.APIClient
	endpoint  Endpoint
	engineAPI string // the newest version that the engine speaks, whatever is spoken with it
	system    string // of containers: linux, windows; empty where the engine does not say it
	settings  settings
	proxies   map[string]string // what the docker CLI's configuration adds to every container's environment
	builds    *buildkit.Builder // of the engine itself
	builders  builders
	hangUp    func() // ends what the connections were made through
}

var _ engine.Engine = (*Client)(nil)

// Dial finds the engine that the options mean, connects and agrees on an API version: one request.
// An error that matches [engine.ErrUnavailable] is an [*UnreachableError] with what was tried.
func Dial(ctx context.Context, options Options) (*Client, error) {
	s := options.settings()
	endpoint, err := s.endpoint()
	if err != nil {
		return nil, err
	}
	if !endpoint.isSSH() {
		return connect(ctx, s, endpoint, route{host: endpoint.Host})
	}
	dialer, err := sshdial.New(ctx, sshdial.Options{Address: endpoint.Host, Env: s.Env, LookPath: s.program})
	var missing *sshdial.Error
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &missing):
		return nil, &UnreachableError{Endpoint: endpoint, Cause: err}
	case err != nil:
		return nil, badAddress(endpoint, err)
	}
	// The host is what the docker CLI has for ssh: the configuration's proxies are looked up by it.
	return connect(ctx, s, endpoint, route{"http://docker.example.com", dialer.Dial, dialer.Close})
}

// DialFunc connects to an engine through a dial function of the caller's, an in-memory listener in tests.
func DialFunc(ctx context.Context, options Options, dial func(ctx context.Context) (net.Conn, error)) (*Client, error) {
	return connect(ctx, options.settings(), Endpoint{Host: "memory", Origin: "a dial function"}, route{
		host: "http://engine.invalid", dial: dial,
	})
}

// route is how to get to an endpoint.
type route struct {
	host   string                                  // the URL for the client library
	dial   func(context.Context) (net.Conn, error) // nil for the library's own
	hangUp func()                                  // nil where nothing is left to be ended
}

// connect makes the client and agrees on an API version.
func connect(ctx context.Context, s settings, endpoint Endpoint, way route) (*Client, error) {
	c := &Client{endpoint: endpoint, settings: s, proxies: s.proxies(way.host), hangUp: way.hangUp}
	c.builds = &buildkit.Builder{Dial: c.hijack, Credentials: c.buildCredentials, Proxies: c.proxies}
	if c.hangUp == nil {
		c.hangUp = func() {}
	}
	version, err := s.wantedAPI()
	if err != nil {
		c.hangUp()
		return nil, err
	}
	api, err := newAPI(s, endpoint, way, version)
	if err != nil {
		c.hangUp()
		return nil, fmt.Errorf("connect to engine at %s (from %s): %w", endpoint, endpoint.Origin, err)
	}
	c.api = api
	if c.engineAPI, c.system, err = negotiate(ctx, api, endpoint, version); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// newAPI is the library's client. An empty version is to be negotiated.
func newAPI(s settings, endpoint Endpoint, way route, version string) (*client.Client, error) {
	headers, err := s.headers()
	if err != nil {
		return nil, err
	}
	idle := idleConnections
	if endpoint.isSSH() {
		idle = callsOverSSH
	}
	transport := newTransport(endpoint.TLS, idle)
	httpClient := &http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}
	options := []client.Opt{
		client.WithHTTPClient(httpClient), client.WithHost(way.host), client.WithUserAgent(s.UserAgent),
		client.WithHTTPHeaders(headers), client.WithVersion(version), client.WithAPIVersionNegotiation(),
	}
	if way.dial != nil {
		options = append(options, client.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) { return way.dial(ctx) }))
	}
	api, err := client.NewClientWithOpts(options...)
	if err != nil {
		return nil, err
	}
	httpClient.Transport = tellStatus{plainly{newByLength(transport), endpoint}} // the library keeps the client that it is given
	return api, nil
}

// Close implements [engine.System].
func (c *Client) Close() error {
	c.builders.mutex.Lock()
	defer c.builders.mutex.Unlock()
	err := errors.Join(closeNodes(c, c.builders.nodes), c.api.Close())
	c.hangUp()
	return err
}

// Endpoint says where the engine is and how it was found.
func (c *Client) Endpoint() Endpoint { return c.endpoint }

// Warnings are what is worth telling the user about the docker CLI's configuration: lines of text.
func (c *Client) Warnings() []string { return slices.Clone(c.settings.warnings) }

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

// How many calls at once an engine takes well.
const (
	usualCalls    = 16
	callsOverSSH  = 6 // each is a session of an ssh connection, of which servers allow ten
	callsOfOldOne = 4

	idleConnections = 2 * usualCalls // kept for the next calls: there are stops, and streams that end, beside the bounded ones
)

// CallLimit is how many calls at once this engine takes well: fewer over ssh, and few on engines whose newest API is older than
// 1.42, whatever version is spoken: their network code can deadlock under many starts and removals at once. withStops says that
// stops count too.
func (c *Client) CallLimit() (limit int, withStops bool) {
	switch {
	case versions.LessThan(c.engineAPI, "1.42"):
		return callsOfOldOne, true
	case c.endpoint.isSSH():
		return callsOverSSH, false
	}
	return usualCalls, false
}

func (c *Client) olderThan(version string) bool {
	return versions.LessThan(c.api.ClientVersion(), version)
}
