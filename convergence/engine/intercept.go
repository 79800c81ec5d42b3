package engine

import (
	"context"
	"time"
)

// Call is one call to an engine, as a decorator sees it.
type Call struct {
	Name   string // "CreateContainer"
	Object string // what it is about: a name, a reference, an ID; empty for lists
	Kind   CallKind
}

// CallKind says how a call spends its time.
type CallKind uint8

// Kinds of calls.
const (
	// Quick calls ask the engine to do something now.
	Quick CallKind = iota
	// Patient calls mostly wait for a container to end.
	Patient
	// Streaming calls last as long as something is to be told: events, logs, a pull, a build, a command in a container.
	Streaming
)

// Intercept returns an engine whose every call goes through around, which must call do exactly once and return its error,
// or return an error of its own instead. around is called from many goroutines at once.
func Intercept(next Engine, around func(ctx context.Context, call Call, do func(context.Context) error) error) Engine {
	return &intercepted{next: next, around: around}
}

type intercepted struct {
	next   Engine
	around func(ctx context.Context, call Call, do func(context.Context) error) error
}

func result[T any](
	ctx context.Context, i *intercepted, call Call, do func(context.Context) (T, error),
) (value T, err error) {
	err = i.around(ctx, call, func(ctx context.Context) error {
		var err error
		value, err = do(ctx)
		return err
	})
	return value, err
}

func (i *intercepted) ListContainers(ctx context.Context, filter ContainerFilter) ([]Container, error) {
	return result(ctx, i, Call{Name: "ListContainers"}, func(ctx context.Context) ([]Container, error) {
		return i.next.ListContainers(ctx, filter)
	})
}

func (i *intercepted) InspectContainer(ctx context.Context, ref string) (ContainerDetails, error) {
	return result(ctx, i, Call{Name: "InspectContainer", Object: ref}, func(ctx context.Context) (ContainerDetails, error) {
		return i.next.InspectContainer(ctx, ref)
	})
}

func (i *intercepted) CompareContainer(ctx context.Context, ref string, request CreateContainer) ([]Difference, error) {
	return result(ctx, i, Call{Name: "CompareContainer", Object: ref}, func(ctx context.Context) ([]Difference, error) {
		return i.next.CompareContainer(ctx, ref, request)
	})
}

func (i *intercepted) CreateContainer(ctx context.Context, request CreateContainer) (Created, error) {
	return result(ctx, i, Call{Name: "CreateContainer", Object: request.Name}, func(ctx context.Context) (Created, error) {
		return i.next.CreateContainer(ctx, request)
	})
}

func (i *intercepted) StartContainer(ctx context.Context, ref string) error {
	return i.around(ctx, Call{Name: "StartContainer", Object: ref}, func(ctx context.Context) error {
		return i.next.StartContainer(ctx, ref)
	})
}

func (i *intercepted) StopContainer(ctx context.Context, ref string, timeout *time.Duration) error {
	return i.around(ctx, Call{Name: "StopContainer", Object: ref, Kind: Patient}, func(ctx context.Context) error {
		return i.next.StopContainer(ctx, ref, timeout)
	})
}

func (i *intercepted) KillContainer(ctx context.Context, ref, signal string) error {
	return i.around(ctx, Call{Name: "KillContainer", Object: ref}, func(ctx context.Context) error {
		return i.next.KillContainer(ctx, ref, signal)
	})
}

func (i *intercepted) PauseContainer(ctx context.Context, ref string) error {
	return i.around(ctx, Call{Name: "PauseContainer", Object: ref}, func(ctx context.Context) error {
		return i.next.PauseContainer(ctx, ref)
	})
}

func (i *intercepted) UnpauseContainer(ctx context.Context, ref string) error {
	return i.around(ctx, Call{Name: "UnpauseContainer", Object: ref}, func(ctx context.Context) error {
		return i.next.UnpauseContainer(ctx, ref)
	})
}

func (i *intercepted) RemoveContainer(ctx context.Context, ref string, options RemoveContainer) error {
	return i.around(ctx, Call{Name: "RemoveContainer", Object: ref}, func(ctx context.Context) error {
		return i.next.RemoveContainer(ctx, ref, options)
	})
}

func (i *intercepted) RenameContainer(ctx context.Context, ref, name string) error {
	return i.around(ctx, Call{Name: "RenameContainer", Object: ref}, func(ctx context.Context) error {
		return i.next.RenameContainer(ctx, ref, name)
	})
}

func (i *intercepted) SetRestartPolicy(ctx context.Context, ref string, policy RestartPolicy) error {
	return i.around(ctx, Call{Name: "SetRestartPolicy", Object: ref}, func(ctx context.Context) error {
		return i.next.SetRestartPolicy(ctx, ref, policy)
	})
}

func (i *intercepted) ListNetworks(ctx context.Context) ([]Network, error) {
	return result(ctx, i, Call{Name: "ListNetworks"}, i.next.ListNetworks)
}

func (i *intercepted) CreateNetwork(ctx context.Context, request CreateNetwork) (string, error) {
	return result(ctx, i, Call{Name: "CreateNetwork", Object: request.Name}, func(ctx context.Context) (string, error) {
		return i.next.CreateNetwork(ctx, request)
	})
}

func (i *intercepted) RemoveNetwork(ctx context.Context, ref string) error {
	return i.around(ctx, Call{Name: "RemoveNetwork", Object: ref}, func(ctx context.Context) error {
		return i.next.RemoveNetwork(ctx, ref)
	})
}

func (i *intercepted) ConnectNetwork(ctx context.Context, containerRef string, endpoint Endpoint) error {
	return i.around(ctx, Call{Name: "ConnectNetwork", Object: containerRef}, func(ctx context.Context) error {
		return i.next.ConnectNetwork(ctx, containerRef, endpoint)
	})
}

func (i *intercepted) DisconnectNetwork(ctx context.Context, containerRef, networkRef string) error {
	return i.around(ctx, Call{Name: "DisconnectNetwork", Object: containerRef}, func(ctx context.Context) error {
		return i.next.DisconnectNetwork(ctx, containerRef, networkRef)
	})
}

func (i *intercepted) ListVolumes(ctx context.Context) ([]Volume, error) {
	return result(ctx, i, Call{Name: "ListVolumes"}, i.next.ListVolumes)
}

func (i *intercepted) CreateVolume(ctx context.Context, request CreateVolume) (Volume, error) {
	return result(ctx, i, Call{Name: "CreateVolume", Object: request.Name}, func(ctx context.Context) (Volume, error) {
		return i.next.CreateVolume(ctx, request)
	})
}

func (i *intercepted) RemoveVolume(ctx context.Context, name string) error {
	return i.around(ctx, Call{Name: "RemoveVolume", Object: name}, func(ctx context.Context) error {
		return i.next.RemoveVolume(ctx, name)
	})
}

func (i *intercepted) ListImages(ctx context.Context) ([]Image, error) {
	return result(ctx, i, Call{Name: "ListImages"}, i.next.ListImages)
}

func (i *intercepted) InspectImage(ctx context.Context, ref string) (Image, error) {
	return result(ctx, i, Call{Name: "InspectImage", Object: ref}, func(ctx context.Context) (Image, error) {
		return i.next.InspectImage(ctx, ref)
	})
}

func (i *intercepted) PullImage(ctx context.Context, request PullImage, report func(PullProgress)) error {
	return i.around(ctx, Call{Name: "PullImage", Object: request.Ref, Kind: Streaming}, func(ctx context.Context) error {
		return i.next.PullImage(ctx, request, report)
	})
}

func (i *intercepted) PushImage(ctx context.Context, ref string, report func(PullProgress)) error {
	return i.around(ctx, Call{Name: "PushImage", Object: ref, Kind: Streaming}, func(ctx context.Context) error {
		return i.next.PushImage(ctx, ref, report)
	})
}

func (i *intercepted) CommitContainer(ctx context.Context, request CommitContainer) (string, error) {
	return result(ctx, i, Call{Name: "CommitContainer", Object: request.Ref}, func(ctx context.Context) (string, error) {
		return i.next.CommitContainer(ctx, request)
	})
}

func (i *intercepted) RemoteDigest(ctx context.Context, ref string) (string, error) {
	return result(ctx, i, Call{Name: "RemoteDigest", Object: ref}, func(ctx context.Context) (string, error) {
		return i.next.RemoteDigest(ctx, ref)
	})
}

func (i *intercepted) RemoveImage(ctx context.Context, ref string) error {
	return i.around(ctx, Call{Name: "RemoveImage", Object: ref}, func(ctx context.Context) error {
		return i.next.RemoveImage(ctx, ref)
	})
}

func (i *intercepted) BuildImage(ctx context.Context, request BuildImage, report func(BuildProgress)) (BuiltImage, error) {
	call := Call{Name: "BuildImage", Object: request.Service, Kind: Streaming}
	return result(ctx, i, call, func(ctx context.Context) (BuiltImage, error) {
		return i.next.BuildImage(ctx, request, report)
	})
}

func (i *intercepted) CheckBuild(ctx context.Context, request BuildImage) ([]BuildFinding, error) {
	call := Call{Name: "CheckBuild", Object: request.Service, Kind: Streaming}
	return result(ctx, i, call, func(ctx context.Context) ([]BuildFinding, error) {
		return i.next.CheckBuild(ctx, request)
	})
}

func (i *intercepted) Events(ctx context.Context, filter EventFilter, ready func(), yield func(Event) error) error {
	return i.around(ctx, Call{Name: "Events", Object: filter.Project, Kind: Streaming}, func(ctx context.Context) error {
		return i.next.Events(ctx, filter, ready, yield)
	})
}

func (i *intercepted) Logs(ctx context.Context, ref string, options LogOptions, yield func(Frame) error) error {
	return i.around(ctx, Call{Name: "Logs", Object: ref, Kind: Streaming}, func(ctx context.Context) error {
		return i.next.Logs(ctx, ref, options, yield)
	})
}

func (i *intercepted) Exec(ctx context.Context, ref string, request Exec, output func(Frame) error) (int, error) {
	return result(ctx, i, Call{Name: "Exec", Object: ref, Kind: Streaming}, func(ctx context.Context) (int, error) {
		return i.next.Exec(ctx, ref, request, output)
	})
}

func (i *intercepted) Attach(
	ctx context.Context, ref string, console Console, ready func(), output func(Frame) error,
) error {
	return i.around(ctx, Call{Name: "Attach", Object: ref, Kind: Streaming}, func(ctx context.Context) error {
		return i.next.Attach(ctx, ref, console, ready, output)
	})
}

func (i *intercepted) Version(ctx context.Context) (Version, error) {
	return result(ctx, i, Call{Name: "Version"}, i.next.Version)
}

func (i *intercepted) Info(ctx context.Context) (Info, error) {
	return result(ctx, i, Call{Name: "Info"}, i.next.Info)
}

func (i *intercepted) Close() error { return i.next.Close() }
