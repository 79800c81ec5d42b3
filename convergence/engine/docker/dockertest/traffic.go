package dockertest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
)

// serving is how a process answers HTTP: from then on others find it by its names and addresses.
func (e *Engine) serving(c *container, r *run) func(address string, handler http.Handler) error {
	return func(address string, handler http.Handler) error {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		e.mutex.Lock()
		defer e.mutex.Unlock()
		for _, sharing := range e.sameNamespace(c) {
			if sharing.run != nil && sharing.run.handlers[port] != nil {
				return fmt.Errorf("listen tcp %s: bind: address already in use", address)
			}
		}
		r.handlers[port] = handler
		return nil
	}
}

// sameNamespace are the containers that share a network with this one, itself included.
func (e *Engine) sameNamespace(c *container) []*container {
	owner := e.namespaceOwner(c)
	var sharing []*container
	for _, other := range e.containers {
		if e.namespaceOwner(other) == owner {
			sharing = append(sharing, other)
		}
	}
	return sharing
}

func (e *Engine) namespaceOwner(c *container) *container {
	if hasNetwork(c.host.NetworkMode) {
		return c
	}
	owner, err := e.findContainer(c.host.NetworkMode.ConnectedContainer())
	if err != nil {
		return c
	}
	return owner
}

// fetcher is how a process asks others.
func (e *Engine) fetcher(c *container) func(address string) (string, error) {
	return func(address string) (string, error) {
		target, err := url.Parse(address)
		if err != nil {
			return "", err
		}
		e.mutex.Lock()
		found := e.reachable(c, target.Hostname())
		handler, err := e.handlerOf(found, target)
		e.mutex.Unlock()
		return get(handler, target, err)
	}
}

// Fetch gets a URL of a published port, as somebody on the engine's host would: "http://localhost:8080/".
func (e *Engine) Fetch(address string) (string, error) {
	target, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	e.mutex.Lock()
	var handler http.Handler
	err = fmt.Errorf("get %s: connection refused", address)
	for key, owner := range e.hostPorts {
		if owner != nil && fmt.Sprint(key.port) == portOf(target) {
			inside := *target
			inside.Host = "localhost:" + owner.ports[key].target.Port()
			handler, err = e.handlerOf([]*container{owner}, &inside)
		}
	}
	e.mutex.Unlock()
	return get(handler, target, err)
}

// reachable are the containers that a name or an address stands for where a container looks.
func (e *Engine) reachable(c *container, host string) []*container {
	owner := e.namespaceOwner(c)
	for _, known := range owner.host.ExtraHosts {
		if name, address, ok := strings.Cut(known, ":"); ok && name == host {
			host = address
		}
	}
	if host == "localhost" || host == "127.0.0.1" {
		return []*container{owner}
	}
	var found []*container
	for _, own := range owner.endpoints {
		n := e.networks[own.networkID]
		if n == nil || own.id == "" {
			continue
		}
		found = append(found, n.called(host)...)
	}
	return found
}

// called are the members of a network that have a name or an address in it.
func (n *network) called(host string) []*container {
	var found []*container
	for _, member := range n.members {
		theirs := member.endpointOn(n)
		settings := theirs.settings()
		if slices.Contains(theirs.dnsNames, host) || settings.IPAddress == host || settings.GlobalIPv6Address == host {
			found = append(found, member)
		}
	}
	return found
}

// handlerOf is what answers at a URL's port in one of the containers, or in one that shares its network.
func (e *Engine) handlerOf(found []*container, target *url.URL) (http.Handler, error) {
	if len(found) == 0 {
		return nil, fmt.Errorf("get %s: no such host", target)
	}
	for _, c := range found {
		for _, sharing := range e.sameNamespace(c) {
			if sharing.run != nil && sharing.run.handlers[portOf(target)] != nil {
				return sharing.run.handlers[portOf(target)], nil
			}
		}
	}
	return nil, fmt.Errorf("get %s: connection refused", target)
}

func portOf(target *url.URL) string {
	if port := target.Port(); port != "" {
		return port
	}
	return "80"
}

func get(handler http.Handler, target *url.URL, err error) (string, error) {
	if err != nil {
		return "", err
	}
	request := httptest.NewRequest(http.MethodGet, target.String(), strings.NewReader(""))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		return "", errors.New("get " + target.String() + ": " + http.StatusText(recorder.Code))
	}
	return recorder.Body.String(), nil
}
