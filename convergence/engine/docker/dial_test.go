package docker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// served is an engine in memory behind a TCP socket, with the headers of what it was asked for.
type served struct {
	*dockertest.Engine
	address string

	mutex   sync.Mutex
	headers map[string]http.Header // by method and path without the version, of the last request
}

// serve starts an engine of today. The test ends it.
func serve(t *testing.T) *served {
	t.Helper()
	return serveEngine(t, dockertest.Options{})
}

func serveEngine(t *testing.T, options dockertest.Options) *served {
	t.Helper()
	s := &served{Engine: dockertest.Start(t, options), headers: map[string]http.Header{}}
	s.address = "tcp://" + listen(t, s).Listener.Addr().String()
	return s
}

// listen starts a server for a handler. The test ends it.
func listen(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func (s *served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if strings.HasPrefix(path, "/v") && strings.Count(path, "/") > 1 {
		path = path[1+strings.Index(path[1:], "/"):]
	}
	s.mutex.Lock()
	s.headers[r.Method+" "+path] = r.Header.Clone()
	s.mutex.Unlock()
	s.Engine.ServeHTTP(w, r)
}

// header is one of the last request for a path.
func (s *served) header(t *testing.T, request, name string) string {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	header, ok := s.headers[request]
	if !ok {
		t.Errorf("there was no request %s", request)
	}
	return header.Get(name)
}

// dial connects, and closes the connection when the test ends.
func dial(t *testing.T, options docker.Options) (*docker.Client, error) {
	t.Helper()
	client, err := docker.Dial(t.Context(), options)
	if err == nil {
		t.Cleanup(func() { _ = client.Close() })
	}
	return client, err
}

// TestDialWithoutOptions follows the process's environment.
func TestDialWithoutOptions(t *testing.T) {
	e := serve(t)
	t.Setenv("DOCKER_HOST", e.address)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	client, err := dial(t, docker.Options{})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	if got := client.Endpoint(); got.Host != e.address || got.Origin != "DOCKER_HOST" {
		t.Errorf("endpoint: %+v", got)
	}
	if endpoint, err := docker.ResolveEndpoint(docker.Options{}); err != nil || endpoint.Host != e.address {
		t.Errorf("endpoint: %+v, %v", endpoint, err)
	}
	inMemory, err := docker.DialFunc(t.Context(), docker.Options{}, e.Dial)
	if err != nil {
		t.Fatalf("dial in memory: %v", err)
	}
	_ = inMemory.Close()
}

// TestNegotiation agrees on the newest API version that both know, or on the one that is asked for.
func TestNegotiation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, engineAPI, wanted string
		api                     string
		words, hint             string // in its place; ADDRESS stands for the engine's
	}{
		{name: "same", engineAPI: "1.51", api: "1.51"},
		{name: "newer engine", engineAPI: "1.99", api: "1.51"},
		{name: "older engine", engineAPI: "1.41", api: "1.41"},
		{name: "oldest engine", engineAPI: "1.24", api: "1.24"},
		{name: "asked for", engineAPI: "1.51", wanted: "1.43", api: "1.43"},
		{name: "asked for with a v", engineAPI: "1.51", wanted: "v1.43", api: "1.43"},
		{
			name: "asked for too new", engineAPI: "1.43", wanted: "1.44",
			words: "DOCKER_API_VERSION is 1.44, but the engine at ADDRESS (from --host) speaks 1.43 at most",
			hint:  "unset DOCKER_API_VERSION: the newest version that both know is chosen then",
		},
		{name: "asked for too old", engineAPI: "1.43", wanted: "1.10", words: "DOCKER_API_VERSION is 1.10: Muster speaks 1.24 and newer"},
		{name: "asked for nonsense", engineAPI: "1.43", wanted: "new", words: `DOCKER_API_VERSION is "new", which is no version such as 1.43`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := serveEngine(t, dockertest.Options{APIVersion: test.engineAPI})
			client, err := dial(t, docker.Options{Host: e.address, Env: environment(t, "", map[string]string{"DOCKER_API_VERSION": test.wanted})})
			if test.words != "" {
				checkWords(t, err, "", strings.ReplaceAll(test.words, "ADDRESS", e.address), test.hint)
				return
			}
			if err != nil {
				t.Fatalf("dial: %v", err)
			}
			if version, err := client.Version(t.Context()); err != nil || version.API != test.api {
				t.Errorf("version: %+v, %v; want %s", version, err, test.api)
			}
		})
	}
}

// TestCallLimit depends on what the engine speaks at most, and not on what is spoken with it.
func TestCallLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		engineAPI, wanted string
		limit             int
		withStops         bool
	}{{"1.41", "", 4, true}, {"1.42", "", 16, false}, {"1.51", "1.41", 16, false}} {
		e := serveEngine(t, dockertest.Options{APIVersion: test.engineAPI})
		client, err := dial(t, docker.Options{Host: e.address, Env: environment(t, "", map[string]string{"DOCKER_API_VERSION": test.wanted})})
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		if limit, withStops := client.CallLimit(); limit != test.limit || withStops != test.withStops {
			t.Errorf("API %s: limit %d, %v; want %d, %v", test.engineAPI, limit, withStops, test.limit, test.withStops)
		}
	}
}

const (
	hintStart   = "start the engine (systemctl start docker), or name another one with DOCKER_HOST or a docker context"
	hintAddress = "check the address, and that the engine there listens on it"
)

// TestStrangers are no engines, whatever they answer.
func TestStrangers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		answer      func(http.ResponseWriter)
		words, hint string
	}{
		{
			"not found", func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "text/html")
				w.Header().Set("Server", "nginx/1.2")
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, "<h1>Not Found</h1>")
			}, "what does answer is no engine: 404 Not Found, text/html, from nginx/1.2", hintAddress,
		},
		{
			"anything goes", func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", "text/plain")
				_, _ = io.WriteString(w, "OK")
			}, "what does answer is no engine: 200 OK, text/plain", hintAddress,
		},
		{
			"talkative", func(w http.ResponseWriter) {
				w.Header().Set("Content-Type", strings.Repeat("ä", 1000))
				w.WriteHeader(http.StatusTeapot)
			}, "what does answer is no engine: 418 I'm a teapot, " + strings.Repeat("ä", 60) + "...", hintAddress,
		},
		{
			"old engine", func(w http.ResponseWriter) { w.Header().Set("Api-Version", "1.23") },
			"the engine at ADDRESS (from --host) is too old: its API is 1.23, Muster speaks 1.24 and newer",
			"update the engine, or name another one with DOCKER_HOST or a docker context",
		},
		{
			"engine without a version", func(w http.ResponseWriter) { w.Header().Set("Server", "Docker/1.12.6 (linux)") },
			"the engine at ADDRESS (from --host) is too old: its API is older than 1.24, Muster speaks 1.24 and newer",
			"update the engine, or name another one with DOCKER_HOST or a docker context",
		},
		{
			"engine in trouble", func(w http.ResponseWriter) {
				w.Header().Set("Api-Version", "1.51")
				w.WriteHeader(http.StatusInternalServerError)
			}, "ask engine at ADDRESS for its version: it answers 500 Internal Server Error", "",
		},
		{
			"engine that refuses", func(w http.ResponseWriter) {
				w.Header().Set("Api-Version", "1.51")
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, `{"message": "not you"}`)
			}, "ask engine at ADDRESS for its version: Error response from daemon: not you", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := listen(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { test.answer(w) }))
			address := "tcp://" + server.Listener.Addr().String()
			_, err := dial(t, docker.Options{Host: address, Env: environment(t, "", nil)})
			words := test.words
			if strings.HasPrefix(words, "what does answer") {
				words = "no engine answers at ADDRESS (from --host): " + words
			}
			checkWords(t, err, "", strings.ReplaceAll(words, "ADDRESS", address), test.hint)
		})
	}
}

// TestNoEngine says where it was looked for, why there, what is wrong, and what to try.
func TestNoEngine(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	left := filepath.Join(folder, "left.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	for _, err := range []error{listener.Close(), os.WriteFile(filepath.Join(folder, "file"), nil, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	closed := listen(t, http.NotFoundHandler())
	closed.Close()
	port := closed.Listener.Addr().String()
	for _, test := range []struct{ host, words, hint string }{
		{"unix://" + folder + "/none.sock", "there is no such socket", hintStart},
		{"unix://" + left, "nobody listens on the socket", hintStart},
		{"tcp://" + port, "the connection is refused", hintAddress},
	} {
		_, err := dial(t, docker.Options{Env: environment(t, "", map[string]string{"DOCKER_HOST": test.host})})
		checkWords(t, err, "", "no engine answers at "+test.host+" (from DOCKER_HOST): "+test.words, test.hint)
		if !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("error %v does not match ErrUnavailable", err)
		}
	}
}

// TestUnreachable has what cannot be brought about everywhere, root's permissions for one.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	refused := func(number syscall.Errno) error {
		return fmt.Errorf("around: %w", &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", number)})
	}
	for _, test := range []struct {
		host        string
		cause       error
		words, hint string
	}{
		{
			defaultSocket, refused(syscall.EACCES), "permission denied",
			"add your user to the group that owns the socket (usually docker) and log in again, or run as root",
		},
		{defaultSocket, refused(syscall.EMFILE), "connect: too many open files", hintStart},
		{defaultSocket, io.ErrUnexpectedEOF, "the connection ended before the answer did", hintStart},
		{defaultSocket, context.DeadlineExceeded, "no answer in time", "see whether the engine hangs (journalctl -u docker)"},
		{"tcp://far:1", context.DeadlineExceeded, "no answer in time", "check the address, and that no firewall or missing VPN is in between"},
		{
			"tcp://far:1", &net.DNSError{Name: "far", Err: "no such host", IsNotFound: true},
			"the name far cannot be looked up: no such host", "check the host's name in the address, and the name server",
		},
		{"tcp://far:1", refused(syscall.EHOSTUNREACH), "connect: no route to host", hintAddress},
	} {
		err := &docker.UnreachableError{Endpoint: docker.Endpoint{Host: test.host, Origin: "DOCKER_HOST"}, Cause: test.cause}
		checkWords(t, err, "", "no engine answers at "+test.host+" (from DOCKER_HOST): "+test.words, test.hint)
		if !errors.Is(err, test.cause) || !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("error %v does not match what it is", err)
		}
	}
}

// TestSilence ends with the caller's time; a caller who gives up gets nothing else.
func TestSilence(t *testing.T) {
	t.Parallel()
	e := serve(t)
	e.Inject(dockertest.Fault{On: dockertest.On("HEAD /_ping"), Then: dockertest.Hang})
	e.Inject(dockertest.Fault{On: dockertest.On("GET /_ping"), Then: dockertest.Hang})
	options := docker.Options{Host: e.address, Env: environment(t, "", nil)}
	late, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	_, err := docker.Dial(late, options)
	checkWords(t, err, "", "no engine answers at "+e.address+" (from --host): no answer in time",
		"check the address, and that no firewall or missing VPN is in between")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := docker.Dial(ended, options); !errors.Is(err, context.Canceled) || errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("error: %v, want the cancellation", err)
	}
}

// TestLostEngine says that the engine went away, without the client library's words around it.
func TestLostEngine(t *testing.T) {
	t.Parallel()
	e := serve(t)
	client, err := dial(t, docker.Options{Host: e.address, Env: environment(t, "", nil)})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	check := func(err error) {
		t.Helper()
		checkWords(t, err, "", "lost the engine at "+e.address+": the connection ended before the answer did", hintAddress)
		if !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("error %v does not match ErrUnavailable", err)
		}
	}
	e.Inject(dockertest.Fault{On: dockertest.On("POST /containers/{id}/stop"), Nth: 1, Then: dockertest.Cut})
	check(client.StopContainer(t.Context(), "web", nil))
	e.Inject(dockertest.Fault{On: dockertest.On("GET /containers/json"), Nth: 1, Done: true, Then: dockertest.Cut, Bytes: 1})
	_, err = client.ListContainers(t.Context(), engine.ContainerFilter{})
	check(err)
	if _, err := client.ListContainers(t.Context(), engine.ContainerFilter{}); err != nil {
		t.Errorf("list again: %v", err)
	}
}

// TestHeaders of the docker CLI's configuration and of DOCKER_CUSTOM_HEADERS go with every request.
func TestHeaders(t *testing.T) {
	t.Parallel()
	const configured = `{"HttpHeaders": {"X-From": "config", "User-Agent": "other"}}`
	for _, test := range []struct {
		name, variable string
		want           map[string]string
		words          string
	}{
		{name: "configuration", want: map[string]string{"X-From": "config", "User-Agent": "muster/test"}},
		{name: "variable", variable: `x-from=env, X-Token=a=b`, want: map[string]string{"X-From": "env", "X-Token": "a=b"}},
		{name: "quoted", variable: `"X-List=a,b",X-Empty=`, want: map[string]string{"X-List": "a,b", "X-Empty": "", "X-From": ""}},
		{name: "no list", variable: `"X-Token=secret`, words: "it is no list of name=value pairs"},
		{name: "no value", variable: `X-A=1,X-Token secret`, words: "entry 2 is not name=value"},
		{name: "no name", variable: `=secret`, words: "entry 1 is not name=value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := serve(t)
			client, err := dial(t, docker.Options{
				Host: e.address, UserAgent: "muster/test", Env: environment(t, configured, map[string]string{"DOCKER_CUSTOM_HEADERS": test.variable}),
			})
			if test.words != "" {
				checkWords(t, err, "", "connect to engine at "+e.address+" (from --host): read DOCKER_CUSTOM_HEADERS: "+test.words, "")
				return
			}
			if err != nil {
				t.Fatalf("dial: %v", err)
			}
			if _, err := client.ListImages(t.Context()); err != nil {
				t.Fatalf("list images: %v", err)
			}
			for _, request := range []string{"HEAD /_ping", "GET /images/json"} {
				for name, want := range test.want {
					if got := e.header(t, request, name); got != want {
						t.Errorf("%s of %s: %q, want %q", name, request, got, want)
					}
				}
			}
		})
	}
}
