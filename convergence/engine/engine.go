// Package engine is the boundary between Muster and whatever runs containers.
//
// Everything above it speaks these plain values; only engine/docker below it knows a client library. Every method takes the
// caller's context first, may be called from many goroutines at once, and returns errors that match the sentinels of
// errors.go under [errors.Is]. Nothing here decides: names, labels and order come from the caller.
package engine

import (
	"context"
	"time"
)

// Engine is a container engine. It is the union of small interfaces, so that consumers ask for the part they use.
type Engine interface {
	Containers
	Networks
	Volumes
	Copies
	Monitors
	Images
	Builds
	Streams
	Execs
	Sessions
	System
}

// Containers creates, runs and removes containers (Docker Engine API, /containers).
type Containers interface {
	// ListContainers returns the containers that match, running or not, sorted by name. One call to the engine.
	ListContainers(ctx context.Context, filter ContainerFilter) ([]Container, error)
	// InspectContainer returns one container with what a list does not tell. The reference is an ID or a name.
	InspectContainer(ctx context.Context, ref string) (ContainerDetails, error)
	// CompareContainer tells in what a container differs from what a request would create, sorted by path; nothing where they are the
	// same. What the engine and the image add is no difference, nor whose the container is and who made it. What an engine does not
	// tell is not compared: a fixed address of an interface that the request leaves open, and the way to log where it does.
	CompareContainer(ctx context.Context, ref string, request CreateContainer) ([]Difference, error)
	// CreateContainer creates a container and attaches it to all its networks; nothing is left behind when it fails.
	// On an API without several endpoints in a create request (below 1.44) it is a create and the missing connects.
	CreateContainer(ctx context.Context, request CreateContainer) (Created, error)
	// StartContainer starts a created or stopped container; one that runs, or waits for its restart, is left alone. When it
	// cannot be started it stays what it was, with the reason in ContainerDetails.Error: [ErrConflict] when a port or an
	// address that it asks for is taken, or the container whose network it shares does not run; [ErrNotFound] when a
	// network is missing; [ErrInvalid] when its command is. Networks are looked for by name, now and not at the creation.
	StartContainer(ctx context.Context, ref string) error
	// StopContainer asks the container to end and kills it when the timeout is over; it returns when the container has ended.
	// A nil timeout leaves it to the container's own stop timeout. One that does not run is left alone. The engine goes on
	// with the stop when the context ends.
	StopContainer(ctx context.Context, ref string, timeout *time.Duration) error
	// KillContainer sends a signal; an empty one means SIGKILL, and then it returns when the container has ended.
	// [ErrConflict] when it does not run. SIGKILL and the container's stop signal, or any signal where it names none, end its
	// restarts until the next start.
	KillContainer(ctx context.Context, ref, signal string) error
	// PauseContainer freezes a container's processes. [ErrConflict] when it does not run, waits for its restart, or is paused.
	PauseContainer(ctx context.Context, ref string) error
	// UnpauseContainer lets a paused container go on. [ErrConflict] when it is not paused.
	UnpauseContainer(ctx context.Context, ref string) error
	// RemoveContainer removes a container: a running one only with Force, else [ErrConflict]. [ErrNotFound] when there is none.
	RemoveContainer(ctx context.Context, ref string, options RemoveContainer) error
	// RenameContainer gives a container, running or not, a new name. [ErrConflict] when the name is taken.
	RenameContainer(ctx context.Context, ref, name string) error
	// SetRestartPolicy changes what the engine does when the container ends.
	SetRestartPolicy(ctx context.Context, ref string, policy RestartPolicy) error
}

// Networks creates and removes networks (Docker Engine API, /networks).
type Networks interface {
	// ListNetworks returns all networks of the engine, the project's and others, sorted by name. One call to the engine.
	ListNetworks(ctx context.Context) ([]Network, error)
	// CreateNetwork returns the new network's ID. [ErrConflict] when the name or a part of the subnet is taken.
	CreateNetwork(ctx context.Context, request CreateNetwork) (string, error)
	// RemoveNetwork removes a network by ID or name. [ErrNotFound] when there is none, [ErrInUse] while something is attached:
	// containers that do not run are not.
	RemoveNetwork(ctx context.Context, ref string) error
	// ConnectNetwork attaches a container to a network. [ErrConflict] when it is attached already.
	ConnectNetwork(ctx context.Context, containerRef string, endpoint Endpoint) error
	// DisconnectNetwork detaches a container from a network. [ErrNotFound] when it is not attached or either is gone.
	DisconnectNetwork(ctx context.Context, containerRef, networkRef string) error
}

// Volumes creates and removes volumes (Docker Engine API, /volumes).
type Volumes interface {
	// ListVolumes returns all volumes of the engine, the project's and others, sorted by name. One call to the engine.
	ListVolumes(ctx context.Context) ([]Volume, error)
	// CreateVolume returns the volume of that name: a new one, or, without an error, the one that was there already with
	// its own labels (the engine's way, which makes it an atomic test-and-set).
	CreateVolume(ctx context.Context, request CreateVolume) (Volume, error)
	// RemoveVolume removes a volume and its data. [ErrNotFound] when there is none, [ErrInUse] while a container mounts it.
	RemoveVolume(ctx context.Context, name string) error
}

// Images looks at images and brings them (Docker Engine API, /images and /distribution).
type Images interface {
	// ListImages returns all images that the engine has. One call to the engine.
	ListImages(ctx context.Context) ([]Image, error)
	// InspectImage returns one image, by reference or ID, with its configuration. [ErrNotFound] when there is none.
	InspectImage(ctx context.Context, ref string) (Image, error)
	// PullImage brings an image and returns when it is there. report is called from one goroutine at a time. [ErrNotFound]
	// when the registry does not have it, [ErrDenied] when it does not give it; what else goes wrong between engine and
	// registry matches no sentinel.
	PullImage(ctx context.Context, request PullImage, report func(PullProgress)) error
	// RemoteDigest asks the registry which digest a reference stands for now. Nothing is pulled. Errors are PullImage's.
	RemoteDigest(ctx context.Context, ref string) (string, error)
	// PushImage brings an image that the engine has to the registry that its reference names, and returns when it is there. report is
	// called from one goroutine at a time. [ErrNotFound] when the engine does not have it, [ErrDenied] when the registry does not
	// take it; what else goes wrong between engine and registry matches no sentinel.
	PushImage(ctx context.Context, ref string, report func(PullProgress)) error
	// CommitContainer makes an image of what a container has written and of its settings, and returns its ID. What is mounted is not
	// in it. [ErrInvalid] when a change cannot be read or the reference is none.
	CommitContainer(ctx context.Context, request CommitContainer) (imageID string, err error)
	// RemoveImage removes a reference, and with its last one the image and its parents that nothing else needs; an ID removes the
	// image. Nothing is forced. [ErrNotFound] when there is none, [ErrConflict] while a container uses it.
	RemoveImage(ctx context.Context, ref string) error
}

// Streams follows what happens and what is written.
type Streams interface {
	// Events calls yield for every event from the moment it has subscribed, one at a time, until the context ends, yield
	// returns an error, the filter's end has come (nil), or the connection is lost ([ErrUnavailable]). ready, when it is not nil, is called once the
	// subscription stands: what is looked at after that cannot miss a change. yield must not dawdle: an engine drops what a
	// subscriber does not take. The events of a stop come in the order kill, then stop and die in either order; oom may come
	// after its die, or not at all.
	Events(ctx context.Context, filter EventFilter, ready func(), yield func(Event) error) error
	// Logs calls yield for every frame that a container wrote, in order within each stream, until history ends or, when
	// following, the run does that goes on at the call: a restart is another run, and of a container that does not run only
	// history comes. The frame's bytes are only valid during the call. A slow yield holds the engine's stream back.
	Logs(ctx context.Context, ref string, options LogOptions, yield func(Frame) error) error
}

// System is the engine itself.
type System interface {
	// Version reports the engine's version and the API version in use, after negotiation.
	Version(ctx context.Context) (Version, error)
	// Info tells what the engine is and what it runs on, its version without the components. One call to the engine.
	Info(ctx context.Context) (Info, error)
	// Close frees the connections. The engine is not to be used after it.
	Close() error
}
