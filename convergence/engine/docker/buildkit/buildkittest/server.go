// Package buildkittest is a BuildKit in memory: enough of its control API and its sessions to build what tests build, with the
// real protocol on the wire, the real parser for Dockerfiles, and the texts, errors and progress of a real one.
//
// It asks the client for the Dockerfile and for the context as BuildKit does, with the patterns of ignore files, and remembers
// what it was sent. It knows FROM (scratch, an image, a stage), ARG, ENV, LABEL, COPY and ADD of files, RUN, WORKDIR, USER, CMD,
// ENTRYPOINT, EXPOSE, VOLUME, STOPSIGNAL, HEALTHCHECK and SHELL, targets, a cache by content, and the checks of a
// Dockerfile that come with its parser. Everything else is an error
// that says so. Of files it keeps content and whether they can be executed, but no owners, no links and no empty folders.
package buildkittest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	control "github.com/moby/buildkit/api/services/control"
	worker "github.com/moby/buildkit/api/types"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/grpchijack"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"google.golang.org/grpc"

	"github.com/muster-dev/muster/convergence/engine/docker/buildkit"
	"github.com/muster-dev/muster/convergence/engine/docker/testbox"
)

// MaxKept is the size from which on a file is known by its digest only.
const MaxKept = 1 << 20

// Image is an image that something is built from, or that was built.
type Image struct {
	Base     string // the ID of the image that it was built from; empty for scratch
	ID       string // of a base; empty for what was built
	Config   dockerspec.DockerOCIImageConfig
	Platform string // os/arch[/variant]
	Files    map[string]File
	// OnlyItsFiles says that commands that are not among Files cannot be started.
	OnlyItsFiles bool
	// Version tells images apart: the same steps with the same files, taken from the cache, give the same.
	Version string
}

// File is a file of an image.
type File struct {
	Content    []byte // nil where there is more than [MaxKept]
	Size       int64
	Digest     string
	Executable bool
}

// Process is a command that a step runs.
type Process struct {
	Image  Image
	Args   []string
	Env    map[string]string
	Stdout io.Writer
	Stderr io.Writer
	Files  testbox.Files
}

// Engine is what a BuildKit is in. Its methods are called from many goroutines at once.
type Engine interface {
	// Base is the image that a normalized reference stands for: one that the engine has, unless pull is set, else a registry's.
	// The errors are what BuildKit would say of it.
	Base(ctx context.Context, ref, platform string, pull bool) (Image, error)
	// Keep puts an image into the engine under the references and returns its ID.
	Keep(built Image, refs []string) (id string, err error)
	// Run runs a command until it or the context ends.
	Run(ctx context.Context, process Process) (exitCode int)
}

// Server is a BuildKit. Close it.
type Server struct {
	control.UnimplementedControlServer
	engine   Engine
	sessions *session.Manager
	grpc     *grpc.Server

	// Architecture is the one that it builds for, amd64. It is not changed any more once it is used.
	Architecture string

	mutex sync.Mutex
	jobs  map[string]*job
	cache map[string]layer // by what led to it
	// guidedBuilds are under way, by reference.
	guidedBuilds map[string]*guided
	built        int              // steps carried out, so that no two are the same
	folder       string           // of the files that were sent; made with the first
	synced       map[string]*tree // by shared key and name
}

// New returns a BuildKit for an engine.
func New(engine Engine) *Server {
	sessions, err := session.NewManager()
	if err != nil {
		panic(err) // it never is
	}
	s := &Server{
		engine: engine, sessions: sessions, jobs: map[string]*job{}, cache: map[string]layer{}, synced: map[string]*tree{},
		guidedBuilds: map[string]*guided{}, Architecture: "amd64",
		grpc: grpc.NewServer(
			grpc.UnaryInterceptor(grpcerrors.UnaryServerInterceptor), grpc.StreamInterceptor(grpcerrors.StreamServerInterceptor),
		),
	}
	control.RegisterControlServer(s.grpc, s)
	gateway.RegisterLLBBridgeServer(s.grpc, &bridge{server: s})
	return s
}

// Close removes what was sent. No connection is served any more by then.
func (s *Server) Close() {
	s.grpc.Stop()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.folder != "" {
		_ = os.RemoveAll(s.folder) // in the folder for temporary files
	}
}

// ServeControl answers on a connection that was asked for with POST /grpc, until it or the context ends.
func (s *Server) ServeControl(ctx context.Context, connection net.Conn) {
	defer context.AfterFunc(ctx, func() { _ = connection.Close() })()
	_ = s.grpc.Serve(buildkit.NewListener(connection)) // it ends with the connection, and that is no news
}

// ServeSession uses the session of a connection that was asked for with POST /session, until it or the context ends.
func (s *Server) ServeSession(ctx context.Context, connection net.Conn, header http.Header) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return s.sessions.HandleConn(ctx, &watchedConn{connection, cancel}, header)
}

// watchedConn tells when the other side has gone, which a session otherwise finds out by asking.
type watchedConn struct {
	net.Conn
	gone func()
}

func (c *watchedConn) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	if err != nil {
		c.gone()
	}
	return n, err
}

// ListWorkers implements control.ControlServer.
func (s *Server) ListWorkers(context.Context, *control.ListWorkersRequest) (*control.ListWorkersResponse, error) {
	return &control.ListWorkersResponse{Record: []*worker.WorkerRecord{{
		ID: "memory", Platforms: s.platforms(), Labels: map[string]string{"org.mobyproject.buildkit.worker.moby.host-gateway-ip": "172.17.0.1"},
	}}}, nil
}

// platforms are what it builds for.
func (s *Server) platforms() []*pb.Platform {
	const os = "linux"
	return []*pb.Platform{{OS: os, Architecture: s.Architecture}}
}

// jobPatience is how long one side of a build waits for the other.
const jobPatience = 5 * time.Second

// Solve implements control.ControlServer: it carries a build out.
func (s *Server) Solve(ctx context.Context, request *control.SolveRequest) (*control.SolveResponse, error) {
	if request.GetFrontend() == "" {
		return s.waitReturned(ctx, request)
	}
	to, err := exportOf(request)
	if err != nil {
		return nil, err
	}
	j := s.job(request.GetRef())
	defer j.finish()
	waiting, stop := context.WithTimeout(ctx, jobPatience)
	caller, err := s.sessions.Get(waiting, request.GetSession(), false)
	stop()
	if err != nil {
		return nil, err
	}
	b, err := newBuild(s, j, caller, request)
	if err != nil {
		return nil, err
	}
	id, answer, err := b.solve(ctx, request, to)
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	answer["containerimage.digest"], answer["containerimage.config.digest"] = id, id
	return &control.SolveResponse{ExporterResponse: answer}, nil
}

// solve carries a build out with the caches that it reads and writes.
func (b *build) solve(ctx context.Context, request *control.SolveRequest, to export) (id string, answer map[string]string, err error) {
	if err := b.readCaches(ctx, request.GetCache()); err != nil {
		return "", nil, err
	}
	if id, err = b.run(ctx, to); err != nil {
		return "", nil, err
	}
	answer, err = b.writeCaches(ctx, request.GetCache())
	return id, answer, err
}

// Session implements control.ControlServer: a session in a call, as a BuildKit has it that is in no engine.
func (s *Server) Session(stream control.Control_SessionServer) error {
	connection, _, header := grpchijack.Hijack(stream)
	defer connection.Close() //nolint:errcheck // the call ends
	return s.ServeSession(stream.Context(), connection, header)
}

// job is the one of that reference; whoever comes first makes it.
func (s *Server) job(ref string) *job {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	j, known := s.jobs[ref]
	if !known {
		j = newJob(ref)
		s.jobs[ref] = j
	}
	return j
}

// Status implements control.ControlServer: it tells how a build goes.
func (s *Server) Status(request *control.StatusRequest, stream control.Control_StatusServer) error {
	j := s.job(request.GetRef())
	begins := time.NewTimer(jobPatience)
	defer begins.Stop()
	for next := 0; ; {
		updates, ended, changed := j.since(next)
		for _, update := range updates {
			if err := stream.Send(update); err != nil {
				return err
			}
		}
		next += len(updates)
		if ended {
			return nil
		}
		late := begins.C
		if next > 0 {
			late = nil
		}
		select {
		case <-changed:
		case <-late:
			return fmt.Errorf("no such job %s", request.GetRef())
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

var errUnknown = errors.New("buildkittest does not know it")

// unknown says that a test relies on a BuildKit that can do more than this one.
func unknown(format string, arguments ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, arguments...), errUnknown)
}
