package docker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker/sshdial"
)

// UnreachableError says that no engine answered: where it was looked for, why there, and what came back. It matches
// [engine.ErrUnavailable].
type UnreachableError struct {
	Endpoint Endpoint
	Cause    error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no engine answers at %s (from %s): %s", e.Endpoint, e.Endpoint.Origin, diagnose(e.Endpoint, e.Cause).words)
}

// Unwrap makes the error match [engine.ErrUnavailable] and its cause.
func (e *UnreachableError) Unwrap() []error { return []error{engine.ErrUnavailable, e.Cause} }

// Hint is what to try next.
func (e *UnreachableError) Hint() string { return diagnose(e.Endpoint, e.Cause).hint }

// connectionError is a request that got no answer, or only a part of one, because of the way to the engine.
type connectionError struct {
	endpoint Endpoint
	cause    error
}

func (e *connectionError) Error() string { return diagnose(e.endpoint, e.cause).words }
func (e *connectionError) Unwrap() error { return e.cause }

// Hint is what to try next.
func (e *connectionError) Hint() string { return diagnose(e.endpoint, e.cause).hint }

// veiled keeps the words of an error from the client library: where it finds some of them, such as "connection refused", it
// drops the error and puts a question of its own in its place.
type veiled struct{ cause error }

func (v veiled) Error() string { return "no answer" }
func (v veiled) Unwrap() error { return v.cause }

// silenceError is a timeout of the network's. It hides that the standard library counts these as [context.DeadlineExceeded]: the
// caller's time was not up.
type silenceError struct{ text string }

func (e *silenceError) Error() string { return e.text }

// strangerError is an answer that no engine gives.
type strangerError struct {
	status string // "404 Not Found"
	kind   string // of the content
	server string
}

func (e *strangerError) Error() string {
	facts := []string{brief(e.status)}
	if e.kind != "" {
		facts = append(facts, brief(e.kind))
	}
	if e.server != "" {
		facts = append(facts, "from "+brief(e.server))
	}
	return "what does answer is no engine: " + strings.Join(facts, ", ")
}

// brief bounds what a stranger says.
func brief(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

// advised is an error with what to try next.
type advised struct {
	error
	hint string
}

func (e *advised) Unwrap() error { return e.error }

// Hint is what to try next.
func (e *advised) Hint() string { return e.hint }

// diagnosis is why an engine cannot be spoken to, and what to try.
type diagnosis struct{ words, hint string }

const (
	hintStart   = "start the engine (systemctl start docker), or name another one with DOCKER_HOST or a docker context"
	hintAddress = "check the address, and that the engine there listens on it"
	hintTLS     = "for an engine with TLS set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem"
)

// diagnose reads an error of a connection.
func diagnose(endpoint Endpoint, err error) diagnosis {
	var ssh *sshdial.Error
	var stranger *strangerError
	var connection *connectionError
	if errors.As(err, &connection) { // what is around it is about URLs
		err = connection.cause
	}
	switch {
	case errors.As(err, &ssh):
		return diagnosis{ssh.Error(), ssh.Hint()}
	case errors.As(err, &stranger):
		return diagnosis{stranger.Error(), hintAddress}
	}
	if found, ok := diagnoseTLS(endpoint, err); ok {
		return found
	}
	if strings.HasPrefix(endpoint.Host, "unix://") {
		return diagnoseSocket(err)
	}
	return diagnoseNetwork(err)
}

func diagnoseSocket(err error) diagnosis {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return diagnosis{
			"permission denied",
			"add your user to the group that owns the socket (usually docker) and log in again, or run as root",
		}
	case errors.Is(err, fs.ErrNotExist):
		return diagnosis{"there is no such socket", hintStart}
	case errors.Is(err, syscall.ECONNREFUSED):
		return diagnosis{"nobody listens on the socket", hintStart}
	case isSilence(err):
		return diagnosis{"no answer in time", "see whether the engine hangs (journalctl -u docker)"}
	}
	return diagnosis{innermost(err), hintStart}
}

func diagnoseNetwork(err error) diagnosis {
	var lookup *net.DNSError
	switch {
	case errors.As(err, &lookup):
		words := fmt.Sprintf("the name %s cannot be looked up: %s", lookup.Name, lookup.Err)
		return diagnosis{words, "check the host's name in the address, and the name server"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return diagnosis{"the connection is refused", hintAddress}
	case isSilence(err):
		return diagnosis{"no answer in time", "check the address, and that no firewall or missing VPN is in between"}
	}
	return diagnosis{innermost(err), hintAddress}
}

func isSilence(err error) bool {
	var silence *silenceError
	return errors.As(err, &silence) || errors.Is(err, context.DeadlineExceeded)
}

// tlsAlert is how an answer in TLS begins, as net/http quotes it.
const tlsAlert = `"\x15\x03`

// diagnoseTLS knows what crypto/tls and net/http say when the two ends do not agree on certificates, or on TLS at all.
func diagnoseTLS(endpoint Endpoint, err error) (found diagnosis, ok bool) {
	var (
		certificate *tls.CertificateVerificationError
		hostname    x509.HostnameError
		alert       tls.AlertError
		plain       tls.RecordHeaderError
	)
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case errors.As(err, &hostname):
		return diagnosis{
			"its certificate is not to be trusted: " + hostname.Error(), "use a name in the address that the certificate is for",
		}, true
	case errors.As(err, &certificate):
		return diagnosis{
			"its certificate is not to be trusted: " + certificate.Err.Error(),
			"check that ca.pem (" + endpoint.tlsOrigin + ") is the authority that signed the engine's certificate",
		}, true
	case errors.As(err, &alert), strings.Contains(text, "remote error: tls"):
		return diagnosis{
			"it refuses the client certificate, or the lack of one: " + innermost(err),
			"check that cert.pem and key.pem (" + endpoint.tlsOrigin + ") are what the engine's authority signed",
		}, true
	case errors.As(err, &plain), strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return diagnosis{"it speaks no TLS", "unset DOCKER_TLS and DOCKER_TLS_VERIFY, or check the port"}, true
	case endpoint.TLS == nil && (strings.Contains(text, "to an HTTPS server") || strings.Contains(text, tlsAlert)):
		return diagnosis{"it speaks TLS only", hintTLS}, true
	case strings.Contains(text, "malformed HTTP"):
		return diagnosis{"what does answer is no engine: it does not speak HTTP", hintAddress}, true
	}
	return diagnosis{}, false
}

// innermost is the last error's text of a chain: the outer ones repeat the address.
func innermost(err error) string {
	var operation *net.OpError
	switch {
	case errors.As(err, &operation) && operation.Err != nil:
		return operation.Err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection ended before the answer did"
	}
	return err.Error()
}
