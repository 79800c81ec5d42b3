// Package software makes images of well-known software out of Debian's packages, under names of our own, for engines that
// reach no registry. They do what Compose files expect of the public images, and hold what they need for it and a busybox.
package software

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/muster-dev/muster/cmd/dev/provision"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/engine/docker"
)

// Prefix begins the names of all images that are made here: "muster.test/redis". Nobody else's image is called so.
const Prefix = "muster.test/"

// labelInputs has the digest of all that an image is made of.
const labelInputs = "dev.muster.inputs"

// packing is counted up when images get to look different although their recipes are the same.
const packing = 1

// Maker makes the images.
type Maker struct {
	Client  *docker.Client
	Fetcher provision.Fetcher
}

// Ensure makes the images that the engine does not have yet as the recipes say, and returns their names. Packages are only
// fetched when one is missing. [provision.ErrNoPackages] where there are none for this machine or for the engine's.
func (m Maker) Ensure(ctx context.Context) (made []string, err error) {
	var missing []docker.ScratchImage
	var recipes []recipe
	for _, r := range all() {
		image := r.image(m.Fetcher.Machine.Codename)
		found, err := m.Client.InspectImage(ctx, image.Ref)
		switch {
		case err == nil && found.Labels[labelInputs] == image.Labels[labelInputs]:
			continue
		case err != nil && !errors.Is(err, engine.ErrNotFound):
			return nil, err
		}
		missing, recipes = append(missing, image), append(recipes, r)
	}
	if len(missing) == 0 {
		return nil, nil
	}
	packages, err := m.packages(ctx)
	if err != nil {
		return nil, err
	}
	for i, image := range missing {
		if err := m.make(ctx, recipes[i], image, packages); err != nil {
			return made, err
		}
		made = append(made, image.Ref)
	}
	return made, nil
}

// packages are those of all recipes, unpacked.
func (m Maker) packages(ctx context.Context) (provision.Unpacked, error) {
	version, err := m.Client.Version(ctx)
	if err != nil {
		return provision.Unpacked{}, err
	}
	if version.Arch != runtime.GOARCH || version.OS != "linux" {
		return provision.Unpacked{}, fmt.Errorf("%w: the engine's platform is %s/%s", provision.ErrNoPackages, version.OS, version.Arch)
	}
	var roots []string
	for _, r := range all() {
		roots = append(roots, r.Packages...)
	}
	return m.Fetcher.Software(ctx, roots, unneeded())
}

func (m Maker) make(ctx context.Context, r recipe, image docker.ScratchImage, packages provision.Unpacked) error {
	version, err := upstreamVersion(packages.Versions, r.Versioned)
	if err != nil {
		return fmt.Errorf("make image %s: %w", image.Ref, err)
	}
	image.Tags = []string{Prefix + r.Name + ":" + version}
	if image.Archive, err = newRootfs(packages.Folder).fill(ctx, r); err != nil {
		return fmt.Errorf("make image %s: %w", image.Ref, err)
	}
	if _, err := m.Client.ImportImage(ctx, image); err != nil {
		return fmt.Errorf("make image %s: %w", image.Ref, err)
	}
	m.Fetcher.Say("made %s, version %s, %d MB", image.Ref, version, len(image.Archive)/1_000_000)
	return nil
}

// image is the recipe's image but for its content.
func (r recipe) image(codename string) docker.ScratchImage {
	image := r.Config
	image.Ref = Prefix + r.Name + ":latest"
	image.Labels = map[string]string{
		"org.opencontainers.image.title": r.Name,
		labelInputs:                      r.digest(codename),
	}
	return image
}

// digest is that of everything that the image is made of: the recipe, and where its packages come from.
func (r recipe) digest(codename string) string {
	text, _ := json.Marshal(r) // of strings, numbers and lists of them, which always can be
	sum := sha256.Sum256(fmt.Appendf(text, " %d %s %s %s", packing, codename, runtime.GOARCH, files(r.Name)))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// upstreamVersion is the version of a package by its name or the beginning of it, without what Debian adds: "7.0.15" of
// "5:7.0.15-1~deb12u10".
func upstreamVersion(versions map[string]string, beginning string) (string, error) {
	for name, version := range versions {
		if !strings.HasPrefix(name, beginning) {
			continue
		}
		if _, after, ok := strings.Cut(version, ":"); ok {
			version = after
		}
		if i := strings.LastIndex(version, "-"); i >= 0 {
			version = version[:i]
		}
		version, _, _ = strings.Cut(version, "+")
		return version, nil
	}
	return "", fmt.Errorf("no package %s was fetched", beginning)
}
