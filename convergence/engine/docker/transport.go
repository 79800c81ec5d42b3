package docker

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// newTransport keeps as many idle connections as calls are ever made at once, so that a burst does not dial again and again.
func newTransport(tlsConfig *tls.Config, idle int) *http.Transport {
	return &http.Transport{MaxIdleConns: idle, MaxIdleConnsPerHost: idle, TLSClientConfig: tlsConfig}
}

// plainly is a transport whose failures say what is wrong with the way to the engine.
type plainly struct {
	http.RoundTripper
	endpoint Endpoint
}

func (p plainly) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := p.RoundTripper.RoundTrip(request)
	if err != nil {
		return response, p.explain(request.Context(), err)
	}
	if first, ok := request.Context().Value(answerKey{}).(*answer); ok {
		first.status, first.header = response.Status, response.Header
	}
	if response.StatusCode != http.StatusSwitchingProtocols { // whose body is a connection
		response.Body = &plainBody{response.Body, request.Context(), p}
	}
	return response, nil
}

// explain leaves the caller's own end of it as it is.
func (p plainly) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = &silenceError{err.Error()}
	}
	return &connectionError{p.endpoint, err}
}

// plainBody is the body of an answer, which may break off.
type plainBody struct {
	io.ReadCloser
	ctx context.Context //nolint:containedctx // the request's, as long as its answer lasts
	p   plainly
}

func (b *plainBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, http.ErrBodyReadAfterClose) {
		err = b.p.explain(b.ctx, err)
	}
	return n, err
}

// answer is what came back first of whatever listens at an address.
type answer struct {
	status string
	header http.Header
}

// answerKey is the key under which a request's context has an [answer] to be filled in.
type answerKey struct{}

// isEngines says whether an engine gave the answer: all have the API's version in it, but for those before Docker 1.13, which
// only had the server's name.
func (a *answer) isEngines() bool {
	return a.header.Get("Api-Version") != "" || strings.HasPrefix(a.header.Get("Server"), "Docker/")
}
