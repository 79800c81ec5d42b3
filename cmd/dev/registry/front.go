package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// front is what clients reach: a proxy with faults. While it is down, nothing listens at its address.
type front struct {
	port  *reservation
	proxy *httputil.ReverseProxy
	held  chan string

	mutex    sync.Mutex
	faults   Faults
	broken   int           // downloads that were broken off since the faults were set
	changed  chan struct{} // closed when the faults are set anew
	requests []string
	server   *http.Server // nil while it is down
	serving  *errgroup.Group
}

// newFront listens on a free port and passes on what comes through a transport.
func newFront(ctx context.Context, transport http.RoundTripper, faults Faults) (*front, error) {
	const waiting = 64 // downloads that are held and that nobody has asked for yet
	target := &url.URL{Scheme: "http", Host: "registry"}
	port, err := reserve()
	if err != nil {
		return nil, fmt.Errorf("reserve port: %w", err)
	}
	f := &front{
		port: port, held: make(chan string, waiting), faults: faults, changed: make(chan struct{}),
		proxy: &httputil.ReverseProxy{
			Rewrite: func(request *httputil.ProxyRequest) {
				request.SetURL(target)
				request.Out.Host = request.In.Host
			},
			Transport: transport, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
		},
	}
	return f, f.up(ctx)
}

// up listens at the front's address.
func (f *front) up(ctx context.Context) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.server != nil {
		return nil
	}
	listener, err := f.port.listen(ctx)
	if err != nil {
		return fmt.Errorf("listen for clients: %w", err)
	}
	server := &http.Server{Handler: f, ErrorLog: log.New(io.Discard, "", 0)}
	f.server, f.serving = server, &errgroup.Group{}
	f.serving.Go(func() error { return server.Serve(listener) })
	return nil
}

// down stops listening and cuts every connection.
func (f *front) down() error {
	f.mutex.Lock()
	server, serving := f.server, f.serving
	f.server = nil
	f.mutex.Unlock()
	if server == nil {
		return nil
	}
	err := server.Close()
	if ended := serving.Wait(); !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

func (f *front) close() error {
	f.set(Faults{}) // nothing is held any more
	return errors.Join(f.down(), f.port.close())
}

func (f *front) set(faults Faults) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.faults, f.broken = faults, 0
	close(f.changed)
	f.changed = make(chan struct{})
}

// ServeHTTP passes a request on, unless it is to be refused, and its answer back, as well as the faults let it.
func (f *front) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	f.mutex.Lock()
	f.requests = append(f.requests, request.Method+" "+request.URL.Path)
	faults, changed := f.faults, f.changed
	f.mutex.Unlock()
	if faults.Status != 0 {
		refuse(w, faults.Status)
		return
	}
	if !isDownload(request) {
		f.proxy.ServeHTTP(w, request)
		return
	}
	f.proxy.ServeHTTP(newDownload(w, request, faults, f.breaks, func() error { return f.hold(request, changed) }), request)
}

// breaks counts a download that comes to where it would be broken off, and says whether it is.
func (f *front) breaks() bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.broken++
	return f.faults.Breaks == 0 || f.broken <= f.faults.Breaks
}

// hold waits until the faults are set anew, or the client has gone.
func (f *front) hold(request *http.Request, changed <-chan struct{}) error {
	select {
	case f.held <- request.URL.Path:
	default:
	}
	select {
	case <-changed:
		return nil
	case <-request.Context().Done():
		return request.Context().Err()
	}
}

// SetFaults changes what goes wrong from now on. Downloads that are held go on to their end; those that go on stay as they are.
func (r *Registry) SetFaults(faults Faults) { r.front.set(faults) }

// Down makes the registry unreachable and cuts its connections. What was pushed stays.
func (r *Registry) Down() error { return r.front.down() }

// Up makes the registry reachable again at the same address.
func (r *Registry) Up(ctx context.Context) error { return r.front.up(ctx) }

// AwaitHeld returns when a download is held that was not returned before: the path of its blob.
func (r *Registry) AwaitHeld(ctx context.Context) (path string, err error) {
	select {
	case path = <-r.front.held:
		return path, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Requests are what clients have asked for so far, in order: "GET /v2/shop/web/manifests/1". Pushes of [Registry.Push] are not
// among them.
func (r *Registry) Requests() []string {
	r.front.mutex.Lock()
	defer r.front.mutex.Unlock()
	return slices.Clone(r.front.requests)
}
