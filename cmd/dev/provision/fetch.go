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
	err = f.installHelpers(ctx, release.Libraries)
	if err == nil {
		folder, err = f.unpacked(ctx, suiteSet(release.Suite, release.Packages))
	}
	if err != nil {
		return "", &Refusal{Reason: "none can be fetched now", Cause: err}
	}
	return folder, nil
}

// DockerCLI brings the docker CLI that goes with the usual engine, and returns its path.
func (f Fetcher) DockerCLI(ctx context.Context) (program string, err error) {
	release, err := FindRelease(DefaultRelease)
	if err != nil {
		return "", err
	}
	if err := f.Machine.Suits(); err != nil {
		return "", err
	}
	folder, err := f.unpacked(ctx, suiteSet(release.Suite, release.Packages))
	return filepath.Join(folder, "usr", "bin", "docker"), err
}

// Peer brings docker compose and buildx, to compare Muster with, and returns the folder of the programs.
func (f Fetcher) Peer(ctx context.Context) (folder string, err error) {
	if err := f.Machine.Suits(); err != nil {
		return "", err
	}
	const suite = "forky"
	root, err := f.unpacked(ctx, suiteSet(suite, []string{"docker-compose", "docker-buildx"}))
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "usr", "libexec", "docker", "cli-plugins"), nil
}

// Software brings packages of the machine's release and those that they depend on, except for those whose names begin as one of
// without, and unpacks them together. None is installed.
func (f Fetcher) Software(ctx context.Context, packages, without []string) (Unpacked, error) {
	if err := f.Machine.hasPackages(); err != nil {
		return Unpacked{}, err
	}
	folder, err := f.unpacked(ctx, softwareSet(f.Machine.Codename, packages, without))
	if err != nil {
		return Unpacked{}, err
	}
	return readUnpacked(folder)
}

// Registry brings an image registry of the machine's release, and returns the path of its program.
func (f Fetcher) Registry(ctx context.Context) (program string, err error) {
	if err := f.Machine.hasPackages(); err != nil {
		return "", err
	}
	folder, err := f.unpacked(ctx, suiteSet(f.Machine.Codename, []string{"docker-registry"}))
	return filepath.Join(folder, "usr", "bin", "docker-registry"), err
}

func (f Fetcher) mirror() string {
	if f.Mirror != "" {
		return f.Mirror
	}
	return usualMirror
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
	if _, err := source.get(ctx, source.folder, "update"); err != nil {
		return err
	}
	_, err := source.get(ctx, source.folder, slices.Concat([]string{"install", "--yes", "--no-install-recommends"}, missing)...)
	return err
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
