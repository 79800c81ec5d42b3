package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// PushFrom lets the engine at an address, "unix:///run/docker.sock" or "tcp://host:port", push an image that it has under a name
// here, "shop/web:1". The engine keeps no tag of it. (Engine API, /images/{name}/tag and /push.)
func (r *Registry) PushFrom(ctx context.Context, dockerHost, image, name string) error {
	repository, tag, ok := strings.Cut(name, ":")
	if !ok {
		return fmt.Errorf("push %q: it has no tag", name)
	}
	e, err := newEngine(dockerHost)
	if err != nil {
		return err
	}
	defer e.transport.CloseIdleConnections()
	pushed := r.Ref(repository)
	err = e.post(ctx, "/images/"+image+"/tag", url.Values{"repo": {pushed}, "tag": {tag}}, "")
	if err != nil {
		return fmt.Errorf("tag %s: %w", image, err)
	}
	err = e.post(ctx, "/images/"+pushed+"/push", url.Values{"tag": {tag}}, r.engineAuth())
	removed := e.call(context.WithoutCancel(ctx), http.MethodDelete, "/images/"+r.Ref(name), nil, "")
	if err = errors.Join(err, removed); err != nil {
		return fmt.Errorf("push %s as %s: %w", image, name, err)
	}
	return nil
}

// engineAuth is the header that engines log in with.
func (r *Registry) engineAuth() string {
	text, _ := json.Marshal(map[string]string{"username": r.options.User, "password": r.options.Password, "serveraddress": r.Address()})
	return base64.URLEncoding.EncodeToString(text)
}

// rawEngine is an engine's API without a client library.
type rawEngine struct{ transport *http.Transport }

func newEngine(dockerHost string) (rawEngine, error) {
	network, address, ok := strings.Cut(dockerHost, "://")
	if !ok || network != "unix" && network != "tcp" {
		return rawEngine{}, fmt.Errorf("push from engine at %q: only unix:// and tcp:// are known", dockerHost)
	}
	return rawEngine{&http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}}, nil
}

func (e rawEngine) post(ctx context.Context, path string, query url.Values, auth string) error {
	return e.call(ctx, http.MethodPost, path, query, auth)
}

// call makes a request and reads its answer to the end; an error may be its status, or in a line of it.
func (e rawEngine) call(ctx context.Context, method, path string, query url.Values, auth string) error {
	address := &url.URL{Scheme: "http", Host: "engine", Path: path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), http.NoBody)
	if err != nil {
		return err
	}
	if auth != "" {
		request.Header.Set("X-Registry-Auth", auth)
	}
	response, err := e.transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it is only read
	if response.StatusCode == http.StatusOK && method == http.MethodPost {
		return readProgress(response.Body)
	}
	const enough = 4 << 10
	text, err := io.ReadAll(io.LimitReader(response.Body, enough))
	if err == nil && response.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return err
}

// readProgress reads a push's progress to the end; an error in it is the push's.
func readProgress(body io.Reader) error {
	for decoder := json.NewDecoder(body); ; {
		var line struct{ Error string }
		if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if line.Error != "" {
			return errors.New(line.Error)
		}
	}
}
