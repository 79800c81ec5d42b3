package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// DriftInput is what drift is found from: what the engine has of a project now. What was made is told by the labels; no file counts.
type DriftInput struct {
	Name string // of the project
	// State has all containers with the project's label, also those that nobody's `up` made.
	State State
	// Known are all images of the engine, by ID and by every name that they have.
	Known map[string]engine.Image
	// Services are those that are looked at; empty means all.
	Services []string
}

// Drift is that something on the engine is not as it was made. Old values of its reasons are as it was made, new ones as it is.
type Drift struct {
	Ref     graph.Ref
	Object  step.Object
	Reasons []Reason
}

// Drifts are what is not as it was made.
type Drifts struct {
	Found []Drift // networks and volumes first, then containers by name
	// Looked counts the containers that were compared.
	Looked int
	// Unknown are the names of those whose limits and networks nobody knows of how they were made: docker compose's.
	Unknown []string
	// Containers are all with the project's label, looked at or not.
	Containers []engine.Container
}

// Applied is a container's request in what an engine lets people change, as its labels tell that it was made. It is for
// [engine.Containers.CompareContainer], of whose differences only those for which [Changeable] holds mean something.
func Applied(container engine.Container) (request engine.CreateContainer, known bool) {
	fingerprint, err := project.OpenFingerprint(container.Labels[project.LabelSpec])
	if err != nil {
		return engine.CreateContainer{}, false
	}
	return engine.CreateContainer{Name: container.Name, Service: project.AppliedService(fingerprint)}, true
}

// Changeable says of a difference that people can make it on a container that is there: `docker update` does.
func Changeable(difference engine.Difference) bool {
	return slices.Contains([]string{
		"restart", "cpus", "cpu_shares", "cpu_quota", "cpu_period", "cpu_rt_period", "cpu_rt_runtime", "cpuset", "CpusetMems",
		"mem_limit", "mem_reservation", "memswap_limit", "pids_limit", "blkio_config.weight",
	}, difference.Path)
}

// FindDrift compares what is there with what the labels tell of how it was made.
func FindDrift(input DriftInput) Drifts {
	f := &driftFinder{DriftInput: input, missing: map[string]Drift{}}
	seen := map[replicaKey]bool{}
	containers := slices.Clone(input.State.Containers)
	slices.SortStableFunc(containers, func(a, b engine.Container) int {
		return cmp.Or(compareBool(!a.Running(), !b.Running()), compareNames(a, b))
	})
	for _, container := range containers {
		if !f.isLookedAt(container) {
			continue
		}
		key := replicaKey{container.Service, container.Number}
		f.look(container, seen[key])
		seen[key] = true
	}
	slices.SortFunc(f.found, func(a, b Drift) int { return cmp.Compare(a.Object.Name, b.Object.Name) })
	for _, name := range slices.Backward(sortedKeys(f.missing)) {
		f.found = slices.Insert(f.found, 0, f.missing[name])
	}
	slices.Sort(f.unknown)
	return Drifts{Found: f.found, Looked: f.looked, Unknown: f.unknown, Containers: input.State.Containers}
}

type driftFinder struct {
	DriftInput
	found   []Drift
	missing map[string]Drift // networks and volumes, by kind and name
	looked  int
	unknown []string
}

// isLookedAt leaves out one-offs, which are somebody's own, what hooks and files are made with, and what an interrupted replacement has
// left: the next `up` sees to that.
func (f *driftFinder) isLookedAt(container engine.Container) bool {
	if container.OneOff || container.Hook != "" || isHelper(container) {
		return false
	}
	for _, final := range finalNames(f.Name, container) {
		if project.IsTemporaryName(container.Name, final) {
			return false
		}
	}
	return len(f.Services) == 0 || slices.Contains(f.Services, container.Service)
}

// finalNames are what a container may be called: what its service says, else its project, service and number with either separator.
func finalNames(projectName string, container engine.Container) []string {
	if fingerprint, err := project.OpenFingerprint(container.Labels[project.LabelSpec]); err == nil {
		if name := fingerprint.Plain("container_name"); name != "" {
			return []string{name}
		}
	}
	parts := []string{projectName, container.Service, strconv.Itoa(observedNumber(container))}
	return []string{strings.Join(parts, "-"), strings.Join(parts, "_")}
}

// look compares one container.
func (f *driftFinder) look(container engine.Container, second bool) {
	object := step.Object{Kind: step.Container, Name: container.Name}
	drift := Drift{Ref: graph.Service(container.Service), Object: object}
	switch {
	case container.Labels[project.LabelConfigHash] == "":
		drift.Reasons = []Reason{{Text: "has the project's labels, and was not made by muster or docker compose"}}
	case second:
		drift.Reasons = []Reason{{Text: "is one more with the number " + strconv.Itoa(observedNumber(container)) + " of its service"}}
	default:
		f.looked++
		fingerprint, err := project.OpenFingerprint(container.Labels[project.LabelSpec])
		if err != nil {
			f.unknown = append(f.unknown, container.Name)
		}
		made := applied{container: container, details: f.State.Details[container.ID], fingerprint: fingerprint, known: err == nil}
		drift.Reasons = slices.Concat(
			made.name(f.Name), made.state(), f.limits(made), f.networks(made), f.image(made),
		)
		f.mounts(container)
	}
	if len(drift.Reasons) > 0 {
		f.found = append(f.found, drift)
	}
}

// limits are what `docker update` has changed.
func (f *driftFinder) limits(made applied) []Reason {
	var reasons []Reason
	for _, d := range f.State.Differences[made.container.ID] {
		if !Changeable(d) || d.Path == "restart" && made.isJobPolicy(d) {
			continue
		}
		reasons = append(reasons, Reason{Change: project.Change{
			Path: d.Path, Old: limitText(d.Path, d.Wanted), New: limitText(d.Path, d.Made), Added: d.Removed, Removed: d.Added,
		}})
	}
	return reasons
}

// limitText is a limit as one writes it in a file: an engine counts bytes and billionths of processors.
func limitText(path, value string) string {
	const billion, unit = 1e9, 1024
	number, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil:
		return value
	case path == "cpus":
		return strconv.FormatFloat(float64(number)/billion, 'f', -1, 64)
	case !strings.HasPrefix(path, "mem"):
		return value
	}
	suffixes := []string{"b", "k", "m", "g"}
	for number != 0 && number%unit == 0 && len(suffixes) > 1 {
		number, suffixes = number/unit, suffixes[1:]
	}
	return strconv.FormatInt(number, 10) + suffixes[0]
}

// mounts are volumes that a container has and the engine has no more.
func (f *driftFinder) mounts(container engine.Container) {
	for _, mount := range container.Mounts {
		if mount.Type != project.MountVolume || mount.Name == "" {
			continue
		}
		if _, there := f.State.volume(mount.Name); !there {
			f.isMissing(graph.Volume(mount.Name), step.Volume, mount.Name)
		}
	}
}

func (f *driftFinder) isMissing(ref graph.Ref, kind step.ObjectKind, name string) {
	f.missing[string(kind)+" "+name] = Drift{
		Ref: ref, Object: step.Object{Kind: kind, Name: name}, Reasons: []Reason{{Text: "was removed"}},
	}
}

// image is that the container's image is gone, or that its name stands for another one now.
func (f *driftFinder) image(made applied) []Reason {
	container := made.container
	if _, there := f.Known[container.ImageID]; !there && container.ImageID != "" {
		return []Reason{{Text: "image " + shortDigest(container.ImageID) + " was removed"}}
	}
	ref := cmp.Or(made.fingerprint.Plain("image"), made.details.Image)
	if ref == "" || strings.HasPrefix(ref, "sha256:") {
		return nil
	}
	now, there := f.Known[project.FamiliarImage(ref)]
	switch {
	case !there:
		return []Reason{{Text: "image " + ref + " is not there under that name any more"}}
	case now.ID == container.ImageID, now.ID == container.Labels[project.LabelImage]:
		return nil
	}
	return []Reason{{Change: project.Change{Path: "image", Old: shortDigest(container.ImageID), New: shortDigest(now.ID)}}}
}
