package docker

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
)

// sshError is an ssh that brought no engine's answer, or no more of it.
type sshError struct {
	command sshCommand
	status  int
	said    string // on stderr
	strange error  // what is wrong with an answer that is no engine's
	local   error  // why ssh could not be run
}

// Exit statuses: ssh's own failures (ssh(1)), and a shell's for a command that is not there.
const (
	sshFailed       = 255
	commandNotFound = 127
)

func (e *sshError) Error() string { return e.diagnosis().words }

// Unwrap makes it count as a broken connection.
func (e *sshError) Unwrap() []error {
	if e.local != nil {
		return []error{e.local}
	}
	return []error{io.ErrUnexpectedEOF}
}

func (e *sshError) diagnosis() diagnosis {
	words := fmt.Sprintf("ssh ended with status %d", e.status)
	if said := worthTelling(e.said); said != "" {
		words = said
	}
	switch {
	case errors.Is(e.local, exec.ErrNotFound):
		return diagnosis{"there is no ssh on the PATH", "install an OpenSSH client"}
	case e.local != nil:
		return diagnosis{"ssh cannot be run: " + e.local.Error(), "check the installation of OpenSSH"}
	case e.strange != nil:
		return diagnosis{
			"what comes back through ssh is no engine's answer: " + e.strange.Error(),
			"check that " + e.command.dockerByHand() + " works, and that the shell there prints nothing by itself",
		}
	case e.status == sshFailed:
		return diagnosis{words, e.loginHint()}
	case e.status == commandNotFound:
		return diagnosis{words, "install the docker CLI on that host, where commands that come by ssh find it: check " +
			e.command.byHand("command -v docker")}
	}
	return diagnosis{words, "check that " + e.command.dockerByHand() + " works"}
}

// loginHint is what to try when ssh could not log in.
func (e *sshError) loginHint() string {
	check := e.command.byHand("true")
	for _, known := range []struct{ words, hint string }{
		{"Permission denied", "make " + check + " work without a question: load the key into the agent (ssh-add), or name it in ~/.ssh/config"},
		{"Host key verification failed", "run " + check + " by hand once, to see what it says of the host's key"},
		{"Could not resolve hostname", "check the host's name in the address, or give it an entry in ~/.ssh/config"},
		{"Connection refused", "check the port in the address, and that an ssh server listens there"},
	} {
		if strings.Contains(e.said, known.words) {
			return known.hint
		}
	}
	return "check that " + check + " works"
}

// worthTelling leaves out what ssh says of sharing connections, and of hosts that it remembers.
func worthTelling(said string) string {
	var lines []string
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || hasAnyPrefix(line, "mux_client_", "ControlSocket ", "Warning: Permanently added", "** ") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func hasAnyPrefix(text string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// isDropped says whether the server hung up before anybody logged in, as it does when too many come at once.
func isDropped(err error) bool {
	var ssh *sshError
	return errors.As(err, &ssh) && ssh.status == sshFailed && (strings.Contains(ssh.said, "kex_exchange_identification: ") ||
		strings.Contains(ssh.said, "Exceeded MaxStartups"))
}

// lineTrouble tells what has to do with the line, on which nothing was begun then, from other failures of a session.
func lineTrouble(err error) error {
	var ssh *sshError
	switch {
	case !errors.As(err, &ssh) || ssh.status != sshFailed:
		return err
	case strings.Contains(ssh.said, "session request failed"):
		return errLineFull
	}
	return errLineGone
}

// tail keeps the end of what is written to it.
type tail struct {
	mutex sync.Mutex
	text  []byte
}

func (t *tail) Write(data []byte) (int, error) {
	const most = 4 << 10
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.text = append(t.text, data...)
	t.text = t.text[max(0, len(t.text)-most):]
	return len(data), nil
}

func (t *tail) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return string(t.text)
}
