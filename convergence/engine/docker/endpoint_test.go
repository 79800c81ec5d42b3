package docker_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"

	"github.com/muster-dev/muster/convergence/engine/docker"
)

// environment is a test's own: a docker CLI configuration in a folder of its own, and the variables.
func environment(t *testing.T, config string, variables map[string]string) func(string) string {
	t.Helper()
	folder := t.TempDir()
	if config != "" {
		if err := os.WriteFile(filepath.Join(folder, "config.json"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]string{"DOCKER_CONFIG": folder}
	maps.Copy(all, variables)
	return func(name string) string { return all[name] }
}

// addContext is `docker context create`.
func addContext(t *testing.T, env func(string) string, name string, endpoint any, tls *dockercontext.TLSData) {
	t.Helper()
	contexts := store.New(filepath.Join(env("DOCKER_CONFIG"), "contexts"), store.NewConfig(
		func() any { return &map[string]any{} }, store.EndpointTypeGetter("docker", func() any { return &dockercontext.EndpointMetaBase{} }),
	))
	metadata := store.Metadata{Name: name, Endpoints: map[string]any{}}
	if endpoint != nil {
		metadata.Endpoints["docker"] = endpoint
	}
	if err := contexts.CreateOrUpdate(metadata); err != nil {
		t.Fatal(err)
	}
	if err := contexts.ResetEndpointTLSMaterial(name, "docker", tls.ToStoreTLSData()); err != nil {
		t.Fatal(err)
	}
}

// checkWords compares an error, and what it says to try, with what is wanted. FOLDER stands for the configuration's.
func checkWords(t *testing.T, err error, folder, words, hint string) {
	t.Helper()
	if folder == "" {
		folder = "FOLDER"
	}
	if err == nil {
		t.Errorf("no error, want %s", words)
		return
	}
	shorten := func(text string) string { return strings.ReplaceAll(text, folder, "FOLDER") }
	if got := shorten(err.Error()); got != words {
		t.Errorf("error\n got %s\nwant %s", got, words)
	}
	got := ""
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		got = shorten(hinted.Hint())
	}
	if got != hint {
		t.Errorf("hint\n got %s\nwant %s", got, hint)
	}
}

const (
	defaultSocket = "unix:///var/run/docker.sock"
	currentProd   = `{"currentContext": "prod"}`
	addressHint   = "addresses are unix:///path/to.sock, tcp://host:port and ssh://user@host"
	contextHint   = "name one of these with --context or DOCKER_CONTEXT, or choose it with `docker context use`"
)

// TestResolveEndpoint finds the engine as the docker CLI does.
func TestResolveEndpoint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		config       string
		variables    map[string]string
		options      docker.Options
		host, origin string
		words, hint  string // in their place
	}{
		{name: "nothing said", host: defaultSocket, origin: "the default socket"},
		{
			name: "--host before all", options: docker.Options{Host: "tcp://flag:1"}, config: currentProd,
			variables: map[string]string{"DOCKER_HOST": "tcp://env:1", "DOCKER_CONTEXT": "test"}, host: "tcp://flag:1", origin: "--host",
		},
		{
			name: "--context before all", options: docker.Options{Context: "prod"},
			variables: map[string]string{"DOCKER_HOST": "tcp://env:1", "DOCKER_CONTEXT": "test"},
			host:      "ssh://me@prod", origin: `docker context "prod"`,
		},
		{
			name: "DOCKER_HOST before DOCKER_CONTEXT", variables: map[string]string{"DOCKER_HOST": "tcp://env:1", "DOCKER_CONTEXT": "prod"},
			host: "tcp://env:1", origin: "DOCKER_HOST",
		},
		{
			name: "DOCKER_CONTEXT before the current context", config: currentProd, variables: map[string]string{"DOCKER_CONTEXT": "test"},
			host: "tcp://test:2375", origin: `docker context "test"`,
		},
		{name: "current context", config: currentProd, host: "ssh://me@prod", origin: `docker context "prod"`},
		{
			name: "the default context", config: currentProd, variables: map[string]string{"DOCKER_CONTEXT": "default"},
			host: defaultSocket, origin: "the default socket",
		},
		{
			name: "the default context and DOCKER_HOST", options: docker.Options{Context: "default"},
			variables: map[string]string{"DOCKER_HOST": "tcp://env:1"}, host: "tcp://env:1", origin: "DOCKER_HOST",
		},
		{name: "context without an address", options: docker.Options{Context: "blank"}, host: defaultSocket, origin: `docker context "blank"`},
		{name: "white space", variables: map[string]string{"DOCKER_HOST": "  "}, host: defaultSocket, origin: "the default socket"},

		{name: "host and port", options: docker.Options{Host: "far:1"}, host: "tcp://far:1", origin: "--host"},
		{name: "host", options: docker.Options{Host: " tcp://far "}, host: "tcp://far:2375", origin: "--host"},
		{name: "port", options: docker.Options{Host: ":1"}, host: "tcp://localhost:1", origin: "--host"},
		{name: "tcp", options: docker.Options{Host: "tcp://"}, host: "tcp://localhost:2375", origin: "--host"},
		{name: "path", options: docker.Options{Host: "tcp://far/a"}, host: "tcp://far:2375/a", origin: "--host"},
		{name: "IPv6", options: docker.Options{Host: "tcp://[::1]"}, host: "tcp://[::1]:2375", origin: "--host"},
		{name: "socket", options: docker.Options{Host: "unix:///a b"}, host: "unix:///a b", origin: "--host"},
		{name: "usual socket", options: docker.Options{Host: "unix://"}, host: defaultSocket, origin: "--host"},
		{name: "pipe", options: docker.Options{Host: "npipe://"}, host: "npipe:////./pipe/docker_engine", origin: "--host"},
		{name: "ssh", options: docker.Options{Host: "ssh://me@far:1/s"}, host: "ssh://me@far:1/s", origin: "--host"},

		{
			name: "two flags", options: docker.Options{Host: "x", Context: "y"},
			words: "find engine: --host and --context name an engine each", hint: "give only one of the two",
		},
		{
			name: "unknown scheme", variables: map[string]string{"DOCKER_HOST": "http://x"},
			words: `read address "http://x" (from DOCKER_HOST): unknown scheme "http"`, hint: addressHint,
		},
		{
			name: "two schemes", options: docker.Options{Host: "tcp://tcp://x"},
			words: `read address "tcp://tcp://x" (from --host): it has two schemes`, hint: addressHint,
		},
		{
			name: "path alone", options: docker.Options{Host: "/run/docker.sock"},
			words: `read address "/run/docker.sock" (from --host): a socket is written unix:///run/docker.sock`, hint: addressHint,
		},
		{
			name: "bad port", options: docker.Options{Host: "tcp://me:secret@x:y"},
			words: `read address "tcp://xxxxx@x:y" (from --host): invalid port ":y" after host`, hint: addressHint,
		},
		{
			name: "unknown context", options: docker.Options{Context: "prud"},
			words: `find docker context "prud" (from --context): FOLDER/contexts has only "default", "blank", "none", "prod", "test"`, hint: contextHint,
		},
		{
			name: "unknown context in the environment", variables: map[string]string{"DOCKER_CONTEXT": "../../etc"},
			words: `find docker context "../../etc" (from DOCKER_CONTEXT): FOLDER/contexts has only "default", "blank", "none", "prod", "test"`,
			hint:  contextHint,
		},
		{
			name: "unknown current context", config: `{"currentContext": "gone"}`,
			words: `find docker context "gone" (from currentContext in FOLDER/config.json): ` +
				`FOLDER/contexts has only "default", "blank", "none", "prod", "test"`, hint: contextHint,
		},
		{
			name: "context for something else", options: docker.Options{Context: "none"},
			words: `read docker context "none" (from --context): it names no docker engine`,
		},
		{
			name: "no files for TLS", options: docker.Options{Host: "tcp://x"}, variables: map[string]string{"DOCKER_TLS_VERIFY": "1"},
			words: "read TLS files: open FOLDER/ca.pem: no such file or directory",
			hint: "DOCKER_TLS or DOCKER_TLS_VERIFY asks for TLS: put ca.pem, cert.pem and key.pem there, say with DOCKER_CERT_PATH " +
				"where they are, or unset both",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			options := test.options
			options.Env = environment(t, test.config, test.variables)
			addContext(t, options.Env, "prod", dockercontext.EndpointMetaBase{Host: "ssh://me@prod"}, nil)
			addContext(t, options.Env, "test", dockercontext.EndpointMetaBase{Host: "tcp://test:2375"}, nil)
			addContext(t, options.Env, "blank", dockercontext.EndpointMetaBase{}, nil)
			addContext(t, options.Env, "none", nil, nil)
			got, err := docker.ResolveEndpoint(options)
			if test.words != "" {
				checkWords(t, err, options.Env("DOCKER_CONFIG"), test.words, test.hint)
				return
			}
			if err != nil || got.Host != test.host || got.Origin != test.origin || got.TLS != nil {
				t.Errorf("endpoint: %+v, %v; want %s from %s", got, err, test.host, test.origin)
			}
		})
	}
}

// TestBrokenConfiguration is a warning, and counts as far as it can be read.
func TestBrokenConfiguration(t *testing.T) {
	t.Parallel()
	e := serve(t)
	for name, config := range map[string]string{
		"no JSON": "\x1b[2J{", "another kind": `[]`, "bad auths": `{"auths": {"x": {"auth": "!!"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := docker.Dial(t.Context(), docker.Options{Host: e.address, Env: environment(t, config, nil)})
			if err != nil {
				t.Fatalf("dial: %v", err)
			}
			defer client.Close()
			const want = "the docker CLI's configuration is not read in full: "
			if warnings := client.Warnings(); len(warnings) != 1 || !strings.HasPrefix(warnings[0], want) {
				t.Errorf("warnings: %q", warnings)
			}
		})
	}
	t.Run("a context's", func(t *testing.T) {
		t.Parallel()
		env := environment(t, currentProd, nil)
		addContext(t, env, "prod", dockercontext.EndpointMetaBase{}, nil)
		files, err := filepath.Glob(filepath.Join(env("DOCKER_CONFIG"), "contexts", "meta", "*", "meta.json"))
		if err != nil || len(files) != 1 {
			t.Fatalf("files: %v, %v", files, err)
		}
		if err := os.WriteFile(files[0], []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = docker.ResolveEndpoint(docker.Options{Env: env})
		if err == nil || !strings.HasPrefix(err.Error(), `read docker context "prod" (from currentContext in `) {
			t.Errorf("error: %v", err)
		}
	})
}

// TestEndpointHidesPasswords where it is printed.
func TestEndpointHidesPasswords(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"ssh://me@far": "ssh://me@far", "ssh://me:secret@far/s": "ssh://me:xxxxx@far/s", "tcp://me:secret@far:x": "tcp://xxxxx@far:x",
		"unix:///a b": "unix:///a b",
	} {
		if got := (docker.Endpoint{Host: host}).String(); got != want {
			t.Errorf("%s is printed as %s, want %s", host, got, want)
		}
	}
}
