package docker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the credential helpers of the tests: see auth_test.go.
func TestMain(m *testing.M) {
	if helper, ok := strings.CutPrefix(filepath.Base(os.Args[0]), "docker-credential-"); ok {
		os.Exit(fakeHelper(helper))
	}
	// A program with the race detector otherwise takes a second to end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
