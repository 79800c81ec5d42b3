package provision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// set is packages that are unpacked together.
type set struct {
	name     string // of the folder in the cache
	suites   []string
	packages []string
	closed   bool     // with what the packages depend on
	without  []string // how the names of those begin that are not needed for it
}

func suiteSet(suite string, packages []string) set {
	return set{name: suite + "-" + packages[0], suites: []string{suite}, packages: packages}
}

// softwareSet has a name that another choice of packages does not have.
func softwareSet(codename string, packages, without []string) set {
	const length = 4
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", packages, without))
	return set{
		name: codename + "-software-" + hex.EncodeToString(sum[:length]), suites: []string{codename, codename + "-security"},
		packages: packages, closed: true, without: without,
	}
}

// needs says whether a package that others depend on is needed.
func (s set) needs(name string) bool {
	return slices.Contains(s.packages, name) ||
		!slices.ContainsFunc(s.without, func(beginning string) bool { return strings.HasPrefix(name, beginning) })
}

// unpacked returns the folder with a set's packages. It appears under its name only once it is whole, so that a fetch that was
// cut off is simply done again.
func (f Fetcher) unpacked(ctx context.Context, wanted set) (string, error) {
	folder := filepath.Join(f.Cache, wanted.name)
	switch _, err := os.Stat(folder); {
	case err == nil:
		return folder, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("look for fetched packages: %w", err)
	}
	f.Say("fetching %s of Debian %s into %s", strings.Join(wanted.packages, ", "), wanted.suites[0], folder)
	source := apt{folder: filepath.Join(f.Cache, "apt-"+wanted.name), suites: wanted.suites, mirror: f.mirror()}
	downloads, unpacking := filepath.Join(source.folder, "packages"), folder+".part"
	for _, old := range []string{downloads, unpacking} {
		if err := os.RemoveAll(old); err != nil {
			return "", fmt.Errorf("remove what an earlier fetch left: %w", err)
		}
	}
	if err := download(ctx, source, downloads, wanted); err != nil {
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

func download(ctx context.Context, source apt, folder string, wanted set) error {
	if err := source.write(); err != nil {
		return err
	}
	const mode = 0o755
	if err := os.MkdirAll(folder, mode); err != nil {
		return fmt.Errorf("make folder for packages: %w", err)
	}
	if _, err := source.get(ctx, folder, "update"); err != nil {
		return err
	}
	packages := wanted.packages
	if wanted.closed {
		all, err := source.closure(ctx, packages)
		if err != nil {
			return err
		}
		packages = slices.DeleteFunc(all, func(name string) bool { return !wanted.needs(name) })
	}
	_, err := source.get(ctx, folder, append([]string{"download"}, packages...)...)
	return err
}

// unpack puts the files of all packages in a folder together in another, with a list of the packages, and then removes them.
func unpack(ctx context.Context, packages, folder string) error {
	found, err := filepath.Glob(filepath.Join(packages, "*.deb"))
	if err != nil {
		return fmt.Errorf("unpack packages: %w", err)
	}
	unpacking, ctx := errgroup.WithContext(ctx)
	unpacking.SetLimit(runtime.GOMAXPROCS(0))
	for _, file := range found {
		unpacking.Go(func() error {
			_, err := command(ctx, packages, "dpkg-deb", "--extract", file, folder)
			return err
		})
	}
	if err := unpacking.Wait(); err != nil {
		return fmt.Errorf("unpack packages: %w", err)
	}
	if err := writeList(folder, found); err != nil {
		return err
	}
	if err := os.RemoveAll(packages); err != nil {
		return fmt.Errorf("remove unpacked packages: %w", err)
	}
	return nil
}

// Unpacked is a folder with the files of packages.
type Unpacked struct {
	Folder string
	// Versions are the packages' versions as Debian writes them: "5:7.0.15-1~deb12u10".
	Versions map[string]string
}

// listFile has the names of the package files that a folder was unpacked from.
const listFile = ".packages"

func writeList(folder string, files []string) error {
	var text strings.Builder
	for _, file := range files {
		text.WriteString(filepath.Base(file) + "\n")
	}
	const mode = 0o644
	if err := os.WriteFile(filepath.Join(folder, listFile), []byte(text.String()), mode); err != nil {
		return fmt.Errorf("list unpacked packages: %w", err)
	}
	return nil
}

// readUnpacked reads the list. A package file's name has the version with its colon escaped: redis-tools_5%3a7.0.15-1_amd64.deb.
func readUnpacked(folder string) (Unpacked, error) {
	text, err := os.ReadFile(filepath.Join(folder, listFile))
	if err != nil {
		return Unpacked{}, fmt.Errorf("read list of unpacked packages: %w", err)
	}
	versions := map[string]string{}
	for file := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(file, "_")
		version, _, ok := strings.Cut(rest, "_")
		version, err := url.PathUnescape(version)
		if !ok || err != nil {
			return Unpacked{}, fmt.Errorf("read list of unpacked packages: %q is no package file's name", strings.TrimSpace(file))
		}
		versions[name] = version
	}
	return Unpacked{Folder: folder, Versions: versions}, nil
}
