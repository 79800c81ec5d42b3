// Package provision fetches a container engine for a machine that has none: Debian's own packages, by apt, into a folder.
package provision

import (
	"fmt"
	"strings"
)

// Release is an engine that can be fetched.
type Release struct {
	// Name is what ENGINE selects it by.
	Name string
	// Suite is the Debian suite that has it.
	Suite string
	// Packages are unpacked into the engine's folder.
	Packages []string
	// Libraries are packages of the machine's own release that the programs need and a bare machine may lack.
	Libraries []string
	// Features are switched on in the daemon's configuration.
	Features map[string]bool
	// About says in a few words what it is.
	About string
}

// DefaultRelease is fetched where ENGINE names none.
const DefaultRelease = "28"

// Releases are all engines that can be fetched. What a suite has moves on; a newer version of the same series is fine.
func Releases() []Release {
	split := []string{"docker.io", "containerd", "docker-cli"}
	return []Release{
		{Name: "28", Suite: "forky", Packages: split, About: "Debian testing's engine"},
		{
			Name: "28c", Suite: "forky", Packages: split, About: "Debian testing's engine with containerd's image store",
			Features: map[string]bool{"containerd-snapshotter": true},
		},
		{Name: "26", Suite: "trixie", Packages: split, About: "Debian 13's engine"},
		{
			Name: "20", Suite: "bookworm", Packages: []string{"docker.io", "containerd"}, About: "Debian 12's engine, which can deadlock",
			Libraries: []string{"libdevmapper1.02.1"},
		},
	}
}

// FindRelease returns the release of that name; an empty name means the default one.
func FindRelease(name string) (Release, error) {
	if name == "" {
		name = DefaultRelease
	}
	var known []string
	for _, release := range Releases() {
		if release.Name == name {
			return release, nil
		}
		known = append(known, release.Name)
	}
	return Release{}, fmt.Errorf("no engine release %q; there are %s", name, strings.Join(known, ", "))
}
