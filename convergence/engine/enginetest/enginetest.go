// Package enginetest is what an engine has to do to be one: a suite written against [engine.Engine] alone. It runs on the
// adapter over the engine in memory in every test run, and on the adapter over a real engine with the build tag e2e, so that
// neither the fake nor the contract can drift from what engines do.
package enginetest

import (
	"testing"

	"github.com/muster-dev/muster/convergence/engine"
)

// Harness is an engine under test, with what it takes to test it.
type Harness struct {
	// Connect returns the engine for a test, which closes it.
	Connect func(t *testing.T) engine.Engine
	// Within runs the body of a test: as it is, or in a bubble of testing/synctest. Bodies run in parallel.
	Within func(t *testing.T, body func(t *testing.T))
	// Box is the reference of an image that holds testbox at its path and is its entrypoint.
	Box string
	// Declaring is the reference of an image like Box with a health check (`probe`, every 50 ms), the volume "/declared",
	// the label "dev.muster.test" with the value "declared", and the variable DECLARED=yes.
	Declaring string
	// Program is testbox, a static binary that runs in images that hold nothing else: what builds copy.
	Program []byte
	// Absent is a reference in a registry that nobody can reach.
	Absent string
	// Registry is one that the engine under test can pull from.
	Registry Registry
}

// Registry is a registry with a few images in it. Repositories belong to one test each.
type Registry interface {
	// Push puts another image under the reference "repository:tag" and returns the whole reference and the image's digest.
	Push(repository, tag string) (ref, digest string)
	// Ref is the whole reference for a repository and tag, whether there is such an image or not.
	Ref(repository, tag string) string
	// Deny makes the registry refuse a repository.
	Deny(repository string)
	// Break makes the registry break off the connection in the middle of the image's layer.
	Break(repository, tag string)
}

// Run runs the whole suite.
func Run(t *testing.T, harness Harness) {
	t.Helper()
	for _, part := range []struct {
		name  string
		cases []testCase
	}{
		{"containers", containerCases()},
		{"compare", compareCases()},
		{"lifecycle", lifecycleCases()},
		{"restarts", restartCases()},
		{"health", healthCases()},
		{"mounts", mountCases()},
		{"networks", networkCases()},
		{"attachments", attachmentCases()},
		{"volumes", volumeCases()},
		{"copies", copyCases()},
		{"files", fileCases()},
		{"monitors", monitorCases()},
		{"images", imageCases()},
		{"commits", commitCases()},
		{"pulls", pullCases()},
		{"pushes", pushCases()},
		{"builds", buildCases()},
		{"events", eventCases()},
		{"logs", logCases()},
		{"exec", execCases()},
		{"consoles", consoleCases()},
		{"sessions", sessionCases()},
		{"calls", callCases()},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			for _, one := range part.cases {
				t.Run(one.name, func(t *testing.T) {
					t.Parallel()
					harness.Within(t, func(t *testing.T) { t.Helper(); one.run(newFixture(t, harness)) })
				})
			}
		})
	}
}

// testCase is one promise of the contract.
type testCase struct {
	name string
	run  func(f *fixture)
}
