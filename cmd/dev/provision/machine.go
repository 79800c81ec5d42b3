package provision

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Machine is what matters of the machine that an engine is to run on.
type Machine struct {
	ID       string // of the distribution: "debian"
	Codename string // of its release: "bookworm"
	Title    string // for people
	Root     bool
}

// ThisMachine looks at the machine that this runs on.
func ThisMachine() (Machine, error) {
	data, err := os.ReadFile("/etc/os-release")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Machine{}, fmt.Errorf("read what system this is: %w", err)
	}
	machine := parseOSRelease(string(data))
	machine.Root = os.Geteuid() == 0
	return machine, nil
}

// parseOSRelease reads os-release(5): NAME=value lines, the value perhaps in quotes.
func parseOSRelease(text string) Machine {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(name, "#") {
			values[name] = strings.Trim(value, `"'`)
		}
	}
	return Machine{ID: values["ID"], Codename: values["VERSION_CODENAME"], Title: values["PRETTY_NAME"]}
}

// Suits says why no engine can be fetched for this machine, or nil.
func (m Machine) Suits() error {
	reason := m.lacksPackages("an engine")
	if reason == "" && !m.Root {
		reason = "an engine can be fetched and started by root only"
	}
	if reason == "" {
		return nil
	}
	return &Refusal{Reason: reason}
}

// ErrNoPackages means that software cannot be fetched here at all: there are only packages of Debian for Debian.
var ErrNoPackages = errors.New("there are no packages for it")

// hasPackages says why no package can be fetched for this machine, or nil. Who fetches them does not matter.
func (m Machine) hasPackages() error {
	if reason := m.lacksPackages("software for tests"); reason != "" {
		return fmt.Errorf("%w: %s", ErrNoPackages, reason)
	}
	return nil
}

func (m Machine) lacksPackages(what string) (reason string) {
	switch {
	case m.ID != "debian":
		return fmt.Sprintf("%s can be fetched on Debian only, and this is %s", what, cmp.Or(m.Title, "not Debian"))
	case m.Codename == "":
		return "/etc/os-release names no release of Debian (VERSION_CODENAME)"
	}
	return ""
}

// Refusal says why no engine can be had here.
type Refusal struct {
	Reason string
	Cause  error
}

func (r *Refusal) Error() string {
	if r.Cause == nil {
		return r.Reason
	}
	return r.Reason + ": " + r.Cause.Error()
}

func (r *Refusal) Unwrap() error { return r.Cause }

// Hint is what to do about it.
func (r *Refusal) Hint() string {
	return `to get an engine, one of:
  install one and start it (Debian and Ubuntu: apt-get install docker.io; others: Docker Desktop or the like)
  name one that runs: DOCKER_HOST=unix:///path/to/docker.sock or ssh://user@host
  run this as root on Debian: it fetches one and starts it`
}
