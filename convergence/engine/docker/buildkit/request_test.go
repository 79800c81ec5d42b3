package buildkit

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	control "github.com/moby/buildkit/api/services/control"
	worker "github.com/moby/buildkit/api/types"
	"github.com/moby/buildkit/session/auth"
	"github.com/moby/buildkit/session/secrets"
	"golang.org/x/crypto/ssh"
	"google.golang.org/grpc"

	"github.com/muster-dev/muster/convergence/engine"
)

// TestSolveRequest looks at what each field of a request becomes.
func TestSolveRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request engine.BuildImage
		want    string // the attributes, and what else there is
	}{
		"nothing": {engine.BuildImage{}, "image-resolve-mode=local"},
		"a few": {
			engine.BuildImage{Target: "final", Tags: []string{"a:1", "b"}, Platforms: []string{"linux/amd64", "linux/arm64"}, Pull: true},
			"image-resolve-mode=pull platform=linux/amd64,linux/arm64 target=final; name=a:1,b",
		},
		"arguments and labels": {
			engine.BuildImage{Args: map[string]string{"A": "1", "HTTP_PROXY": "mine"}, Labels: map[string]string{"l": ""}},
			"build-arg:A=1 build-arg:HTTP_PROXY=mine image-resolve-mode=local label:l=",
		},
		"no cache":           {engine.BuildImage{NoCache: true, NoCacheFilter: []string{"a"}}, "image-resolve-mode=local no-cache="},
		"no cache of stages": {engine.BuildImage{NoCacheFilter: []string{"a", "b"}}, "image-resolve-mode=local no-cache=a,b"},
		"of RUN": {
			engine.BuildImage{
				ExtraHosts: []string{"db=10.0.0.1", "six=[::1]"}, ShmSize: 1 << 20,
				Ulimits: []engine.Ulimit{{Name: "nproc", Soft: 1, Hard: 2}, {Name: "nofile", Soft: 3, Hard: 3}},
			},
			"add-hosts=db=10.0.0.1,six=[::1] image-resolve-mode=local shm-size=1048576 ulimit=nofile=3:3,nproc=1:2",
		},
		"attestations":    {engine.BuildImage{Provenance: "mode=max", SBOM: "true"}, "attest:provenance=mode=max attest:sbom= image-resolve-mode=local"},
		"no attestations": {engine.BuildImage{Provenance: "false", SBOM: "0"}, "image-resolve-mode=local"},
		"host network":    {engine.BuildImage{Network: "host"}, "force-network-mode=host image-resolve-mode=local; may network.host"},
		"no network":      {engine.BuildImage{Network: "none"}, "force-network-mode=none image-resolve-mode=local"},
		"default network": {engine.BuildImage{Network: "default"}, "image-resolve-mode=local"},
		"entitlements": {
			engine.BuildImage{Network: "host", Entitlements: []string{"network.host", "security.insecure"}},
			"force-network-mode=host image-resolve-mode=local; may network.host; may security.insecure",
		},
		"caches": {
			engine.BuildImage{CacheFrom: []string{"a/b:1", "type=registry,ref=c"}, CacheTo: []string{"type=inline", `type=registry,"ref=d",mode=max`}},
			`cache-imports=[{"Type":"registry","Attrs":{"ref":"a/b:1"}},{"Type":"registry","Attrs":{"ref":"c"}}] image-resolve-mode=local` +
				"; from registry map[ref:a/b:1]; from registry map[ref:c]; to inline map[]; to registry map[mode:max ref:d]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxies := map[string]string{}
			if len(c.request.Args) > 0 {
				proxies["HTTP_PROXY"] = "configured"
			}
			got, err := solveRequest(c.request, proxies)
			if err == nil {
				err = setImports(got)
			}
			if err != nil {
				t.Fatal(err)
			}
			if text := describe(got); text != c.want {
				t.Errorf("request\n%s\nwant\n%s", text, c.want)
			}
			if !maps.Equal(got.GetExporters()[0].GetAttrs(), got.GetExporterAttrsDeprecated()) {
				t.Errorf("an old engine is told of another name: %v", got.GetExporterAttrsDeprecated())
			}
		})
	}
}

func describe(request *control.SolveRequest) string {
	var attributes []string
	for _, key := range slices.Sorted(maps.Keys(request.GetFrontendAttrs())) {
		attributes = append(attributes, key+"="+request.GetFrontendAttrs()[key])
	}
	parts := []string{strings.Join(attributes, " ")}
	if name, ok := request.GetExporters()[0].GetAttrs()["name"]; ok {
		parts = append(parts, "name="+name)
	}
	for _, one := range request.GetEntitlements() {
		parts = append(parts, "may "+one)
	}
	for _, one := range request.GetCache().GetImports() {
		parts = append(parts, fmt.Sprint("from ", one.GetType(), " ", one.GetAttrs()))
	}
	for _, one := range request.GetCache().GetExports() {
		parts = append(parts, fmt.Sprint("to ", one.GetType(), " ", one.GetAttrs()))
	}
	return strings.Join(parts, "; ")
}

// TestRefused has requests that are refused, and how.
func TestRefused(t *testing.T) {
	t.Parallel()
	for want, request := range map[string]engine.BuildImage{
		`cache_to "type=registry": a registry needs ref=`: {CacheTo: []string{"type=registry"}},
		`cache_to "type=inline,x": "x" is not name=value`: {CacheTo: []string{"type=inline,x"}},
		`cache_to "\"": it is no list of name=value`:      {CacheTo: []string{`"`}},
		`extra_hosts: "b" of "a" is no address`:           {ExtraHosts: []string{"a=b"}},
	} {
		_, err := solveRequest(request, nil)
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if !errors.Is(refusal(request, err), engine.ErrInvalid) {
			t.Errorf("error %v: it is not told as what is wrong with the request", err)
		}
	}
}

// workers is a control API that only tells of a worker.
type workers struct {
	control.ControlClient
	labels map[string]string
}

func (w workers) ListWorkers(context.Context, *control.ListWorkersRequest, ...grpc.CallOption) (*control.ListWorkersResponse, error) {
	return &control.ListWorkersResponse{Record: []*worker.WorkerRecord{{Labels: w.labels}}}, nil
}

func TestHosts(t *testing.T) {
	t.Parallel()
	gateway := map[string]string{"org.mobyproject.buildkit.worker.moby.host-gateway-ip": "172.17.0.1"}
	for given, c := range map[string]struct {
		labels map[string]string
		want   string
	}{
		"b=10.0.0.1,a=[::1]":     {nil, "a=::1,b=10.0.0.1"},
		"host=host-gateway":      {gateway, "host=172.17.0.1"},
		"host=host-gateway,a=::": {nil, "error: extra_hosts with host-gateway is not honoured by builds yet"},
		"":                       {nil, ""},
	} {
		j := &job{control: workers{labels: c.labels}, request: &control.SolveRequest{FrontendAttrs: map[string]string{keyExtraHosts: given}}}
		got := ""
		if err := j.resolveHosts(t.Context()); err != nil {
			got = "error: " + err.Error()
		} else {
			got = j.request.GetFrontendAttrs()[keyExtraHosts]
		}
		if got != c.want {
			t.Errorf("hosts %q: %q, want %q", given, got, c.want)
		}
	}
}

// TestStore asks for attestations of engines with and without a place for them.
func TestStore(t *testing.T) {
	t.Parallel()
	kept := map[string]string{"org.mobyproject.buildkit.worker.snapshotter": "overlayfs"}
	for name, c := range map[string]struct {
		request engine.BuildImage
		labels  map[string]string
		refused bool
	}{
		"nothing asked for": {engine.BuildImage{Provenance: "false"}, nil, false},
		"a place for it":    {engine.BuildImage{SBOM: "true"}, kept, false},
		"platforms":         {engine.BuildImage{Platforms: []string{"linux/amd64", "linux/arm64"}, SBOM: "true"}, kept, false},
		"one platform":      {engine.BuildImage{Platforms: []string{"linux/arm64"}}, nil, false},
		"several":           {engine.BuildImage{Platforms: []string{"linux/amd64", "linux/arm64"}, SBOM: "1", Provenance: "1"}, nil, true},
		"no place for it":   {engine.BuildImage{SBOM: "true", Provenance: "mode=min"}, nil, true},
	} {
		request, err := solveRequest(c.request, nil)
		if err != nil {
			t.Fatal(err)
		}
		j := &job{control: workers{labels: c.labels}, request: request}
		switch err := j.checkStore(t.Context(), c.request); {
		case c.refused != errors.Is(err, engine.ErrUnsupported):
			t.Errorf("%s: error %v", name, err)
		case c.refused && !strings.Contains(err.Error(), "provenance and sbom"):
			t.Errorf("%s: error %v does not say what was asked for", name, err)
		}
	}
}

func TestAgents(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, passphrase := range map[string]string{"open": "", "locked": "hush"} {
		block, err := ssh.MarshalPrivateKey(key, "")
		if passphrase != "" {
			block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := openAgents([]engine.BuildSSH{{ID: "default", Paths: []string{filepath.Join(folder, "open")}}}); err != nil {
		t.Errorf("a key: %v", err)
	}
	for path, want := range map[string]string{
		filepath.Join(folder, "locked"): "passphrase", filepath.Join(folder, "away"): "no such file", "": "neither an agent's socket nor keys",
	} {
		one := engine.BuildSSH{ID: "deploy"}
		if path != "" {
			one.Paths = []string{path}
		}
		_, err := openAgents([]engine.BuildSSH{one})
		if err == nil || !strings.HasPrefix(err.Error(), `ssh "deploy": `) || !strings.Contains(err.Error(), want) {
			t.Errorf("path %q: error %v, want one about %s", path, err, want)
		}
	}
}

func TestAttachables(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	contents, err := readSecrets([]engine.BuildSecret{{ID: "file", File: file}, {ID: "value", Content: []byte("x")}})
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{offers: &offers{secrets: contents}}
	for id, want := range map[string]string{"file": "from a file", "value": "x"} {
		if got, err := k.GetSecret(t.Context(), &secrets.GetSecretRequest{ID: id}); err != nil || string(got.GetData()) != want {
			t.Errorf("secret %s: %q, %v", id, got.GetData(), err)
		}
	}
	if _, err := k.GetSecret(t.Context(), &secrets.GetSecretRequest{ID: "other"}); err == nil {
		t.Error("a secret that the build was not given: no error")
	}
	if err := os.WriteFile(file, make([]byte, maxSecret+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []engine.BuildSecret{{ID: "big", File: file}, {ID: "away", File: file + "x"}} {
		if _, err := readSecrets([]engine.BuildSecret{secret}); err == nil || !strings.Contains(err.Error(), secret.ID) {
			t.Errorf("secret %s: error %v", secret.ID, err)
		}
	}
	a := &authority{credentials: func(_ context.Context, host string) (Credentials, error) {
		return Credentials{Username: "me", Secret: host}, nil
	}}
	got, err := a.Credentials(t.Context(), &auth.CredentialsRequest{Host: "registry.example"})
	if err != nil || got.GetUsername() != "me" || got.GetSecret() != "registry.example" {
		t.Errorf("credentials: %v, %v", got, err)
	}
}
