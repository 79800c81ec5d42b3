// Package plan decides. What is wanted and what was observed go in, a plan comes out: the steps in their order, the reasons for
// each change, warnings, questions. It is pure: no engine, no clock, no environment, no map order, and its inputs stay as they
// were, so the same inputs always give the same plan.
package plan

import (
	"strings"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// State is what was observed of a project on the engine, at one moment.
type State struct {
	// Containers are the project's, by its label, one-offs included, sorted by name.
	Containers []engine.Container
	// Networks and Volumes are all that the engine has, sorted by name: the project may use what others made.
	Networks []engine.Network
	Volumes  []engine.Volume
	// Images are those that the project's services name and the engine has, by the name that the service gives.
	Images map[string]engine.Image
	// Details are the containers that will change, by ID: the second round of observation, which an empty first plan does
	// without. Where they are missing, an old environment value is not shown and a restart policy is taken from the file.
	Details map[string]engine.ContainerDetails
	// Differences are how containers differ from what was asked for in [Plan.Comparisons], by ID: an entry without any says that the
	// container is what is wanted.
	Differences map[string][]engine.Difference
	// RemoteDigests are what registries say that references stand for now. Only a plan that is shown asks for them.
	RemoteDigests map[string]string
	// Engine is what the engine is; nil where nothing of the project asks for it, see [AsksOfEngine].
	Engine *engine.Info
	// Now is the moment of the observation, and images whose pull policy names a time tell when the engine got them.
	Now time.Time
}

func (s State) network(name string) (engine.Network, bool) {
	for _, network := range s.Networks {
		if network.Name == name {
			return network, true
		}
	}
	return engine.Network{}, false
}

func (s State) volume(name string) (engine.Volume, bool) {
	for _, volume := range s.Volumes {
		if volume.Name == name {
			return volume, true
		}
	}
	return engine.Volume{}, false
}

// Recreate says which containers to replace.
type Recreate uint8

// What to replace.
const (
	// RecreateChanged replaces what is not what the file wants any more.
	RecreateChanged Recreate = iota
	// RecreateAll replaces the targets' containers whether they changed or not.
	RecreateAll
	// RecreateNone keeps every container that exists.
	RecreateNone
)

// BuildPolicy says which images to build.
type BuildPolicy uint8

// What to build.
const (
	// BuildMissing builds what can be built and is not there, or is always to be built (`pull_policy: build`).
	BuildMissing BuildPolicy = iota
	// BuildAlways builds whatever can be built.
	BuildAlways
	// BuildNever builds nothing: what is not there is a problem.
	BuildNever
)

// Policy is how the user wants it done.
type Policy struct {
	Recreate Recreate
	// RecreateDependencies replaces the containers of services that are no targets, whether they changed or not.
	RecreateDependencies bool
	// RenewAnonymousVolumes gives new containers anonymous volumes of their own instead of those of the containers before them.
	RenewAnonymousVolumes bool
	Build                 BuildPolicy
	// Targets are the services that the user named, which RecreateAll is about; empty means all.
	Targets []string
	// RemoveOrphans removes containers of services that the file does not have; IgnoreOrphans does not even mention them.
	RemoveOrphans, IgnoreOrphans bool
	// NoStart creates what is missing and replaces what is not as wanted, and starts nothing.
	NoStart bool
	// StopTimeout is how long a container may take to stop; nil leaves it to the container.
	StopTimeout *time.Duration
	// Wait waits in the end until every service has reached its goal, for WaitTimeout at most (0: as long as it takes).
	Wait        bool
	WaitTimeout time.Duration
	// RecreateVolumes are the answers to questions: the volumes, by key, whose data may be lost.
	RecreateVolumes map[string]bool
	// ShowSecrets puts values into reasons that are otherwise left out because they come from files of secrets or their names say so. What
	// is only known by a digest stays unknown. Labels never have them.
	ShowSecrets bool
}

func (p Policy) targets(service string) bool {
	if len(p.Targets) == 0 {
		return true
	}
	for _, target := range p.Targets {
		if target == service {
			return true
		}
	}
	return false
}

// shortDigest is an image's ID or digest as people compare it.
func shortDigest(digest string) string {
	const length = 12
	_, hex, found := strings.Cut(digest, ":")
	if !found {
		hex = digest
	}
	if len(hex) > length {
		return hex[:length]
	}
	return hex
}
