package dockertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine/docker/buildkit/buildkittest"
	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// Builder is a BuildKit beside engines, as the builders of docker buildx are: it has no images but those of registries. All methods
// may be called from many goroutines at once.
type Builder struct {
	server *buildkittest.Server
	remote *Registry
	ctx    context.Context //nolint:containedctx // ends all connections
	hangUp context.CancelFunc
	tasks  errgroup.Group

	mutex     sync.Mutex
	listeners []net.Listener
	starts    int // of its container
}

// NewBuilder starts one that builds for an architecture, "amd64". [Builder.Close] ends it.
func NewBuilder(remote *Registry, architecture string) *Builder {
	b := &Builder{remote: remote}
	b.ctx, b.hangUp = context.WithCancel(context.Background())
	b.server = buildkittest.New(b)
	b.server.Architecture = architecture
	return b
}

// Close ends all connections and returns when nothing of it is left.
func (b *Builder) Close() {
	b.hangUp()
	b.mutex.Lock()
	for _, listener := range b.listeners {
		_ = listener.Close() // it was only listened at
	}
	b.mutex.Unlock()
	_ = b.tasks.Wait() // connections always say that they were closed
	b.server.Close()
}

// Serve answers at a listener, which it closes, until the builder is closed.
func (b *Builder) Serve(listener net.Listener) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.listeners = append(b.listeners, listener)
	b.tasks.Go(func() error {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return nil //nolint:nilerr // it is closed
			}
			b.tasks.Go(func() error { b.server.ServeControl(b.ctx, connection); return nil })
		}
	})
}

// Image is an image whose containers are this BuildKit: `buildctl dial-stdio` in one leads to it.
func (b *Builder) Image(ref string) Image {
	return Image{Ref: ref, Version: "buildkit", Entrypoint: []string{"buildkitd"}, Program: b.run}
}

// Starts is how often a container of it was started.
func (b *Builder) Starts() int {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.starts
}

func (b *Builder) run(world testbox.World) int {
	const notFound, killed = 127, 137
	switch {
	case slices.Equal(world.Args, []string{"buildctl", "debug", "workers"}):
		return 0
	case slices.Equal(world.Args, []string{"buildctl", "dial-stdio"}):
		b.tunnel(world)
		return 0
	case len(world.Args) > 0 && world.Args[0] != "buildkitd":
		_, _ = fmt.Fprintf(world.Stderr, "%s: not found\n", world.Args[0])
		return notFound
	}
	b.mutex.Lock()
	b.starts++
	b.mutex.Unlock()
	<-world.Signals
	return killed
}

// tunnel joins what a command reads and writes to a connection.
func (b *Builder) tunnel(world testbox.World) {
	client, server := newDuplex()
	defer client.Close() //nolint:errcheck // it is closed again
	end := context.AfterFunc(b.ctx, func() { _ = client.Close() })
	defer end()
	var joined errgroup.Group
	joined.Go(func() error { b.server.ServeControl(b.ctx, server); return nil })
	joined.Go(func() error { _, err := io.Copy(client, world.Stdin); return errors.Join(err, client.Close()) })
	_, _ = io.Copy(world.Stdout, client) // whoever listened may have gone
	_ = client.Close()
	_ = server.Close()
	_ = joined.Wait()
}

// Base implements buildkittest.Engine.
func (b *Builder) Base(_ context.Context, ref, platform string, _ bool) (buildkittest.Image, error) {
	found, _, err := b.remote.find(mustNormalize(ref), platform)
	if err != nil {
		return buildkittest.Image{}, baseFailure(ref, err)
	}
	return baseImage(found), nil
}

// Keep implements buildkittest.Engine.
func (b *Builder) Keep(buildkittest.Image, []string) (string, error) {
	return "", errors.New(`exporter "moby" could not be found`)
}

// Push implements buildkittest.Pusher.
func (b *Builder) Push(built buildkittest.Image, refs []string) error {
	for _, ref := range refs {
		pushed := imageOf(built)
		pushed.Ref = ref
		b.remote.Push(pushed)
	}
	return nil
}

// Run implements buildkittest.Engine.
func (b *Builder) Run(ctx context.Context, process buildkittest.Process) int {
	signals := make(chan os.Signal)
	defer context.AfterFunc(ctx, func() { close(signals) })()
	return (&container{image: &image{}}).execute(testbox.World{
		Args: process.Args, Env: process.Env, Stdout: process.Stdout, Stderr: process.Stderr, Signals: signals, Files: process.Files,
	}, unknownCommand)
}
