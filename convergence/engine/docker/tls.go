package docker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
		filepath.Join(folder, "ca.pem"), existing(folder, "cert.pem"), existing(folder, "key.pem"))
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
