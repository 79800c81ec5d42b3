// Package buildkit builds images with the BuildKit inside an engine, or one beside it. It speaks BuildKit's own protocol over two
// connections: on one the client asks for a build and is told how it goes, on the other, the session, BuildKit
// asks the client for the files of the context, for credentials and for secrets. It is the only package that imports
// moby/buildkit, and it stays with that library's small packages: its client package is many times as heavy.
package buildkit

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/identity"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/muster-dev/muster/convergence/engine"
)

// Paths of the Engine API that hand a connection over.
const (
	controlPath = "/grpc"
	sessionPath = "/session"
)

// Dial asks the engine for a connection that speaks HTTP/2 without TLS: POST path with the header and an upgrade to "h2c". Its
// errors are those of [engine.Builds]. The connection outlives the context.
type Dial func(ctx context.Context, path string, header http.Header) (net.Conn, error)

// Builder builds with one engine. Its methods may be called from many goroutines at once; its fields are not changed any more
// by then.
type Builder struct {
	Dial Dial
	// Credentials are those for a registry's host; zero where there are none. They are nothing to be printed.
	Credentials func(ctx context.Context, host string) (Credentials, error)
	// Proxies are build arguments of every build that does not set them itself.
	Proxies map[string]string
	// Load brings an image into the engine, whose archive it reads, for a BuildKit that is not in it; nil for one that is. It is
	// called from many goroutines at once.
	Load func(ctx context.Context, archive io.Reader) error
	// Save is the archive of an image that the engine has. It counts where Load does.
	Save func(ctx context.Context, ref string) (io.ReadCloser, error)

	sharing  sharing
	indexing sync.Mutex // one at a time writes the index of a folder
}

// Credentials are what a registry wants to see. Without a Username the Secret is an identity token.
type Credentials struct {
	Username string
	Secret   string
}

// Build is [engine.Builds.BuildImage].
func (b *Builder) Build(
	ctx context.Context, request engine.BuildImage, report func(engine.BuildProgress),
) (engine.BuiltImage, error) {
	var answer *control.SolveResponse
	err := b.do(ctx, request, report, func(ctx context.Context, j *job) (err error) {
		answer, err = j.control.Solve(ctx, j.request)
		if failed := j.output.failure(); failed != nil && ctx.Err() == nil {
			return failed
		}
		if err == nil {
			err = b.noteCaches(j.stores, answer)
		}
		return err
	})
	if err != nil {
		return engine.BuiltImage{}, err
	}
	return builtImage(answer), nil
}

// do makes everything ready that a request needs, and has work ask BuildKit for what is wanted of it.
func (b *Builder) do(
	ctx context.Context, request engine.BuildImage, report func(engine.BuildProgress), work func(context.Context, *job) error,
) error {
	from, err := openSource(request)
	if err != nil {
		return refusal(request, err)
	}
	defer from.stores.close()
	wanted, err := b.solveRequest(request, from, report)
	if err != nil {
		return refusal(request, err)
	}
	given := &offers{folders: from.folders}
	if given.secrets, err = readSecrets(request.Secrets); err != nil {
		return refusal(request, err)
	}
	agents, err := openAgents(request.SSH)
	if err != nil {
		return refusal(request, err)
	}
	if err := b.addImages(ctx, request, from, wanted); err != nil {
		return err
	}
	connection, err := b.connect(ctx)
	if err != nil {
		return err
	}
	defer connection.Close() //nolint:errcheck // what it was for is done
	j := &job{
		connection: connection, control: control.NewControlClient(connection), request: wanted,
		from: from, progress: newProgress(report), service: request.Service, stores: &from.stores,
	}
	if b.Load == nil {
		if err := j.checkStore(ctx, request); err != nil {
			return err
		}
	} else if !request.Push {
		j.output = &output{load: b.Load}
		given.outputs = map[string]*output{outputName(request.Tags): j.output}
	}
	if err := j.resolveHosts(ctx); err != nil {
		return j.failure(ctx, err)
	}
	shared := b.sharing.join(ctx, b.Dial, digest(from.sharedKey, fmt.Sprint(request.SSH, from.stores.names())), given, func(given *offers) *session {
		return newSession(from.sharedKey, b.attachables(given, agents, from.stores.attachable()))
	})
	return j.run(ctx, shared, func() { b.sharing.leave(shared) }, work)
}

// job is one build under way.
type job struct {
	connection grpc.ClientConnInterface
	control    control.ControlClient
	request    *control.SolveRequest
	from       *source
	progress   *progress
	told       atomic.Bool // the engine has told something of it
	service    string
	stores     *stores
	output     *output // nil where none comes back
}

// What an engine tells usually ends with the build. It may come so much later; but of a build that was refused at once it never
// tells anything, and only says so after some seconds.
const (
	statusPatience = 5 * time.Second
	firstPatience  = 300 * time.Millisecond
)

// solveRequest is the request to BuildKit for what was found on this side. Caches that are not there are told.
func (b *Builder) solveRequest(request engine.BuildImage, from *source, report func(engine.BuildProgress)) (*control.SolveRequest, error) {
	wanted, err := solveRequest(request, b.Proxies)
	if err != nil {
		return nil, err
	}
	if err := b.setOutput(wanted, request); err != nil {
		return nil, err
	}
	missing, err := from.stores.addCaches(wanted.GetCache())
	if err != nil {
		return nil, err
	}
	for _, one := range missing {
		report(engine.BuildProgress{Kind: engine.BuildWarning, Text: one})
	}
	maps.Copy(wanted.FrontendAttrs, from.attributes)
	return wanted, setImports(wanted)
}

// addImages adds the contexts that are images of the engine's: a BuildKit that is not in it gets them sent.
func (b *Builder) addImages(ctx context.Context, request engine.BuildImage, from *source, wanted *control.SolveRequest) error {
	for name, ref := range request.ImageContexts {
		place := "docker-image://" + ref
		if b.Load != nil {
			archive, err := b.Save(ctx, ref)
			if err != nil {
				return fmt.Errorf("additional context %q: %w", name, err)
			}
			place, err = from.stores.addImage(archive)
			_ = archive.Close() // it was only read
			if err != nil {
				return fmt.Errorf("additional context %q: %w", name, err)
			}
		}
		wanted.FrontendAttrs[contextPrefix+contextKey(name)] = place
	}
	return nil
}

// run carries the build out: the calls that are the build, and the stream that tells how it goes. It leaves the session when these
// calls are over.
func (j *job) run(ctx context.Context, shared *sharedSession, leave func(), work func(context.Context, *job) error) error {
	j.request.Ref, j.request.Session = identity.NewID(), shared.id
	var late *time.Timer
	statusCtx, endStatus := context.WithCancel(context.WithoutCancel(ctx))
	defer endStatus()
	defer context.AfterFunc(ctx, endStatus)()
	group, groupCtx := errgroup.WithContext(ctx)
	watchCtx, endWatch := context.WithCancel(groupCtx)
	group.Go(func() error { return shared.watch(watchCtx) })
	group.Go(func() error {
		err := work(groupCtx, j)
		endWatch()
		leave()
		patience := statusPatience
		switch {
		case groupCtx.Err() != nil:
			patience = 0
		case err != nil && !j.told.Load():
			patience = firstPatience
		}
		late = time.AfterFunc(patience, endStatus)
		return err
	})
	group.Go(func() error {
		j.follow(statusCtx)
		return nil
	})
	err := group.Wait()
	late.Stop()
	if err != nil {
		return j.failure(ctx, err)
	}
	return nil
}

// follow tells how the build goes until its end. What keeps it from that is no reason for a build to fail.
func (j *job) follow(ctx context.Context) {
	defer j.progress.end()
	stream, err := j.control.Status(ctx, &control.StatusRequest{Ref: j.request.Ref})
	for err == nil {
		var update *control.StatusResponse
		if update, err = stream.Recv(); err == nil {
			j.told.Store(true)
			j.progress.add(update)
		}
	}
}

// What an exporter answers (buildkit, exporter/containerimage/exptypes).
const (
	imageDigest  = "containerimage.digest"
	configDigest = "containerimage.config.digest"
)

// builtImage reads what the exporter answered. The first digest is what the engine lists the image under: of its
// configuration, or of its manifest where the engine keeps manifests.
func builtImage(answer *control.SolveResponse) engine.BuiltImage {
	built := engine.BuiltImage{ID: answer.GetExporterResponse()[imageDigest]}
	if config := answer.GetExporterResponse()[configDigest]; config != "" && config != built.ID {
		built.Digest = built.ID
	}
	return built
}
