package dockertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Snapshot is what the engine has at a moment, for assertions; all lists are sorted by name.
type Snapshot struct {
	Containers []ContainerState
	Networks   []NetworkState // without the three that every engine has
	Volumes    []VolumeState
	Images     []ImageState
}

// ContainerState is a container in a snapshot.
type ContainerState struct {
	ID       string
	Name     string
	Image    string
	ImageID  string
	State    string // created, running, paused, restarting, exited
	Health   string // empty without a check
	ExitCode int
	Restarts int
	Policy   string // the restart policy's name
	Labels   map[string]string
	Env      []string
	Networks []string
	Mounts   []string // "volume:target" or "source:target"
	Ports    []string // "8080->80/tcp"
	Log      string   // all that it wrote, both streams
}

// NetworkState is a network in a snapshot.
type NetworkState struct {
	ID      string
	Name    string
	Labels  map[string]string
	Members []string // names of the containers attached
}

// VolumeState is a volume in a snapshot.
type VolumeState struct {
	Name   string
	Labels map[string]string
	Files  map[string]string
}

// ImageState is an image in a snapshot.
type ImageState struct {
	ID   string
	Tags []string
}

// Snapshot tells what the engine has.
func (e *Engine) Snapshot() Snapshot {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	var s Snapshot
	for _, c := range e.containers {
		s.Containers = append(s.Containers, c.snapshot())
	}
	slices.SortFunc(s.Containers, func(a, b ContainerState) int { return strings.Compare(a.Name, b.Name) })
	for _, n := range e.sortedNetworks() {
		if !n.builtin {
			state := NetworkState{ID: n.id, Name: n.name, Labels: maps.Clone(n.options.Labels)}
			for _, member := range n.members {
				state.Members = append(state.Members, member.name)
			}
			slices.Sort(state.Members)
			s.Networks = append(s.Networks, state)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.volumes)) {
		v := e.volumes[name]
		s.Volumes = append(s.Volumes, VolumeState{Name: name, Labels: maps.Clone(v.labels), Files: v.files.texts()})
	}
	for _, id := range slices.Sorted(maps.Keys(e.images)) {
		s.Images = append(s.Images, ImageState{ID: id, Tags: slices.Clone(e.images[id].tags)})
	}
	return s
}

func (c *container) snapshot() ContainerState {
	state := ContainerState{
		ID: c.id, Name: c.name, Image: c.config.Image, ImageID: c.image.id, State: c.state, ExitCode: c.exitCode,
		Restarts: c.restartCount, Policy: string(c.host.RestartPolicy.Name), Labels: maps.Clone(c.config.Labels), Env: slices.Clone(c.config.Env),
	}
	if c.health != nil {
		state.Health = c.health.status
	}
	for _, p := range c.endpoints {
		state.Networks = append(state.Networks, p.key)
	}
	for _, m := range c.mounts {
		source := m.point.Name
		if source == "" {
			source = m.point.Source
		}
		state.Mounts = append(state.Mounts, source+":"+m.point.Destination)
	}
	slices.Sort(state.Mounts)
	for key, bound := range c.ports {
		state.Ports = append(state.Ports, fmt.Sprintf("%d->%s", key.port, bound.target))
	}
	slices.Sort(state.Ports)
	entries, _ := c.log.from(0)
	for _, entry := range entries {
		state.Log += string(entry.text)
	}
	return state
}

func (f *files) texts() map[string]string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	texts := map[string]string{}
	for name, content := range f.content {
		texts[name] = string(content)
	}
	return texts
}

// Container returns the container of that name.
func (s Snapshot) Container(name string) (ContainerState, bool) {
	i := slices.IndexFunc(s.Containers, func(c ContainerState) bool { return c.Name == name })
	if i < 0 {
		return ContainerState{}, false
	}
	return s.Containers[i], true
}

// String is a line for each object, made for goldens: no IDs, no times.
func (s Snapshot) String() string {
	var text strings.Builder
	for _, c := range s.Containers {
		_, _ = fmt.Fprintf(&text, "container %s %s %s", c.Name, c.Image, c.State)
		if c.State == stateExited {
			_, _ = fmt.Fprintf(&text, "(%d)", c.ExitCode)
		}
		for _, list := range [][]string{{c.Health}, c.Networks, c.Mounts, c.Ports} {
			if joined := strings.Join(list, ","); joined != "" {
				text.WriteString(" " + joined)
			}
		}
		text.WriteString("\n")
	}
	for _, n := range s.Networks {
		text.WriteString(strings.TrimRight(fmt.Sprintf("network %s %s", n.Name, strings.Join(n.Members, ",")), " ") + "\n")
	}
	for _, v := range s.Volumes {
		text.WriteString("volume " + v.Name + "\n")
	}
	return text.String()
}
