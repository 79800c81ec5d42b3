package docker

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/cli/cli/context/store"

	"github.com/muster-dev/muster/convergence/engine/docker/buildx"
	"github.com/muster-dev/muster/project"
)

// The drivers that builders have (docker buildx, `create --driver`).
const (
	driverDocker    = "docker"
	driverContainer = "docker-container"
	driverRemote    = "remote"
)

// Builder is what images are built with: the engine itself, or a builder of docker buildx.
type Builder struct {
	Name   string // empty for the engine itself
	Origin string // what named it, in words
	nodes  []buildx.Node
	driver string
}

// IsEngine says whether it is the engine itself, in which images then are.
func (b Builder) IsEngine() bool { return b.Name == "" }

// describe is how messages name it.
func (b Builder) describe() string { return fmt.Sprintf("builder %q (from %s)", b.Name, b.Origin) }

// FindBuilder finds the builder that the options mean, by the rules of docker buildx: the one that is named, BUILDX_BUILDER, the
// one that `docker buildx use` chose for the engine, the engine itself. Names of docker CLI contexts are those of their engines.
// What is there is not asked for anything yet. The errors have a Hint method.
func (o Options) FindBuilder() (Builder, error) { return o.settings().findBuilder() }

func (s settings) findBuilder() (Builder, error) {
	known := buildx.Store{Folder: s.buildxFolder()}
	name, origin, err := s.builderName(known)
	if err != nil {
		return Builder{}, fmt.Errorf("find builder: %w", err)
	}
	if name == "" {
		return Builder{}, nil
	}
	b := Builder{Name: name, Origin: origin}
	found, err := known.Named(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.isContext(name):
		b.driver, b.nodes = driverDocker, []buildx.Node{{Name: name, Endpoint: name}}
	case errors.Is(err, fs.ErrNotExist):
		return Builder{}, s.unknownBuilder(b, known.Names())
	case err != nil:
		return Builder{}, fmt.Errorf("find builder %q (from %s): %w", name, origin, err)
	default:
		b.driver, b.nodes = found.Driver, found.Nodes
	}
	return s.usable(b)
}

// buildxFolder is where buildx keeps its builders.
func (s settings) buildxFolder() string {
	return cmp.Or(s.Env("BUILDX_CONFIG"), filepath.Join(s.folder, "buildx"))
}

// builderName is the name that counts, and what gave it; empty for the engine itself.
func (s settings) builderName(known buildx.Store) (name, origin string, err error) {
	const variable = "BUILDX_BUILDER"
	switch inEnv := s.Env(variable); {
	case s.Builder != "":
		return s.Builder, "--builder", nil
	case inEnv != "":
		return inEnv, variable, nil
	}
	key, _ := s.contextName()
	if key == defaultContext {
		endpoint, err := s.endpoint()
		if err != nil {
			return "", "", nil //nolint:nilerr // whoever connects hears of it
		}
		key = endpoint.Host
	}
	name, err = known.Chosen(key)
	return name, "docker buildx use", err
}

func (s settings) isContext(name string) bool {
	return name == defaultContext || slices.Contains(s.contexts(), name)
}

func (s settings) contexts() []string {
	names, _ := store.Names(openContexts(filepath.Join(s.folder, "contexts"))) // one that cannot be read is none to choose
	return names
}

// isThisEngine says whether a node's endpoint is the engine that the options mean.
func (s settings) isThisEngine(endpoint string) bool {
	name, _ := s.contextName()
	if endpoint == name {
		return true
	}
	mine, err := s.endpoint()
	return err == nil && name == defaultContext && endpoint == mine.Host
}

func (s settings) unknownBuilder(b Builder, names []string) error {
	names = slices.Concat([]string{defaultContext}, s.contexts(), names)
	hint := "builders are " + strings.Join(names, ", ") + "; `docker buildx create` makes more"
	if near := project.Nearest(b.Name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return &advised{fmt.Errorf("%s: there is none of that name", b.describe()), hint}
}

// usable refuses what cannot be built with, and finds out whether it is the engine itself.
func (s settings) usable(b Builder) (Builder, error) {
	own, _ := s.contextName()
	elsewhere := "name another with --builder or BUILDX_BUILDER: " + own + " is the engine itself"
	switch b.driver {
	case driverDocker:
		if s.isThisEngine(b.nodes[0].Endpoint) {
			return Builder{}, nil
		}
	case driverContainer:
	case driverRemote:
		for _, node := range b.nodes {
			if err := checkRemote(node); err != nil {
				return Builder{}, &advised{fmt.Errorf("%s: node %q: %w", b.describe(), node.Name, err), elsewhere}
			}
		}
	default:
		return Builder{}, &advised{
			fmt.Errorf("%s: its driver is %q, and muster builds with those of the drivers docker, docker-container and remote", b.describe(), b.driver),
			"run `muster build --print | docker buildx bake --file - --builder " + b.Name + "`, or " + elsewhere,
		}
	}
	return b, nil
}
