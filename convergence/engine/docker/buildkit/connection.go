package buildkit

import (
	"context"
	"errors"
	"net"
	"sync"

	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/muster-dev/muster/convergence/engine"
)

// maxMessage is as much as BuildKit puts into one message (containerd, defaults).
const maxMessage = 16 << 20

// errLost is what a second attempt at the control connection gets: a build does not go on where it was lost.
var errLost = errors.New("the connection to the engine is lost")

// controlConn is the connection on which builds are asked for.
type controlConn struct {
	*grpc.ClientConn
	raw net.Conn
}

// connect dials before the first call, so that what keeps it from it is told as it is.
func (b *Builder) connect(ctx context.Context) (*controlConn, error) {
	raw, err := b.Dial(ctx, controlPath, nil)
	if err != nil {
		return nil, err
	}
	return newClient(raw)
}

// clientOptions are those of a client that has one connection for its whole life.
func clientOptions(raw net.Conn) []grpc.DialOption {
	var once sync.Once
	return []grpc.DialOption{
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			connection, err := net.Conn(nil), errLost
			once.Do(func() { connection, err = raw, nil })
			return connection, err
		}),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithUnaryInterceptor(grpcerrors.UnaryClientInterceptor),
		grpc.WithStreamInterceptor(grpcerrors.StreamClientInterceptor),
	}
}

// Close ends the connection, also where no call was made on it.
func (c *controlConn) Close() error {
	return errors.Join(c.ClientConn.Close(), ignoreClosed(c.raw.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Platforms are those that BuildKit builds for, os/arch[/variant].
func (b *Builder) Platforms(ctx context.Context) ([]string, error) {
	connection, err := b.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer connection.Close() //nolint:errcheck // what it was for is done
	workers, err := control.NewControlClient(connection).ListWorkers(ctx, &control.ListWorkersRequest{})
	if err != nil {
		return nil, &kinded{engine.ErrUnavailable, "ask BuildKit for its platforms: " + message(err)}
	}
	var names []string
	for _, worker := range workers.GetRecord() {
		for _, one := range worker.GetPlatforms() {
			name := one.GetOS() + "/" + one.GetArchitecture()
			if one.GetVariant() != "" {
				name += "/" + one.GetVariant()
			}
			names = append(names, name)
		}
	}
	return names, nil
}
