package docker_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// helpers makes a folder of credential helpers: the test binary under their names. fakeHelper is what they do.
func helpers(t *testing.T) (path string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path = t.TempDir()
	for _, name := range []string{"fine", "token", "none", "broken", "babble", "leaky", "hanging"} {
		if err := os.Symlink(self, filepath.Join(path, "docker-credential-"+name)); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// fakeHelper is a credential helper that is asked for what is named on its input.
func fakeHelper(name string) (status int) {
	key, _ := io.ReadAll(os.Stdin)
	answer := func(user string) {
		_ = json.NewEncoder(os.Stdout).Encode(map[string]string{"ServerURL": string(key), "Username": user, "Secret": "secret of " + string(key)})
	}
	switch name {
	case "fine":
		answer("me")
		return 0
	case "token":
		answer("<token>")
		return 0
	case "none":
		fmt.Println("credentials not found in native keychain")
	case "broken":
		fmt.Println("error: cannot open the keyring")
		fmt.Fprintln(os.Stderr, "chatter")
	case "babble":
		fmt.Println("secret, but no JSON")
		return 0
	case "leaky":
		answer("me")
		fmt.Fprintln(os.Stderr, "it went wrong afterwards")
	case "hanging":
		if told, err := net.Dial("unix", filepath.Join(filepath.Dir(os.Args[0]), "started")); err == nil {
			_, _ = told.Read(make([]byte, 1)) // which never comes
		}
	}
	return 1
}

// sent is what the engine was given to log in to a registry with.
type sent struct {
	Username, Password, IdentityToken, ServerAddress string
}

// TestCredentials go with a pull, and with the question for a digest.
func TestCredentials(t *testing.T) {
	t.Parallel()
	path := helpers(t)
	const hub = "https://index.docker.io/v1/"
	me := base64.StdEncoding.EncodeToString([]byte("me:secret"))
	for _, test := range []struct {
		name, config, variable, ref string
		want                        sent
		words, hint                 string // in its place
	}{
		{name: "none", ref: "private.example/app"},
		{name: "of another registry", config: `{"auths": {"other.example": {"auth": "` + me + `"}}}`, ref: "private.example/app"},
		{
			name: "auths", config: `{"auths": {"private.example": {"auth": "` + me + `"}}}`, ref: "private.example/app",
			want: sent{Username: "me", Password: "secret", ServerAddress: "private.example"},
		},
		{
			name: "auths by URL", config: `{"auths": {"https://private.example/v1/": {"auth": "` + me + `"}}}`, ref: "private.example/app",
			want: sent{Username: "me", Password: "secret", ServerAddress: "https://private.example/v1/"},
		},
		{
			name: "auths of the default registry", config: `{"auths": {"` + hub + `": {"auth": "` + me + `"}}}`, ref: "me/app",
			want: sent{Username: "me", Password: "secret", ServerAddress: hub},
		},
		{
			name: "store", config: `{"credsStore": "fine"}`, ref: "private.example:5000/app:1",
			want: sent{Username: "me", Password: "secret of private.example:5000", ServerAddress: "private.example:5000"},
		},
		{
			name: "store for the default registry", config: `{"credsStore": "fine"}`, ref: "app",
			want: sent{Username: "me", Password: "secret of " + hub, ServerAddress: hub},
		},
		{
			name: "helper before the store", config: `{"credsStore": "broken", "credHelpers": {"private.example": "token"}}`, ref: "private.example/app",
			want: sent{IdentityToken: "secret of private.example", ServerAddress: "private.example"},
		},
		{name: "store that has none", config: `{"credsStore": "none"}`, ref: "private.example/app"},
		{
			name: "variable before all", config: `{"credsStore": "broken"}`, ref: "private.example/app",
			variable: `{"auths": {"private.example": {"auth": "` + me + `"}}}`,
			want:     sent{Username: "me", Password: "secret", ServerAddress: "private.example"},
		},
		{
			name: "variable for another registry", config: `{"credsStore": "fine"}`, ref: "private.example/app",
			variable: `{"auths": {"other.example": {"auth": "` + me + `"}}}`,
			want:     sent{Username: "me", Password: "secret of private.example", ServerAddress: "private.example"},
		},
		{
			name: "bad variable", variable: "secret", ref: "private.example/app",
			words: "read credentials for private.example: DOCKER_AUTH_CONFIG: invalid character 's' looking for beginning of value",
		},
		{
			name: "broken store", config: `{"credsStore": "broken"}`, ref: "private.example/app",
			words: "read credentials for private.example: credsStore of FOLDER/config.json: docker-credential-broken: error: cannot open the keyring",
			hint:  "make `docker-credential-broken list` work, or take it out of FOLDER/config.json",
		},
		{
			name: "helper that is not there", config: `{"credHelpers": {"private.example": "gone"}}`, ref: "private.example/app",
			words: `read credentials for private.example: credHelpers of FOLDER/config.json: exec: "docker-credential-gone": executable file not found in $PATH`,
			hint:  "make `docker-credential-gone list` work, or take it out of FOLDER/config.json",
		},
		{
			name: "helper that says something else", config: `{"credsStore": "babble"}`, ref: "private.example/app",
			words: "read credentials for private.example: credsStore of FOLDER/config.json: docker-credential-babble: its answer cannot be read",
			hint:  "make `docker-credential-babble list` work, or take it out of FOLDER/config.json",
		},
		{
			name: "helper that fails with the secret", config: `{"credsStore": "leaky"}`, ref: "private.example/app",
			words: "read credentials for private.example: credsStore of FOLDER/config.json: docker-credential-leaky: it went wrong afterwards",
			hint:  "make `docker-credential-leaky list` work, or take it out of FOLDER/config.json",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			registry := dockertest.NewRegistry()
			registry.Push(dockertest.Box(test.ref))
			e := serveEngine(t, dockertest.Options{Remote: registry})
			env := environment(t, test.config, map[string]string{"PATH": path, "DOCKER_AUTH_CONFIG": test.variable})
			client, err := dial(t, docker.Options{Host: e.address, Env: env})
			if err != nil {
				t.Fatalf("dial: %v", err)
			}
			pullErr := client.PullImage(t.Context(), engine.PullImage{Ref: test.ref}, func(engine.PullProgress) {})
			_, digestErr := client.RemoteDigest(t.Context(), test.ref)
			if test.words != "" {
				checkWords(t, pullErr, env("DOCKER_CONFIG"), test.words, test.hint)
				checkWords(t, digestErr, env("DOCKER_CONFIG"), test.words, test.hint)
				return
			}
			if pullErr != nil || digestErr != nil {
				t.Fatalf("pull: %v; ask for digest: %v", pullErr, digestErr)
			}
			for request := range e.headers {
				if !strings.HasPrefix(request, "POST /images/create") && !strings.HasPrefix(request, "GET /distribution/") {
					continue
				}
				if got := decodeAuth(t, e.header(t, request, "X-Registry-Auth")); got != test.want {
					t.Errorf("%s was given %+v, want %+v", request, got, test.want)
				}
			}
		})
	}
}

func decodeAuth(t *testing.T, header string) (auth sent) {
	t.Helper()
	if header == "" {
		return sent{}
	}
	text, err := base64.URLEncoding.DecodeString(header)
	if err == nil {
		err = json.Unmarshal(text, &auth)
	}
	if err != nil {
		t.Errorf("header: %v", err)
	}
	return auth
}

// TestHangingHelper is ended with the caller.
func TestHangingHelper(t *testing.T) {
	t.Parallel()
	path := helpers(t)
	listener, err := net.Listen("unix", filepath.Join(path, "started"))
	if err != nil {
		t.Fatal(err)
	}
	e := serve(t)
	client, err := dial(t, docker.Options{Host: e.address, Env: environment(t, `{"credsStore": "hanging"}`, map[string]string{"PATH": path})})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group errgroup.Group
	group.Go(func() error {
		helper, err := listener.Accept()
		if err != nil {
			return err
		}
		defer helper.Close()
		cancel()
		if _, err := helper.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			return fmt.Errorf("the helper did not end: %w", err)
		}
		return nil
	})
	if err := client.PullImage(ctx, engine.PullImage{Ref: "app"}, func(engine.PullProgress) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("pull: %v, want the cancellation", err)
	}
	cancel()
	_ = listener.Close()
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}
