package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	usualMirror = "http://deb.debian.org"
	keyring     = "/usr/share/keyrings/debian-archive-keyring.gpg"
	// machineStatus is dpkg's list of what is installed on the machine.
	machineStatus = "/var/lib/dpkg/status"
)

// apt is a private configuration of apt in a folder of its own: the machine's sources, lists and caches stay as they are.
type apt struct {
	folder string
	suites []string // the first one's security suite is named by the caller where it is wanted
	mirror string   // "http://deb.debian.org"
	status string   // what counts as installed; empty means nothing
}

func (a apt) configPath() string { return filepath.Join(a.folder, "apt.conf") }

// config is read after the machine's own, whose proxy settings it keeps.
func (a apt) config() string {
	status := a.status
	if status == "" {
		status = filepath.Join(a.folder, "state", "status")
	}
	settings := []struct{ name, value string }{
		{"Dir::Etc::sourcelist", filepath.Join(a.folder, "sources.list")},
		{"Dir::Etc::sourceparts", "/dev/null"},
		{"Dir::Etc::preferences", "/dev/null"},
		{"Dir::Etc::preferencesparts", "/dev/null"},
		{"Dir::State", filepath.Join(a.folder, "state")},
		{"Dir::State::status", status},
		{"Dir::Cache", filepath.Join(a.folder, "cache")},
		{"APT::Sandbox::User", "root"}, // another user could not write into the folder
		{"APT::Update::Error-Mode", "any"},
		{"Acquire::Languages", "none"},
		{"Acquire::Retries", "2"},
		{"Acquire::http::Timeout", "20"},
		{"DPkg::Lock::Timeout", "120"},
	}
	var text strings.Builder
	for _, setting := range settings {
		fmt.Fprintf(&text, "%s %q;\n", setting.name, setting.value)
	}
	return text.String()
}

func (a apt) sources() string {
	var text strings.Builder
	for _, suite := range a.suites {
		archive := "debian"
		if strings.HasSuffix(suite, "-security") {
			archive = "debian-security"
		}
		fmt.Fprintf(&text, "deb [signed-by=%s] %s/%s %s main\n", keyring, a.mirror, archive, suite)
	}
	return text.String()
}

// write makes the folder what apt expects.
func (a apt) write() error {
	if strings.ContainsAny(a.folder, "\"\\\n") {
		return fmt.Errorf("write apt configuration: apt takes no folder with such a name: %q", a.folder)
	}
	const folderMode, fileMode = 0o755, 0o644
	for _, folder := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.folder, folder), folderMode); err != nil {
			return fmt.Errorf("write apt configuration: %w", err)
		}
	}
	for name, content := range map[string]string{"apt.conf": a.config(), "sources.list": a.sources(), "state/status": ""} {
		if err := os.WriteFile(filepath.Join(a.folder, name), []byte(content), fileMode); err != nil {
			return fmt.Errorf("write apt configuration: %w", err)
		}
	}
	return nil
}

// get runs apt-get with the configuration in a folder, and returns what it wrote.
func (a apt) get(ctx context.Context, folder string, args ...string) (output string, err error) {
	output, err = command(ctx, folder, "apt-get", append([]string{"-c", a.configPath(), "-q", "-q"}, args...)...)
	if err != nil {
		return "", fmt.Errorf("fetch packages from %s (another mirror: DEBIAN_MIRROR): %w", a.mirror, err)
	}
	return output, nil
}

// closure are the names of packages and of all that these depend on.
func (a apt) closure(ctx context.Context, packages []string) ([]string, error) {
	output, err := a.get(ctx, a.folder, append([]string{"install", "--simulate", "--no-install-recommends"}, packages...)...)
	if err != nil {
		return nil, err
	}
	return simulated(output), nil
}

// simulated are the packages that apt-get would install by what it says: "Inst libc6 (2.36-9 Debian:12.11/stable [amd64])".
func simulated(output string) []string {
	var names []string
	for line := range strings.Lines(output) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "Inst" {
			names = append(names, words[1])
		}
	}
	return names
}

// command runs a program and returns its output, which an error has the end of. When the context ends it is asked to end, so that a package
// manager can leave things whole.
func command(ctx context.Context, folder, name string, args ...string) (text string, err error) {
	const patience = 20 * time.Second
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err == nil {
		return string(output), nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return "", fmt.Errorf("run %s: %w", name, err)
	}
	return "", fmt.Errorf("%s: %w:\n%s", name, err, lastLines(string(output)))
}

// lastLines is the end of a program's output, indented: where it says what went wrong.
func lastLines(output string) string {
	const enough = 8
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if len(lines) > enough {
		lines = lines[len(lines)-enough:]
	}
	return "  " + strings.Join(lines, "\n  ")
}
