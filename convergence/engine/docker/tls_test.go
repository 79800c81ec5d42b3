package docker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dockercontext "github.com/docker/cli/cli/context"

	"github.com/muster-dev/muster/convergence/engine/docker"
	"github.com/muster-dev/muster/convergence/engine/docker/dockertest"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

// pair is a certificate and its key as PEM.
type pair struct{ cert, key []byte }

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	key := newKey(t)
	a := authority{certificate: template, key: key}
	a.pem = a.sign(t, template, key)
	parsed, err := x509.ParseCertificate(decodePEM(t, a.pem))
	if err != nil {
		t.Fatal(err)
	}
	a.certificate = parsed
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func decodePEM(t *testing.T, text []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatal("no PEM")
	}
	return block.Bytes
}

func (a authority) sign(t *testing.T, template *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// issue makes a certificate for a server on this machine, or a client, by the name of it.
func (a authority) issue(t *testing.T, name string) pair {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{a.sign(t, template, key), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})}
}

// serveTLS starts an engine that only speaks to clients whose certificate the authority signed, and returns its port.
func serveTLS(t *testing.T, a authority, server pair) (port string) {
	t.Helper()
	certificate, err := tls.X509KeyPair(server.cert, server.key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	s := httptest.NewUnstartedServer(dockertest.Start(t, dockertest.Options{}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		// In 1.3 a server refuses a client only after the client's part is done: what comes first then is left to chance.
		MaxVersion: tls.VersionTLS12,
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, err = net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestTLS reaches engines as the DOCKER_TLS* variables say, and says what is wrong where they do not fit.
func TestTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	me, stranger := ours.issue(t, "me"), theirs.issue(t, "me")
	port := serveTLS(t, ours, ours.issue(t, "127.0.0.1"))
	elsewhere := serveTLS(t, ours, ours.issue(t, "engine.example"))
	_, plain, err := net.SplitHostPort(strings.TrimPrefix(serve(t).address, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	verify, noVerify := map[string]string{"DOCKER_TLS_VERIFY": "1"}, map[string]string{"DOCKER_TLS": "1"}
	const hintFiles = "DOCKER_TLS or DOCKER_TLS_VERIFY asks for TLS: put ca.pem, cert.pem and key.pem there, say with DOCKER_CERT_PATH " +
		"where they are, or unset both"
	const hintPair = "check that cert.pem and key.pem (the TLS files in FOLDER) are what the engine's authority signed"
	for _, test := range []struct {
		name        string
		files       map[string][]byte
		variables   map[string]string
		port        string
		words, hint string // empty for success; without where and why
	}{
		{name: "all fits", files: files(ours.pem, me), variables: verify, port: port},
		{name: "not verified", files: files(theirs.pem, me), variables: noVerify, port: port},
		{
			name: "another authority", files: files(theirs.pem, me), variables: verify, port: port,
			words: "its certificate is not to be trusted: x509: certificate signed by unknown authority",
			hint:  "check that ca.pem (the TLS files in FOLDER) is the authority that signed the engine's certificate",
		},
		{
			name: "another name", files: files(ours.pem, me), variables: verify, port: elsewhere,
			words: "its certificate is not to be trusted: x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
			hint:  "use a name in the address that the certificate is for",
		},
		{
			name: "no certificate of ours", files: files(ours.pem, pair{}), variables: verify, port: port,
			words: "it refuses the client certificate, or the lack of one: tls: handshake failure", hint: hintPair,
		},
		{
			name: "a stranger's certificate", files: files(ours.pem, stranger), variables: verify, port: port,
			words: "it refuses the client certificate, or the lack of one: tls: handshake failure", hint: hintPair,
		},
		{
			name: "an engine without TLS", files: files(ours.pem, me), variables: verify, port: plain,
			words: "it speaks no TLS", hint: "unset DOCKER_TLS and DOCKER_TLS_VERIFY, or check the port",
		},
		{
			name: "nobody asked for TLS", port: port, words: "it speaks TLS only",
			hint: "for an engine with TLS set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem",
		},
		{
			name: "no files", variables: verify, port: port,
			words: "read TLS files: open FOLDER/ca.pem: no such file or directory", hint: hintFiles,
		},
		{
			name: "no authority in the file", files: files([]byte("x"), me), variables: verify, port: port,
			words: "read TLS files in FOLDER: ca.pem holds no certificate",
		},
		{
			name: "a key of another certificate", files: files(ours.pem, pair{me.cert, stranger.key}), variables: verify, port: port,
			words: "read TLS files in FOLDER: cert.pem and key.pem: tls: private key does not match public key",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := environment(t, "", test.variables)
			writeFiles(t, env("DOCKER_CONFIG"), test.files)
			address := "tcp://127.0.0.1:" + test.port
			_, err := dial(t, docker.Options{Host: address, Env: env})
			checkTLS(t, err, env("DOCKER_CONFIG"), address+" (from --host)", test.words, test.hint)
		})
	}
}

func files(ca []byte, own pair) map[string][]byte {
	return map[string][]byte{"ca.pem": ca, "cert.pem": own.cert, "key.pem": own.key}
}

func writeFiles(t *testing.T, folder string, contents map[string][]byte) {
	t.Helper()
	for name, content := range contents {
		if content == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func checkTLS(t *testing.T, err error, folder, where, words, hint string) {
	t.Helper()
	switch {
	case words == "" && err != nil:
		t.Errorf("dial: %v", err)
	case strings.HasPrefix(words, "it"):
		checkWords(t, err, folder, "no engine answers at "+where+": "+words, hint)
	case words != "":
		checkWords(t, err, folder, words, hint)
	}
}

// TestCertificatePath is where the files are, whatever the configuration's folder.
func TestCertificatePath(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "ours")
	port := serveTLS(t, ours, ours.issue(t, "127.0.0.1"))
	folder := t.TempDir()
	writeFiles(t, folder, files(ours.pem, ours.issue(t, "me")))
	env := environment(t, "", map[string]string{
		"DOCKER_HOST": "127.0.0.1:" + port, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": folder,
	})
	if _, err := dial(t, docker.Options{Env: env}); err != nil {
		t.Errorf("dial: %v", err)
	}
	// A socket needs no TLS, and does without; but what was asked for has to be there.
	if endpoint, err := docker.ResolveEndpoint(docker.Options{Host: "unix:///s", Env: env}); err != nil || endpoint.TLS != nil {
		t.Errorf("endpoint: %+v, %v", endpoint, err)
	}
	unsaid := func(name string) string {
		if name == "DOCKER_HOST" {
			return ""
		}
		return env(name)
	}
	if endpoint, err := docker.ResolveEndpoint(docker.Options{Env: unsaid}); err != nil || endpoint.Host != "tcp://localhost:2376" || endpoint.TLS == nil {
		t.Errorf("endpoint: %+v, %v", endpoint, err)
	}
}

// TestContextTLS is TLS as a docker CLI context has it; the variables do not count then.
func TestContextTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	me := ours.issue(t, "me")
	address := "tcp://127.0.0.1:" + serveTLS(t, ours, ours.issue(t, "127.0.0.1"))
	for _, test := range []struct {
		name        string
		skip        bool
		data        *dockercontext.TLSData
		words, hint string
	}{
		{name: "all fits", data: &dockercontext.TLSData{CA: ours.pem, Cert: me.cert, Key: me.key}},
		{name: "not verified", skip: true, data: &dockercontext.TLSData{Cert: me.cert, Key: me.key}},
		{
			name: "another authority", data: &dockercontext.TLSData{CA: theirs.pem, Cert: me.cert, Key: me.key},
			words: "its certificate is not to be trusted: x509: certificate signed by unknown authority",
			hint:  `check that ca.pem (the TLS files of docker context "prod") is the authority that signed the engine's certificate`,
		},
		{
			name: "no files", skip: true, words: "it refuses the client certificate, or the lack of one: tls: handshake failure",
			hint: `check that cert.pem and key.pem (the TLS files of docker context "prod") are what the engine's authority signed`,
		},
		{
			name: "bad files", data: &dockercontext.TLSData{CA: []byte("x")},
			words: `read docker context "prod" (from --context): ca.pem holds no certificate`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := environment(t, "", map[string]string{"DOCKER_TLS_VERIFY": "1"})
			addContext(t, env, "prod", dockercontext.EndpointMetaBase{Host: address, SkipTLSVerify: test.skip}, test.data)
			_, err := dial(t, docker.Options{Context: "prod", Env: env})
			checkTLS(t, err, env("DOCKER_CONFIG"), address+` (from docker context "prod")`, test.words, test.hint)
		})
	}
}
