// Package buildkit builds images with the BuildKit inside an engine. It speaks BuildKit's own protocol over two connections
// that the engine hands over: on one the client asks for a build and is told how it goes, on the other, the session, BuildKit
// asks the client for the files of the context, for credentials and for secrets. It is the only package that imports
// moby/buildkit, and it stays with that library's small packages: its client package is many times as heavy.
package buildkit

import (
	"context"
	"fmt"
	"net"
	"net/http"
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

	sharing sharing
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
	wanted, err := solveRequest(request, b.Proxies)
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
	for key, value := range from.attributes {
		wanted.FrontendAttrs[key] = value
	}
	connection, err := b.connect(ctx)
	if err != nil {
		return err
	}
	defer connection.Close() //nolint:errcheck // what it was for is done
	j := &job{
		connection: connection, control: control.NewControlClient(connection), request: wanted,
		from: from, progress: newProgress(report), service: request.Service,
	}
	if err := j.checkStore(ctx, request); err != nil {
		return err
	}
	if err := j.resolveHosts(ctx); err != nil {
		return j.failure(ctx, err)
	}
	shared := b.sharing.join(ctx, b.Dial, digest(from.sharedKey, fmt.Sprint(request.SSH)), given, func(given *offers) *session {
		return newSession(from.sharedKey, b.attachables(given, agents))
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
}

// What an engine tells usually ends with the build. It may come so much later; but of a build that was refused at once it never
// tells anything, and only says so after some seconds.
const (
	statusPatience = 5 * time.Second
	firstPatience  = 300 * time.Millisecond
)

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
