package dockertest_test

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	apicontainer "github.com/docker/docker/api/types/container"
	"go.uber.org/goleak"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
	"github.com/muster-dev/muster/convergence/engine/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	box       = "muster-test/box:latest"
	declaring = "muster-test/declaring:latest"
	absent    = "registry.invalid/muster-test/absent:1"
)

// declaringImage is what the conformance suite asks for.
func declaringImage() dockertest.Image {
	image := dockertest.Box(declaring)
	image.Version = "declaring"
	image.HealthCheck = &apicontainer.HealthConfig{Test: []string{"CMD", "/testbox", "probe"}, Interval: 50 * time.Millisecond}
	image.Volumes = []string{"/declared"}
	image.Labels = map[string]string{"dev.muster.test": "declared"}
	image.Env = []string{"DECLARED=yes"}
	return image
}

// TestConformance holds the adapter and the engine in memory to the engine's contract, each case in a bubble of its own.
func TestConformance(t *testing.T) {
	t.Parallel()
	conform(t, "")
}

// TestConformanceOldAPI does so with the last API that takes a single network in a create request.
func TestConformanceOldAPI(t *testing.T) {
	t.Parallel()
	conform(t, "1.43")
}

func conform(t *testing.T, version string) {
	t.Helper()
	registry := &remote{registry: dockertest.NewRegistry()}
	registry.registry.Fail(absent, http.StatusInternalServerError,
		`Get "https://registry.invalid/v2/": dial tcp: lookup registry.invalid: no such host`)
	enginetest.Run(t, enginetest.Harness{
		Connect: func(t *testing.T) engine.Engine {
			t.Helper()
			return start(t, dockertest.Options{Remote: registry.registry, APIVersion: version}).Client(t)
		},
		Within: synctest.Test, Program: []byte("testbox"), Box: box, Declaring: declaring, Absent: absent, Registry: registry,
	})
}

func start(t *testing.T, options dockertest.Options) *dockertest.Engine {
	t.Helper()
	e := dockertest.Start(t, options)
	e.AddImage(dockertest.Box(box))
	e.AddImage(declaringImage())
	return e
}

// remote is the registry of all engines in memory.
type remote struct {
	registry *dockertest.Registry
	pushed   atomic.Int32 // so that each image is another
}

func (r *remote) Ref(repository, tag string) string {
	return "registry.example/" + repository + ":" + tag
}

func (r *remote) Push(repository, tag string) (ref, digest string) {
	ref = r.Ref(repository, tag)
	image := dockertest.Box(ref)
	image.Version = ref + strconv.Itoa(int(r.pushed.Add(1)))
	image.LayerSizes = []int64{4000, 10000}
	return ref, r.registry.Push(image)
}

func (r *remote) Deny(repository string) {
	r.registry.Fail(r.Ref(repository, "x"), http.StatusUnauthorized, "unauthorized: authentication required")
}

func (r *remote) Break(repository, tag string) { r.registry.Break(r.Ref(repository, tag)) }
