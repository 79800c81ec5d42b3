//go:build e2e

package enginetest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// TestSharedContext builds several images at once from one folder, each with a Dockerfile of its own: the folder goes over the wire
// once.
func TestSharedContext(t *testing.T) {
	const size, builds = 8 << 20, 4
	host, ok := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	if !ok {
		t.Fatal("DOCKER_HOST does not name a socket")
	}
	folder := t.TempDir()
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	program := buildBox(t)["/testbox"].Content
	for name, data := range map[string][]byte{"testbox": program, "big": content} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o755); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	var sent atomic.Int64
	client, err := docker.Dial(t.Context(), docker.Options{Host: "unix://" + countingProxy(t, host, &sent), Env: os.Getenv})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	var group errgroup.Group
	for i := range builds {
		group.Go(func() error {
			// The last step keeps each build going until all others have begun.
			built, err := client.BuildImage(t.Context(), engine.BuildImage{
				Service: fmt.Sprint("s", i), Context: folder, DockerfileInline: fmt.Sprintf(
					"FROM scratch\nCOPY . /\nLABEL n=%d\nENV T=%d\nRUN [\"/testbox\", \"-sleep\", \"2s\"]\n", i, os.Getpid()),
			}, func(engine.BuildProgress) {})
			if err == nil {
				err = client.RemoveImage(context.WithoutCancel(t.Context()), built.ID)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	whole := int64(size + len(program))
	if got := sent.Load(); got < whole || got > whole*3/2 {
		t.Errorf("%d builds of a folder of %d bytes sent %d", builds, whole, got)
	}
}

// countingProxy is a socket that leads to another one and counts what is sent there.
func countingProxy(t *testing.T, host string, sent *atomic.Int64) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "p") //nolint:usetesting // a path of a socket has to be short
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	group.Go(func() error {
		for {
			from, err := listener.Accept()
			if err != nil {
				return nil //nolint:nilerr // the end
			}
			to, err := net.Dial("unix", host)
			if err != nil {
				return err
			}
			group.Go(func() error { return pipe(to, from, sent) })
			group.Go(func() error { return pipe(from, to, new(atomic.Int64)) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(folder)
	})
	return path
}

// pipe copies until one side ends, and ends the other.
func pipe(to, from net.Conn, count *atomic.Int64) error {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		count.Add(int64(n))
		if _, writeErr := to.Write(buffer[:n]); writeErr != nil || err != nil {
			return nil //nolint:nilerr // whoever speaks hears of it
		}
	}
}
