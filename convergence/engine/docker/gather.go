package docker

import (
	"context"
	"net"
	"net/http"
)

// gatheredAtOnce bounds how many connections are read in large pieces: each may keep a thread waiting.
const gatheredAtOnce = 32

// gatherKey is the key under which the context of a request says that its answer is long and nobody waits for its pieces.
type gatherKey struct{}

// gathered says that the answer to a request is best read in large pieces.
func gathered(ctx context.Context) context.Context { return context.WithValue(ctx, gatherKey{}, true) }

// byLength sends requests whose answers are read in large pieces over connections of their own.
type byLength struct {
	usual, long http.RoundTripper
}

func newByLength(usual *http.Transport) byLength {
	long := usual.Clone()
	dial, slots := usual.DialContext, make(chan struct{}, gatheredAtOnce)
	// Not kept: what else is read over it would keep a thread waiting.
	long.DisableKeepAlives, long.ReadBufferSize = true, gatherBuffer
	long.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		local, ok := conn.(*net.UnixConn)
		if err != nil || !ok {
			return conn, err
		}
		select {
		case slots <- struct{}{}:
			return gather(local, func() { <-slots })
		default:
			return conn, nil
		}
	}
	return byLength{usual: usual, long: long}
}

func (b byLength) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Context().Value(gatherKey{}) != nil {
		return b.long.RoundTrip(request)
	}
	return b.usual.RoundTrip(request)
}
