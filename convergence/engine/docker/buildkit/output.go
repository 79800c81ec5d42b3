package buildkit

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/distribution/reference"
	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/session/filesync"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/muster-dev/muster/convergence/engine"
)

// Exporters of a BuildKit that is in no engine (buildkit, client.ExporterDocker and ExporterImage).
const (
	exporterArchive  = "docker"
	exporterRegistry = "image"
)

// setOutput says where the image goes: into the engine that BuildKit is in, to the registries of its names, or as an archive to
// this side, which brings it into the engine.
func (b *Builder) setOutput(wanted *control.SolveRequest, request engine.BuildImage) error {
	if b.Load == nil {
		return nil
	}
	if wanted.GetFrontendAttrs()[keyResolve] == resolveLocal {
		delete(wanted.FrontendAttrs, keyResolve) // it has no images of the engine's to prefer
	}
	export := wanted.GetExporters()[0]
	if request.Push {
		if len(request.Tags) == 0 {
			return errors.New("an image without a name cannot be pushed")
		}
		export.Type = exporterRegistry
		export.Attrs["push"] = "true"
	} else {
		if asked := needManifests(wanted, request); asked != "" {
			return advised{
				&kinded{engine.ErrUnsupported, asked + ": what a builder brings into the engine is one image for one platform"},
				"push it to a registry (muster build --push), or ask for one platform and no attestations",
			}
		}
		export.Type = exporterArchive
	}
	wanted.ExporterDeprecated, wanted.ExporterAttrsDeprecated = export.GetType(), export.GetAttrs()
	return nil
}

// output is an image that comes as an archive.
type output struct {
	load func(ctx context.Context, archive io.Reader) error

	mutex  sync.Mutex
	failed error
}

// take reads an archive to its end. What keeps it from being taken is remembered: the way over BuildKit loses what it was.
func (o *output) take(ctx context.Context, archive io.Reader) error {
	err := o.load(ctx, struct{ io.Reader }{archive}) // which nobody closes
	if err == nil {
		_, err = io.Copy(io.Discard, archive) // whoever sends it waits until all is read
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.failed = err
	return err
}

// failure is what kept an archive from being taken; nil for nil.
func (o *output) failure() error {
	if o == nil {
		return nil
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.failed
}

// outputName is what BuildKit calls an output by the names of its image.
func outputName(tags []string) string {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = tag
		if named, err := reference.ParseNormalizedNamed(tag); err == nil {
			names[i] = reference.TagNameOnly(named).String()
		}
	}
	return strings.Join(names, ",")
}

// receiver takes the archives of images that BuildKit sends in a session. The one of moby/buildkit cannot tell several builds of a
// session apart.
type receiver struct {
	filesync.UnimplementedFileSendServer
	offers *offers
}

// Register implements attachable.
func (r *receiver) Register(server *grpc.Server) { filesync.RegisterFileSendServer(server, r) }

// DiffCopy implements filesync.FileSendServer.
func (r *receiver) DiffCopy(stream filesync.FileSend_DiffCopyServer) error {
	const imageName = "exporter-md-image.name" // buildkit, filesync and exptypes
	told, _ := metadata.FromIncomingContext(stream.Context())
	out, wanted := r.offers.output(strings.Join(told.Get(imageName), ","))
	if !wanted {
		return status.Error(codes.NotFound, "nobody here waits for that image")
	}
	reader, writer := io.Pipe()
	group, ctx := errgroup.WithContext(stream.Context())
	group.Go(func() error {
		err := out.take(ctx, reader)
		_ = reader.CloseWithError(err)
		return err
	})
	group.Go(func() error { return writer.CloseWithError(receive(stream, writer)) })
	return group.Wait()
}

// receive takes what is sent, to its end.
func receive(stream filesync.FileSend_DiffCopyServer, into io.Writer) error {
	for {
		var message filesync.BytesMessage
		err := stream.RecvMsg(&message)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			_, err = into.Write(message.GetData())
		}
		if err != nil {
			return err
		}
	}
}
