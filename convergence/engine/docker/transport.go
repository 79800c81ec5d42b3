package docker

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/go-connections/tlsconfig"
)

// wantsTLS says whether the environment asks for TLS. Any value does, 0 too.
func (s settings) wantsTLS() bool {
	return s.Env("DOCKER_TLS") != "" || s.Env("DOCKER_TLS_VERIFY") != ""
}

// addTLS adds what the DOCKER_TLS* variables say. The files must be there even where the address makes no use of them, as the
// docker CLI has it: ca.pem always, cert.pem and key.pem where the engine asks for them.
func (s settings) addTLS(endpoint *Endpoint) error {
	if !s.wantsTLS() {
		return nil
	}
	folder := s.Env("DOCKER_CERT_PATH")
	if folder == "" {
		folder = s.folder
	}
	data, err := dockercontext.TLSDataFromFiles(
		cmp.Or(s.TLSFiles.CA, filepath.Join(folder, "ca.pem")),
		cmp.Or(s.TLSFiles.Cert, existing(folder, "cert.pem")), cmp.Or(s.TLSFiles.Key, existing(folder, "key.pem")))
	if err != nil {
		return &advised{
			fmt.Errorf("read TLS files: %w", err),
			"DOCKER_TLS or DOCKER_TLS_VERIFY asks for TLS: put ca.pem, cert.pem and key.pem there, say with DOCKER_CERT_PATH " +
				"where they are, or unset both",
		}
	}
	if endpoint.isLocal() {
		return nil
	}
	endpoint.tlsOrigin = "the TLS files in " + folder
	if endpoint.TLS, err = tlsConfig(data, s.Env("DOCKER_TLS_VERIFY") == ""); err != nil {
		return fmt.Errorf("read TLS files in %s: %w", folder, err)
	}
	return nil
}

func existing(folder, name string) string {
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}

func tlsConfig(data *dockercontext.TLSData, skipVerify bool) (*tls.Config, error) {
	made := tlsconfig.ClientDefault(func(c *tls.Config) { c.InsecureSkipVerify = skipVerify })
	if data == nil {
		return made, nil
	}
	if data.CA != nil {
		made.RootCAs = x509.NewCertPool()
		if !made.RootCAs.AppendCertsFromPEM(data.CA) {
			return nil, errors.New("ca.pem holds no certificate")
		}
	}
	if data.Cert != nil && data.Key != nil {
		pair, err := tls.X509KeyPair(data.Cert, data.Key)
		if err != nil {
			return nil, fmt.Errorf("cert.pem and key.pem: %w", err)
		}
		made.Certificates = []tls.Certificate{pair}
	}
	return made, nil
}

// headers go with every request: HttpHeaders of the docker CLI's configuration, or in their place DOCKER_CUSTOM_HEADERS, a
// list name=value,... in which an entry may be quoted as in a CSV file (docker/cli, withCustomHeadersFromEnv). The library
// sets its own over them.
func (s settings) headers() (map[string]string, error) {
	value := s.Env("DOCKER_CUSTOM_HEADERS")
	if value == "" {
		return maps.Clone(s.file.HTTPHeaders), nil
	}
	headers, err := parseHeaders(value)
	if err != nil { // the value stays out of it: headers are where passwords are
		return nil, fmt.Errorf("read DOCKER_CUSTOM_HEADERS: %w", err)
	}
	return headers, nil
}

func parseHeaders(value string) (map[string]string, error) {
	entries, err := csv.NewReader(strings.NewReader(value)).Read()
	if err != nil {
		return nil, errors.New("it is no list of name=value pairs")
	}
	headers := map[string]string{}
	for i, entry := range entries {
		name, content, ok := strings.Cut(entry, "=")
		if name = strings.TrimSpace(name); name == "" || !ok {
			return nil, fmt.Errorf("entry %d is not name=value", i+1)
		}
		headers[http.CanonicalHeaderKey(name)] = content
	}
	return headers, nil
}

// newTransport keeps as many idle connections as calls are ever made at once, so that a burst does not dial again and again.
func newTransport(tlsConfig *tls.Config, idle int) *http.Transport {
	const readBuffer = 16 << 10 // an engine writes logs in small pieces, which are best read together
	return &http.Transport{
		MaxIdleConns: idle, MaxIdleConnsPerHost: idle, TLSClientConfig: tlsConfig, ReadBufferSize: readBuffer,
	}
}

// plainly is a transport whose failures say what is wrong with the way to the engine.
type plainly struct {
	http.RoundTripper
	endpoint Endpoint
}

func (p plainly) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := p.RoundTripper.RoundTrip(request)
	if err != nil {
		return response, veiled{p.explain(request.Context(), err)}
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
