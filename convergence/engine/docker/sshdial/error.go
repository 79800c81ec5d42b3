package sshdial

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// Error is an ssh that brought no engine's answer, or no more of it. Its words are ssh's own, or those of what ran on the other
// side, where they said something.
type Error struct {
	command command
	ended   *os.ProcessState // nil where it was not ssh that ended it
	said    string           // on stderr
	strange error            // what is wrong with an answer that is no engine's
	local   error            // why ssh could not be run
}

// Exit statuses: ssh's own failures (ssh(1)), and a shell's for a command that is not there.
const (
	sshFailed       = 255
	commandNotFound = 127
)

func (e *Error) status() int {
	if e.ended == nil {
		return 0
	}
	return e.ended.ExitCode()
}

// Unwrap makes it count as a broken connection.
func (e *Error) Unwrap() []error {
	if e.local != nil {
		return []error{e.local}
	}
	return []error{io.ErrUnexpectedEOF}
}

func (e *Error) Error() string {
	said := worthTelling(e.said)
	switch {
	case errors.Is(e.local, exec.ErrNotFound):
		return "there is no ssh on the PATH"
	case e.local != nil:
		return "ssh cannot be run: " + e.local.Error()
	case e.strange != nil:
		return "what comes back through ssh is no engine's answer: " + e.strange.Error()
	case said != "":
		return said
	}
	return fmt.Sprintf("ssh ended: %v", e.ended)
}

// Hint is what to try next.
func (e *Error) Hint() string {
	switch {
	case errors.Is(e.local, exec.ErrNotFound):
		return "install an OpenSSH client"
	case e.local != nil:
		return "check the installation of OpenSSH"
	case e.strange != nil:
		return "check that " + e.command.dockerByHand() + " works, and that the shell there prints nothing by itself"
	case e.status() == sshFailed:
		return e.loginHint()
	case e.status() == commandNotFound:
		return "install the docker CLI on that host, where commands that come by ssh find it: check " +
			e.command.byHand("command -v docker")
	}
	return "check that " + e.command.dockerByHand() + " works"
}

// loginHint is what to try when ssh could not log in.
func (e *Error) loginHint() string {
	check := e.command.byHand("true")
	for _, known := range []struct{ words, hint string }{
		{"REMOTE HOST IDENTIFICATION HAS CHANGED", "make sure that it is still the host you mean, then forget its old key: run " +
			check + " by hand to see which one"},
		{"Host key verification failed", "run " + check + " by hand once, to see what it says of the host's key"},
		{"Permission denied", "make " + check + " work without a question: load the key into the agent (ssh-add), or name it in ~/.ssh/config"},
		{"Could not resolve hostname", "check the host's name in the address, or give it an entry in ~/.ssh/config"},
		{"Connection refused", "check the port in the address, and that an ssh server listens there"},
	} {
		if strings.Contains(e.said, known.words) {
			return known.hint
		}
	}
	return "check that " + check + " works"
}

// worthTelling is the end of what was said, which has the reason; banners come before it. It leaves out what ssh says of sharing
// connections, and of hosts that it remembers.
func worthTelling(said string) string {
	const most = 4
	var lines []string
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || hasAnyPrefix(line, "mux_client_", "ControlSocket ", "Warning: Permanently added", "** ") {
			continue
		}
		lines = append(lines, line)
	}
	for i, line := range lines {
		if hasAnyPrefix(line, "Host key verification failed", "ssh: ") || strings.Contains(line, ": Permission denied (") {
			lines = lines[i:] // ssh's last words
			break
		}
	}
	lines = lines[max(0, len(lines)-most):]
	return strings.TrimSuffix(strings.Join(lines, "\n"), ".")
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
	var ours *Error
	return errors.As(err, &ours) && ours.status() == sshFailed && (strings.Contains(ours.said, "kex_exchange_identification: ") ||
		strings.Contains(ours.said, "Exceeded MaxStartups"))
}

// lineTrouble tells what has to do with the line, on which nothing was begun then, from other failures of a session.
func lineTrouble(err error) error {
	var ours *Error
	switch {
	case !errors.As(err, &ours) || ours.status() != sshFailed:
		return err
	case strings.Contains(ours.said, "session request failed"):
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
