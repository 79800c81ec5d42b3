// Package buildx reads which builders docker buildx has been told of. It only reads: buildx keeps its files itself.
package buildx

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Store is the folder in which buildx keeps its builders; one that is not there has none.
type Store struct{ Folder string }

// Builder is one that was made with `docker buildx create`.
type Builder struct {
	Name   string
	Driver string // docker, docker-container, remote, kubernetes, cloud
	Nodes  []Node
}

// Node is one of the machines that a builder builds on.
type Node struct {
	Name       string
	Endpoint   string            // the name of a docker CLI context, or an address
	Platforms  []Platform        // that it was made for; none means whatever its BuildKit can
	DriverOpts map[string]string // of --driver-opt
	Flags      []string          // of buildkitd
	Files      map[string][]byte // of buildkitd's configuration, by path below its folder
}

// Platform is what an image is for.
type Platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant,omitempty"`
}

// String is os/arch[/variant].
func (p Platform) String() string {
	text := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		text += "/" + p.Variant
	}
	return text
}

// What the files are called (buildx, package store).
const (
	instances = "instances"
	current   = "current"
	defaults  = "defaults"
)

// validName is what buildx takes for a name; it is a file's name in lower case.
var validName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9._+-]*$`)

// Named is the builder of that name. The error matches [fs.ErrNotExist] where there is none.
func (s Store) Named(name string) (Builder, error) {
	if !validName.MatchString(name) {
		return Builder{}, fs.ErrNotExist
	}
	path := filepath.Join(s.Folder, instances, strings.ToLower(name))
	content, err := readBounded(path)
	if err != nil {
		return Builder{}, err
	}
	var found Builder
	switch err := json.Unmarshal(content, &found); {
	case err != nil:
		return Builder{}, fmt.Errorf("read %s: %w", path, err)
	case len(found.Nodes) == 0:
		return Builder{}, fmt.Errorf("read %s: it has no nodes", path)
	}
	return found, nil
}

// Names are those of all builders, sorted.
func (s Store) Names() []string {
	entries, _ := os.ReadDir(filepath.Join(s.Folder, instances)) // what cannot be read cannot be chosen either
	var names []string
	for _, entry := range entries {
		if validName.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	return names
}

// Chosen is the name of the builder that `docker buildx use` chose for an engine, which is told apart by the name of its docker
// CLI context, or by its address where it has none; empty where none was chosen, or one that is there no more.
func (s Store) Chosen(engine string) (string, error) {
	path := filepath.Join(s.Folder, current)
	content, err := readBounded(path)
	switch {
	case err == nil:
		var chosen struct {
			Key    string
			Name   string
			Global bool
		}
		if err := json.Unmarshal(content, &chosen); err != nil {
			return "", fmt.Errorf("read %s: %w", path, err)
		}
		if chosen.Name != "" && (chosen.Global && s.has(chosen.Name) || chosen.Key == engine) {
			return s.known(chosen.Name), nil
		}
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	const digits = 20
	sum := sha256.Sum256([]byte(engine))
	content, err = readBounded(filepath.Join(s.Folder, defaults, hex.EncodeToString(sum[:])[:digits]))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return s.known(string(content)), err
}

func (s Store) has(name string) bool { return s.known(name) != "" }

// known is the name, or nothing where there is no such builder.
func (s Store) known(name string) string {
	if _, err := s.Named(name); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return name
}

// readBounded reads a file of a sensible size: a builder has configuration files in its own.
func readBounded(path string) ([]byte, error) {
	const most = 4 << 20
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && len(content) > most {
		err = fmt.Errorf("read %s: it has more than %d MB", path, most>>20)
	}
	return content, err
}
