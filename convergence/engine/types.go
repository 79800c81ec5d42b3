package engine

import (
	"strconv"
	"strings"
	"time"

	"github.com/muster-dev/muster/project"
)

// State is a container's state in the engine's own words.
type State string

// The states of a container.
const (
	StateCreated    State = "created"
	StateRunning    State = "running"
	StatePaused     State = "paused"
	StateRestarting State = "restarting"
	StateRemoving   State = "removing"
	StateExited     State = "exited"
	StateDead       State = "dead"
)

// Health is what a container's health check says; empty where it has none.
type Health string

// The results of a health check.
const (
	HealthNone      Health = ""
	HealthStarting  Health = "starting"
	HealthHealthy   Health = "healthy"
	HealthUnhealthy Health = "unhealthy"
)

// ContainerFilter says which containers to list. All that is set must match; the zero filter matches every container
// but those of hooks.
type ContainerFilter struct {
	// Project is the name of a project; empty means any.
	Project string
	// AnyProject asks for the containers that belong to some project.
	AnyProject bool
	// Hooks takes in the containers that hooks run in, which are nobody's replicas.
	Hooks bool
}

// Container is what a list tells of a container. The project's facts are read from its labels by the adapter, so that nobody
// else reads labels to know whose it is.
type Container struct {
	ID      string
	Name    string // without the leading slash
	Project string
	Service string
	Number  int // from 1; 0 for a one-off or where the label is missing
	OneOff  bool
	// Hook is the kind of hook that the container was made for; empty for others.
	Hook string

	Image   string // the reference it was created from
	ImageID string
	Command string
	Created time.Time

	State    State
	Health   Health
	ExitCode int    // of the last end; meaningful when State is exited, dead or restarting
	Status   string // the engine's words, as in "Up 3 minutes (healthy)"

	Labels   map[string]string
	Ports    []PublishedPort
	Networks []Attachment // sorted by network name
	Mounts   []MountPoint // sorted by target
	// NetworkMode is the engine's word for where its network comes from, "container:<id>" where it shares another's.
	NetworkMode string
}

// Running says whether the container's process is there: running, paused or about to be restarted.
func (c Container) Running() bool {
	return c.State == StateRunning || c.State == StatePaused || c.State == StateRestarting
}

// Attachment is a container's place in a network.
type Attachment struct {
	Network   string // name
	NetworkID string // empty while the container was never started
	IPv4      string
}

// MountPoint is a mount that a container has.
type MountPoint struct {
	Type     string // bind, volume, tmpfs
	Name     string // of the volume
	Source   string // on the engine's host
	Target   string
	ReadOnly bool
}

// PublishedPort is a container port and where it is reached from; HostPort 0 means that it is not published.
type PublishedPort struct {
	HostIP   string
	HostPort uint16
	Port     uint16
	Protocol string
}

// ContainerDetails is a container with what only an inspect tells.
type ContainerDetails struct {
	Container
	Environment  map[string]string
	Tty          bool
	OpenStdin    bool // it reads what those write who attach to it
	StdinOnce    bool // and no more once one of them has said that this was all
	RestartCount int
	OOMKilled    bool   // the engine may notice late, or never: the exit code of such an end is 137
	Error        string // the engine's, of a start that failed
	StartedAt    time.Time
	FinishedAt   time.Time
	Restart      RestartPolicy
	// Endpoints are its attachments as they were asked for, sorted by network: what it takes to make them again.
	Endpoints   []Endpoint
	HealthCheck *HealthCheck // nil where the container has none, or never ran
}

// HealthCheck is the state of a container's health check.
type HealthCheck struct {
	Status        Health
	FailingStreak int
	Retries       int           // how many failures make it unhealthy
	Probes        []ProbeResult // the newest last; the engine keeps five, those of earlier runs too
}

// ProbeResult is the end of one run of a health check.
type ProbeResult struct {
	Start    time.Time
	End      time.Time
	ExitCode int
	Output   string
}

// RestartPolicy is what the engine does when a container ends.
type RestartPolicy struct {
	Name       string // no, always, unless-stopped, on-failure
	MaxRetries int    // of on-failure; 0 means no limit
}

// CreateContainer is a container to be created, with everything that was decided about it. The adapter translates the
// service's attributes and decides no name, no label and no mount of its own.
type CreateContainer struct {
	Name    string
	Labels  map[string]string
	Service project.Service
	Image   string // reference or ID
	Number  int
	// Networks are the attachments, the primary one first. Empty when the network mode is not a network of the project.
	Networks []Endpoint
	// NetworkMode is the engine's network mode when it is not the primary network's name: none, host, container:<ref>.
	NetworkMode string
	// Namespaces are the ipc and pid modes with any service resolved to a container.
	IPC, PID string
	// VolumesFrom are containers, with ":ro" where read only.
	VolumesFrom []string
	// Mounts are all mounts: volumes under the engine's names, binds with absolute paths, secrets and configs from files,
	// and the anonymous volumes taken over from the container that this one replaces.
	Mounts []project.Mount
	// Links are the service's links, resolved to container names: "container:alias".
	Links []string
	// Attached says that somebody will attach to its input before it starts: that ends for the process when they say so.
	Attached bool
	// AutoRemove has the engine remove it, with its anonymous volumes, when it has ended.
	AutoRemove bool
	// ConsoleSize is the size of its terminal at the start, where it has one and the size is known.
	ConsoleSize Size
}

// Difference is an attribute that a container was created with otherwise than a request asks for.
type Difference struct {
	Path         string // in the words of the Compose Specification, "environment.LEVEL", "volumes./data"
	Made, Wanted string
	Added        bool // the container does not have it
	Removed      bool // the request does not ask for it
}

// Created is the outcome of a creation.
type Created struct {
	ID       string
	Warnings []string // the engine's
}

// RemoveContainer are the options of a removal.
type RemoveContainer struct {
	Force   bool // kill it first if it runs
	Volumes bool // remove its anonymous volumes too
}

// Endpoint is an attachment to a network that is to be made.
type Endpoint struct {
	Network string // the engine's name for it
	Aliases []string
	Options *project.Endpoint // what the file says; nil where it says nothing
}

// Network is a network that the engine has.
type Network struct {
	ID     string
	Name   string
	Labels map[string]string
	// Settings are driver, options and addresses as the engine has them: enough to make it again.
	Settings project.Network
}

// CreateNetwork is a network to be created.
type CreateNetwork struct {
	Name    string
	Labels  map[string]string
	Network project.Network
}

// Volume is a volume that the engine has.
type Volume struct {
	Name       string
	Driver     string
	Mountpoint string
	Labels     map[string]string
	Options    map[string]string
}

// CreateVolume is a volume to be created.
type CreateVolume struct {
	Name   string
	Labels map[string]string
	Volume project.Volume
}

// Image is an image that the engine has.
type Image struct {
	ID      string   // content digest, with its algorithm
	Tags    []string // familiar references: "nginx:1.27"
	Digests []string // "nginx@sha256:..."
	Size    int64    // bytes
	Created time.Time
	Labels  map[string]string

	// The rest only an inspect tells.
	OS           string
	Architecture string
	Variant      string
	HasHealth    bool
	Volumes      []string // the targets that the image declares, sorted
	LastTagged   time.Time
}

// PullImage is an image to be brought.
type PullImage struct {
	Ref      string
	Platform string // os/arch[/variant]; empty leaves it to the engine
}

// CommitContainer is an image to be made of a container.
type CommitContainer struct {
	Ref       string // of the container
	Reference string // of the image, "shop/web:1"; empty gives it none
	Author    string
	Message   string
	// Changes are instructions of a Dockerfile that change the image's settings: `CMD ["serve"]`.
	Changes []string
	// Pause freezes the container meanwhile, so that what it writes is whole.
	Pause bool
}

// PullProgress says how far a pull or a push is. Done and Total are bytes over all layers known so far; Total may grow.
type PullProgress struct {
	Status string // the engine's words for the last thing that changed
	Done   int64
	Total  int64
}

// EventFilter says which events to be told of.
type EventFilter struct {
	// Project limits the events to those that carry the project's label; empty means all. An engine puts labels on the
	// events of containers only: networks and volumes are seen without this filter.
	Project string
	// Volume limits the events to those of one volume, by its name; empty means all.
	Volume string
	// Since asks for what the engine still remembers from that moment of its own clock on; zero means from now on.
	Since time.Time
	// Until ends the subscription at that moment of the engine's clock; zero means never. A moment that is over brings what the
	// engine remembers from before it.
	Until time.Time
}

// EventKind is the sort of thing that an event is about.
type EventKind string

// Kinds of events.
const (
	EventContainer EventKind = "container"
	EventNetwork   EventKind = "network"
	EventVolume    EventKind = "volume"
	EventImage     EventKind = "image"
	// EventResync is not the engine's: the connection was lost and stands again, so whoever follows must look afresh.
	EventResync EventKind = "resync"
)

// Event is something that happened in the engine.
type Event struct {
	Kind   EventKind
	Action string // create, start, die, stop, kill, oom, destroy, rename, health_status, exec_die, ...
	ID     string // of the object; a volume's name
	Time   time.Time

	// The rest is for containers.
	Name     string
	Project  string
	Service  string
	Number   int
	OneOff   bool
	Hook     string // the kind of hook that the container was made for
	ExitCode int    // of die and exec_die
	Health   Health // of health_status
	// Detail is what follows the action after a colon: the health, or the command of exec_create and exec_start.
	Detail string
	// Attributes are all that the engine tells with the event, the container's labels among it. Not to be changed.
	Attributes map[string]string
}

// Whole is the action with its detail, in the engine's words: "health_status: healthy".
func (e Event) Whole() string {
	if e.Detail == "" {
		return e.Action
	}
	return e.Action + ": " + e.Detail
}

// Stream is where a container wrote.
type Stream uint8

// The streams of a container. One with a terminal has only Stdout.
const (
	Stdout Stream = iota + 1
	Stderr
)

// LogOptions says which part of a container's output to read.
type LogOptions struct {
	Follow     bool
	Since      time.Time // that moment included; zero means from the start
	Until      time.Time // that moment included; zero means no end
	Tail       int       // the last lines of the whole history, parts counted as lines; negative means all
	Timestamps bool      // each frame begins with RFC 3339 with nanoseconds and a space
}

// Frame is a piece of a container's output: usually one line with its end, a part of 16 KB of one when it is long, all parts
// with the time of the first. Without a terminal; with one it is what happens to come, and times stand within the text.
type Frame struct {
	Stream Stream
	Data   []byte
	// More says that the next frame has come already: whoever takes frames loses no time by waiting for it.
	More bool
}

// Version says who the engine is.
type Version struct {
	Engine     string // "28.5.2"
	API        string // in use: "1.51"
	OS         string
	Arch       string
	Components map[string]string
}

// HasAPI says whether the API in use is of a version or newer, "1.44".
func (v Version) HasAPI(wanted string) bool {
	major, minor := apiNumbers(v.API)
	wantedMajor, wantedMinor := apiNumbers(wanted)
	return major > wantedMajor || major == wantedMajor && minor >= wantedMinor
}

func apiNumbers(version string) (major, minor int) {
	first, second, _ := strings.Cut(version, ".")
	major, _ = strconv.Atoi(first)
	minor, _ = strconv.Atoi(second)
	return major, minor
}
