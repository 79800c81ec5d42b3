package docker

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/muster-dev/muster/convergence/engine/docker/buildx"
)

// Options of the driver remote (docker buildx, `create --driver-opt`).
const (
	optCA         = "cacert"
	optCert       = "cert"
	optKey        = "key"
	optServerName = "servername"
	optDefault    = "default-load" // what comes of a build without a word about it; here it is always loaded
)

// checkRemote says what is wrong with a node of the driver remote.
func checkRemote(node buildx.Node) error {
	at, err := url.Parse(node.Endpoint)
	if err != nil {
		return fmt.Errorf("read address %q: %w", node.Endpoint, withoutURL(err))
	}
	switch at.Scheme {
	case "tcp", "unix":
	default:
		return fmt.Errorf("its address is %q, and muster reaches tcp:// and unix://", node.Endpoint)
	}
	for _, name := range slices.Sorted(maps.Keys(node.DriverOpts)) {
		switch value := node.DriverOpts[name]; name {
		case optServerName, optDefault:
		case optCA, optCert, optKey:
			if !filepath.IsAbs(value) {
				return fmt.Errorf("driver option %s: %q is no absolute path", name, value)
			}
		default:
			return fmt.Errorf("the driver remote has no option %q", name)
		}
	}
	switch has := func(name string) bool { return node.DriverOpts[name] != "" }; {
	case has(optCert) != has(optKey):
		return errors.New("the driver options cert and key go together")
	case !has(optCA) && (has(optCert) || has(optServerName)):
		return errors.New("TLS needs the driver option cacert")
	}
	return nil
}

// remoteDialer connects to a node of the driver remote; its files are read now.
func remoteDialer(node buildx.Node) (func(ctx context.Context) (net.Conn, error), error) {
	at, err := url.Parse(node.Endpoint)
	if err != nil {
		return nil, withoutURL(err)
	}
	if at.Scheme == "unix" {
		path := cmp.Or(at.Path, at.Opaque)
		return func(ctx context.Context) (net.Conn, error) { return (&net.Dialer{}).DialContext(ctx, "unix", path) }, nil
	}
	config, err := remoteTLS(node, at.Hostname())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (net.Conn, error) {
		if config == nil {
			return (&net.Dialer{}).DialContext(ctx, "tcp", at.Host)
		}
		return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", at.Host)
	}, nil
}

// remoteTLS is nil where a node's options do not ask for TLS.
func remoteTLS(node buildx.Node, host string) (*tls.Config, error) {
	options := node.DriverOpts
	if options[optCA] == "" {
		return nil, nil
	}
	authority, err := os.ReadFile(options[optCA])
	if err != nil {
		return nil, fmt.Errorf("read driver option %s: %w", optCA, err)
	}
	config := &tls.Config{
		RootCAs: x509.NewCertPool(), ServerName: cmp.Or(options[optServerName], host), MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2"}, // gRPC refuses a server that does not agree on it
	}
	if !config.RootCAs.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("driver option %s: %s holds no certificate", optCA, options[optCA])
	}
	if options[optCert] == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(options[optCert], options[optKey])
	if err != nil {
		return nil, fmt.Errorf("driver options %s and %s: %w", optCert, optKey, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
