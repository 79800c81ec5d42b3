package docker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/opts"
)

// Options say which engine to talk to. The zero value follows the environment and the docker CLI's configuration.
type Options struct {
	// Host is the engine's address, as in DOCKER_HOST; it wins over the environment and the configuration.
	Host string
	// Context is the name of a docker CLI context; it wins over the environment and the current context. Only one of Host and
	// Context may be given.
	Context string
	// Env looks up environment variables; nil means the process's own. They are DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG,
	// DOCKER_CERT_PATH, DOCKER_TLS, DOCKER_TLS_VERIFY, DOCKER_API_VERSION, DOCKER_CUSTOM_HEADERS, DOCKER_AUTH_CONFIG, HOME,
	// PATH, and XDG_RUNTIME_DIR and TMPDIR for what ssh connections share.
	Env func(string) string
	// UserAgent is sent with every request.
	UserAgent string
}

// Endpoint is where an engine is, and how it was found.
type Endpoint struct {
	Host   string
	TLS    *tls.Config // nil without TLS
	Origin string      // in words: "DOCKER_HOST", "docker context \"prod\"", "the default socket"

	tlsOrigin string // where the TLS files are, in words
}

// String is the address without what nobody is to read over a shoulder.
func (e Endpoint) String() string {
	if parsed, err := url.Parse(e.Host); err == nil && parsed.User != nil {
		return parsed.Redacted()
	}
	return e.Host
}

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
	host, err := opts.ParseHost(s.wantsTLS(), wanted)
	if err != nil {
		return Endpoint{}, &advised{
			fmt.Errorf("read address %q (from %s): %w", Endpoint{Host: wanted}, origin, err),
			"addresses are unix:///path/to.sock, tcp://host:port or ssh://user@host",
		}
	}
	if strings.TrimSpace(wanted) == "" {
		origin = "the default socket"
	}
	endpoint := Endpoint{Host: host, Origin: origin}
	return endpoint, s.addTLS(&endpoint)
}

// isLocal says whether the address needs no TLS of ours: it does not leave the machine, or ssh protects it.
func (e Endpoint) isLocal() bool {
	scheme, _, _ := strings.Cut(e.Host, "://")
	return scheme == "unix" || scheme == "npipe" || scheme == "fd" || e.isSSH()
}

func (e Endpoint) isSSH() bool { return strings.HasPrefix(e.Host, "ssh://") }
