package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Fetcher brings packages into a cache folder.
type Fetcher struct {
	Cache   string // an absolute path
	Mirror  string // of Debian's archive; empty means deb.debian.org
	Machine Machine
	Say     func(format string, arguments ...any) // tells what is being done
}

// Engine brings an engine's programs and what they need of the machine, and returns the folder that they were unpacked in.
func (f Fetcher) Engine(ctx context.Context, release Release) (folder string, err error) {
	if err := f.Machine.Suits(); err != nil {
		return "", err
	}
	if err := f.installHelpers(ctx, release.Libraries); err != nil {
		return "", err
	}
	return f.unpacked(ctx, release.Suite, release.Packages)
}

// Peer brings docker compose and buildx, to compare Muster with, and returns the folder of the programs.
func (f Fetcher) Peer(ctx context.Context) (folder string, err error) {
	if err := f.Machine.Suits(); err != nil {
		return "", err
	}
	const suite = "forky"
	root, err := f.unpacked(ctx, suite, []string{"docker-compose", "docker-buildx"})
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "usr", "libexec", "docker", "cli-plugins"), nil
}

// unpacked returns the folder with the packages of a suite. It appears under its name only once it is whole, so that a
// fetch that was cut off is simply done again.
func (f Fetcher) unpacked(ctx context.Context, suite string, packages []string) (string, error) {
	folder := filepath.Join(f.Cache, suite+"-"+packages[0])
	switch _, err := os.Stat(folder); {
	case err == nil:
		return folder, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("look for fetched packages: %w", err)
	}
	f.Say("fetching %s of Debian %s into %s", strings.Join(packages, ", "), suite, folder)
	source := apt{folder: filepath.Join(f.Cache, "apt-"+suite), suites: []string{suite}, mirror: f.mirror()}
	downloads, unpacking := filepath.Join(source.folder, packages[0]), folder+".part"
	for _, old := range []string{downloads, unpacking} {
		if err := os.RemoveAll(old); err != nil {
			return "", fmt.Errorf("remove what an earlier fetch left: %w", err)
		}
	}
	if err := download(ctx, source, downloads, packages); err != nil {
		return "", err
	}
	if err := unpack(ctx, downloads, unpacking); err != nil {
		return "", err
	}
	if err := linkInit(unpacking); err != nil {
		return "", err
	}
	if err := os.Rename(unpacking, folder); err != nil {
		return "", fmt.Errorf("keep fetched packages: %w", err)
	}
	return folder, nil
}

func (f Fetcher) mirror() string {
	if f.Mirror != "" {
		return f.Mirror
	}
	return usualMirror
}

func download(ctx context.Context, source apt, folder string, packages []string) error {
	if err := source.write(); err != nil {
		return err
	}
	const mode = 0o755
	if err := os.MkdirAll(folder, mode); err != nil {
		return fmt.Errorf("make folder for packages: %w", err)
	}
	if err := source.get(ctx, folder, "update"); err != nil {
		return err
	}
	return source.get(ctx, folder, append([]string{"download"}, packages...)...)
}

// unpack puts the files of all packages in a folder together in another and then removes the packages.
func unpack(ctx context.Context, packages, folder string) error {
	found, err := filepath.Glob(filepath.Join(packages, "*.deb"))
	if err != nil {
		return fmt.Errorf("unpack packages: %w", err)
	}
	for _, file := range found {
		if err := command(ctx, packages, "dpkg-deb", "--extract", file, folder); err != nil {
			return fmt.Errorf("unpack packages: %w", err)
		}
	}
	if err := os.RemoveAll(packages); err != nil {
		return fmt.Errorf("remove unpacked packages: %w", err)
	}
	return nil
}

// linkInit gives docker-init, which the packages have as a link to a neighbour of another package, the machine's program.
func linkInit(folder string) error {
	link := filepath.Join(folder, "usr", "bin", "docker-init")
	target, err := os.Readlink(link)
	if err != nil || filepath.IsAbs(target) {
		return nil // no link, nothing to do
	}
	neighbour := filepath.Join(filepath.Dir(link), target)
	if err := os.Symlink(filepath.Join("/usr/bin", target), neighbour); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("link docker-init: %w", err)
	}
	return nil
}

// installHelpers installs what an engine needs from the machine's own release: runc needs the machine's libc, and iptables
// its kernel.
func (f Fetcher) installHelpers(ctx context.Context, libraries []string) error {
	missing := missingHelpers(f.Machine.Codename, present, appArmor())
	for _, library := range libraries {
		if !installed(ctx, library) {
			missing = append(missing, library)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	f.Say("installing %s of Debian %s, which the engine needs", strings.Join(missing, ", "), f.Machine.Codename)
	source := apt{
		folder: filepath.Join(f.Cache, "apt-"+f.Machine.Codename+"-machine"),
		suites: []string{f.Machine.Codename, f.Machine.Codename + "-security"},
		mirror: f.mirror(), status: machineStatus,
	}
	if err := source.write(); err != nil {
		return err
	}
	if err := source.get(ctx, source.folder, "update"); err != nil {
		return err
	}
	return source.get(ctx, source.folder, slices.Concat([]string{"install", "--yes", "--no-install-recommends"}, missing)...)
}

// missingHelpers are the packages with programs that an engine runs and the machine lacks.
func missingHelpers(codename string, present func(program string) bool, appArmor bool) []string {
	initPackage := "tini-static"
	if codename == "bookworm" || codename == "trixie" {
		initPackage = "tini"
	}
	type helper struct{ name, program string }
	helpers := []helper{{"runc", "runc"}, {"iptables", "iptables"}, {initPackage, "tini-static"}}
	if appArmor {
		helpers = append(helpers, helper{"apparmor", "apparmor_parser"})
	}
	var missing []string
	for _, helper := range helpers {
		if !present(helper.program) {
			missing = append(missing, helper.name)
		}
	}
	return missing
}

// installed asks dpkg.
func installed(ctx context.Context, name string) bool {
	output, err := exec.CommandContext(ctx, "dpkg-query", "--show", "--showformat=${db:Status-Status}", name).Output()
	return err == nil && string(output) == "installed"
}

// present says whether the machine has a program, also where the path leaves out root's folders.
func present(program string) bool {
	if _, err := exec.LookPath(program); err == nil {
		return true
	}
	for _, folder := range []string{"/usr/sbin", "/sbin", "/usr/bin"} {
		if _, err := exec.LookPath(filepath.Join(folder, program)); err == nil {
			return true
		}
	}
	return false
}

// appArmor says whether the kernel confines programs by AppArmor: then the engine loads a profile and needs the parser.
func appArmor() bool {
	enabled, err := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	return err == nil && len(enabled) > 0 && enabled[0] == 'Y'
}
