// Package registry runs an image registry on 127.0.0.1 for tests of pulls and pushes: Debian's docker-registry, behind a proxy
// that can be slow, refuse, break off in the middle of a layer, or be down. Engines take a registry there without TLS.
package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/muster-dev/muster/cmd/dev/fetched"
	"github.com/muster-dev/muster/convergence/engine"
)

// Options are how a registry is started.
type Options struct {
	// Program is the path of docker-registry; empty means the one that [Program] fetches.
	Program string
	// User and Password are asked of everybody, unless User is empty.
	User, Password string
	// Faults are those that it starts with.
	Faults Faults
}

// Registry is a registry that runs. Its methods may be called from many goroutines at once.
type Registry struct {
	options Options
	folder  string // of all that it keeps, gone with it
	child   *child
	direct  *http.Transport // to the child, past the faults
	front   *front
}

// Start starts a registry that ends with the test. It is not of use before an engine or a client asks it.
func Start(t testing.TB, options Options) *Registry {
	t.Helper()
	if options.Program == "" {
		program, err := fetched.Registry(t.Context(), t.Logf)
		if err != nil {
			t.Fatalf("fetch registry: %v", err)
		}
		options.Program = program
	}
	r, err := New(context.WithoutCancel(t.Context()), options) // its end is the cleanup's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("end registry: %v", err)
		}
	})
	return r
}

// New starts a registry and returns once it answers. It ends by Close, with the context, or with this process.
func New(ctx context.Context, options Options) (*Registry, error) {
	folder, err := os.MkdirTemp("", "muster-registry-") // short, for it has a socket
	if err != nil {
		return nil, fmt.Errorf("start registry: %w", err)
	}
	r := &Registry{options: options, folder: folder}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start registry: %w", err), r.Close())
	}
	return r, nil
}

func (r *Registry) start(ctx context.Context) error {
	config, err := r.configure()
	if err != nil {
		return err
	}
	if r.child, err = startChild(ctx, r.options.Program, "serve", config); err != nil {
		return err
	}
	r.direct = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", r.socket())
	}}
	r.front, err = newFront(ctx, r.direct, r.options.Faults)
	return err
}

// Close ends the registry and forgets what was pushed.
func (r *Registry) Close() error {
	var ended []error
	if r.front != nil {
		ended = append(ended, r.front.close())
	}
	if r.direct != nil {
		r.direct.CloseIdleConnections()
	}
	if r.child != nil {
		ended = append(ended, r.child.end())
	}
	return errors.Join(append(ended, os.RemoveAll(r.folder))...)
}

// Address is where it is, and how its images' names begin: "127.0.0.1:34567". It stays the same while the registry is down.
func (r *Registry) Address() string { return r.front.port.address() }

// Ref is the reference of an image here: Ref("shop/web:1") is "127.0.0.1:34567/shop/web:1".
func (r *Registry) Ref(name string) string { return r.Address() + "/" + name }

// PID is the process ID of the registry's program.
func (r *Registry) PID() int { return r.child.pid }

// AuthConfig is what makes a client log in, as DOCKER_AUTH_CONFIG or the docker CLI's config.json have it.
func (r *Registry) AuthConfig() string {
	if r.options.User == "" {
		return "{}"
	}
	auth := base64.StdEncoding.EncodeToString([]byte(r.options.User + ":" + r.options.Password))
	text, _ := json.Marshal(map[string]any{"auths": map[string]any{r.Address(): map[string]string{"auth": auth}}})
	return string(text)
}

// Remover is the part of an engine that images are removed from.
type Remover interface {
	ListImages(ctx context.Context) ([]engine.Image, error)
	RemoveImage(ctx context.Context, ref string) error
}

// RemovePulled removes what an engine has pulled from here. [engine.ErrConflict] when a container uses some of it.
func (r *Registry) RemovePulled(ctx context.Context, from Remover) error {
	images, err := from.ListImages(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, image := range images {
		for _, ref := range append(image.Tags, image.Digests...) {
			if !strings.HasPrefix(ref, r.Address()+"/") {
				continue
			}
			// With the last tag the digests go too.
			if err := from.RemoveImage(ctx, ref); err != nil && !errors.Is(err, engine.ErrNotFound) {
				failed = append(failed, err)
			}
		}
	}
	return errors.Join(failed...)
}

func (r *Registry) socket() string { return filepath.Join(r.folder, "socket") }

// configure writes the program's configuration, and its passwords where there are any.
func (r *Registry) configure() (path string, err error) {
	const private = 0o600
	config := map[string]any{
		"version": "0.1",
		"log":     map[string]any{"level": "info", "formatter": "json", "accesslog": map[string]any{"disabled": true}},
		"storage": map[string]any{
			"filesystem":  map[string]any{"rootdirectory": filepath.Join(r.folder, "images")},
			"maintenance": map[string]any{"uploadpurging": map[string]any{"enabled": false}},
			"delete":      map[string]any{"enabled": true},
		},
		"http": map[string]any{"net": "unix", "addr": r.socket(), "relativeurls": true, "secret": "of-a-test"},
	}
	if r.options.User != "" {
		passwords := filepath.Join(r.folder, "passwords")
		hash, err := bcrypt.GenerateFromPassword([]byte(r.options.Password), bcrypt.MinCost)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(passwords, []byte(r.options.User+":"+string(hash)+"\n"), private); err != nil {
			return "", err
		}
		config["auth"] = map[string]any{"htpasswd": map[string]any{"realm": "muster test", "path": passwords}}
	}
	text, err := json.Marshal(config) // which is YAML too
	if err != nil {
		return "", err
	}
	path = filepath.Join(r.folder, "config.yml")
	return path, os.WriteFile(path, text, private)
}
