package docker

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/cli/cli/config"
	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
)

// Options say which engine to talk to. The zero value follows the environment and the docker CLI's configuration.
type Options struct {
	// Host is the engine's address, as in DOCKER_HOST; it wins over the environment and the configuration.
	Host string
	// Context is the name of a docker CLI context; it wins over the environment and the current context. Only one of Host and
	// Context may be given.
	Context string
	// Builder is the name of a builder of docker buildx, or of a docker CLI context, to build images with; it wins over the
	// environment and what `docker buildx use` chose.
	Builder string
	// Env looks up environment variables; nil means the process's own. They are DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG,
	// DOCKER_CERT_PATH, DOCKER_TLS, DOCKER_TLS_VERIFY, DOCKER_API_VERSION, DOCKER_CUSTOM_HEADERS, DOCKER_AUTH_CONFIG,
	// BUILDX_BUILDER, BUILDX_CONFIG, HOME, PATH, and XDG_RUNTIME_DIR and TMPDIR for what ssh connections share.
	Env func(string) string
	// TLSFiles win over those that are found in DOCKER_CERT_PATH. They count where TLS is asked for.
	TLSFiles TLSFiles
	// UserAgent is sent with every request.
	UserAgent string
}

// TLSFiles are the files of a connection with TLS; an empty name leaves it to the environment.
type TLSFiles struct{ CA, Cert, Key string }

// Endpoint is where an engine is, and how it was found.
type Endpoint struct {
	Host   string
	TLS    *tls.Config // nil without TLS
	Origin string      // in words: "DOCKER_HOST", "docker context \"prod\"", "the default socket"

	tlsOrigin string // where the TLS files are, in words
}

// String is the address without what nobody is to read over a shoulder.
func (e Endpoint) String() string {
	parsed, err := url.Parse(e.Host)
	scheme, rest, _ := strings.Cut(e.Host, "://")
	at := strings.LastIndex(rest, "@")
	switch {
	case err == nil && parsed.User != nil:
		return parsed.Redacted()
	case err != nil && at >= 0:
		return scheme + "://xxxxx" + rest[at:]
	}
	return e.Host
}

// isLocal says whether the address needs no TLS of ours: it does not leave the machine, or ssh protects it.
func (e Endpoint) isLocal() bool {
	scheme, _, _ := strings.Cut(e.Host, "://")
	return scheme == "unix" || scheme == "npipe" || e.isSSH()
}

// isHere says whether the engine runs on this host, and so sees the same files.
func (e Endpoint) isHere() bool {
	return strings.HasPrefix(e.Host, "unix://") || strings.HasPrefix(e.Host, "npipe://")
}

func (e Endpoint) isSSH() bool { return strings.HasPrefix(e.Host, "ssh://") }

// defaultContext is the docker CLI's name for "no context: the flags, the environment and the default socket".
const defaultContext = "default"

// ResolveEndpoint finds the engine by the docker CLI's rules: an explicit context, an explicit host, DOCKER_HOST,
// DOCKER_CONTEXT, the configuration's current context, the default socket (docker/cli, command.DockerCli.CurrentContext). The
// errors say what named the engine; most have a Hint method.
func ResolveEndpoint(options Options) (Endpoint, error) {
	return options.settings().endpoint()
}

func (s settings) endpoint() (Endpoint, error) {
	if s.Host != "" && s.Context != "" {
		return Endpoint{}, &advised{
			errors.New("find engine: --host and --context name an engine each"), "give only one of the two",
		}
	}
	name, origin := s.contextName()
	if name == defaultContext {
		return s.defaultEndpoint()
	}
	return s.contextEndpoint(name, origin)
}

// contextName is the context that counts, and what named it.
func (s settings) contextName() (name, origin string) {
	switch inEnv := s.Env("DOCKER_CONTEXT"); {
	case s.Context != "":
		return s.Context, "--context"
	case s.Host != "", s.Env("DOCKER_HOST") != "":
		return defaultContext, ""
	case inEnv != "":
		return inEnv, "DOCKER_CONTEXT"
	case s.file.CurrentContext != "":
		return s.file.CurrentContext, "currentContext in " + filepath.Join(s.folder, config.ConfigFileName)
	}
	return defaultContext, ""
}

// defaultEndpoint is the address of the flags or the environment, else the default socket, with TLS where variables ask for it.
func (s settings) defaultEndpoint() (Endpoint, error) {
	wanted, origin := s.Host, "--host"
	if wanted == "" {
		wanted, origin = s.Env("DOCKER_HOST"), "DOCKER_HOST"
	}
	wanted = strings.TrimSpace(wanted)
	endpoint := Endpoint{Host: client.DefaultDockerHost, Origin: "the default socket"}
	switch {
	case wanted != "":
		host, err := completeAddress(wanted)
		if err != nil {
			return Endpoint{}, badAddress(Endpoint{Host: wanted, Origin: origin}, err)
		}
		endpoint = Endpoint{Host: host, Origin: origin}
	case s.wantsTLS():
		endpoint = Endpoint{Host: "tcp://localhost:2376", Origin: "the default address for TLS"}
	}
	return endpoint, s.addTLS(&endpoint)
}

func badAddress(endpoint Endpoint, err error) error {
	return &advised{
		fmt.Errorf("read address %q (from %s): %w", endpoint, endpoint.Origin, err),
		"addresses are unix:///path/to.sock, tcp://host:port and ssh://user@host",
	}
}

// completeAddress adds to an address what the docker CLI does (docker/cli, opts.ParseHost): tcp where no scheme is, the usual
// socket, host and port.
func completeAddress(address string) (string, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	switch {
	case !ok && strings.HasPrefix(address, "/"):
		return "", fmt.Errorf("a socket is written unix://%s", address)
	case !ok:
		scheme, rest = "tcp", address
	case strings.Contains(rest, "://"):
		return "", errors.New("it has two schemes")
	}
	switch scheme {
	case "unix":
		return "unix://" + cmp.Or(rest, "/var/run/docker.sock"), nil
	case "npipe":
		return "npipe://" + cmp.Or(rest, "//./pipe/docker_engine"), nil
	case "tcp":
		return completeTCP(rest)
	case "ssh":
		return address, nil
	}
	return "", fmt.Errorf("unknown scheme %q", scheme)
}

func completeTCP(rest string) (string, error) {
	parsed, err := url.Parse("tcp://" + rest)
	if err != nil {
		return "", withoutURL(err)
	}
	hostPort := net.JoinHostPort(cmp.Or(parsed.Hostname(), "localhost"), cmp.Or(parsed.Port(), "2375"))
	return "tcp://" + hostPort + parsed.Path, nil
}

// withoutURL is an error without the address, which may have a password in it.
func withoutURL(err error) error {
	var parse *url.Error
	if errors.As(err, &parse) {
		return parse.Err
	}
	return err
}

// engineKey is under what contexts have the docker engine's endpoint.
const engineKey = "docker"

// contextEndpoint is what a docker CLI context says (`docker context create`), with its TLS material.
func (s settings) contextEndpoint(name, origin string) (Endpoint, error) {
	folder := filepath.Join(s.folder, "contexts")
	contexts := openContexts(folder)
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

func openContexts(folder string) *store.ContextStore {
	return store.New(folder, store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(engineKey, func() any { return &dockercontext.EndpointMetaBase{} }),
	))
}

func readContext(contexts *store.ContextStore, name string) (Endpoint, error) {
	metadata, err := contexts.GetMetadata(name)
	if err != nil {
		return Endpoint{}, err
	}
	meta, ok := metadata.Endpoints[engineKey].(dockercontext.EndpointMetaBase)
	if !ok {
		return Endpoint{}, errors.New("it names no docker engine")
	}
	data, err := dockercontext.LoadTLSData(contexts, name, engineKey)
	if err != nil {
		return Endpoint{}, err
	}
	endpoint := Endpoint{Host: cmp.Or(meta.Host, client.DefaultDockerHost), Origin: fmt.Sprintf("docker context %q", name)}
	endpoint.tlsOrigin = "the TLS files of " + endpoint.Origin
	if !endpoint.isLocal() && (data != nil || meta.SkipTLSVerify) {
		endpoint.TLS, err = tlsConfig(data, meta.SkipTLSVerify)
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
