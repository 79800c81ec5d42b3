package engine_test

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

// errStub is what every call to a stub fails with, so that decorators have an error to hand on.
var errStub = errors.New("stub")

// stub is an engine whose every call is told, waits until it is let go, and fails with errStub and a value.
type stub struct {
	told func(call string)
	wait func(ctx context.Context, call string)
}

func (s *stub) call(ctx context.Context, name, object string) error {
	if s.told != nil {
		s.told(name + " " + object)
	}
	if s.wait != nil {
		s.wait(ctx, name)
	}
	return errStub
}

func (s *stub) ListContainers(ctx context.Context, filter engine.ContainerFilter) ([]engine.Container, error) {
	return []engine.Container{{Name: "c"}}, s.call(ctx, "ListContainers", filter.Project)
}

func (s *stub) InspectContainer(ctx context.Context, ref string) (engine.ContainerDetails, error) {
	return engine.ContainerDetails{Tty: true}, s.call(ctx, "InspectContainer", ref)
}

func (s *stub) CompareContainer(ctx context.Context, ref string, _ engine.CreateContainer) ([]engine.Difference, error) {
	return []engine.Difference{{Path: "user"}}, s.call(ctx, "CompareContainer", ref)
}

func (s *stub) CreateContainer(ctx context.Context, request engine.CreateContainer) (engine.Created, error) {
	return engine.Created{ID: "id"}, s.call(ctx, "CreateContainer", request.Name)
}

func (s *stub) StartContainer(ctx context.Context, ref string) error {
	return s.call(ctx, "StartContainer", ref)
}

func (s *stub) StopContainer(ctx context.Context, ref string, timeout *time.Duration) error {
	return s.call(ctx, "StopContainer", ref+" "+timeout.String())
}

func (s *stub) KillContainer(ctx context.Context, ref, signal string) error {
	return s.call(ctx, "KillContainer", ref+" "+signal)
}

func (s *stub) PauseContainer(ctx context.Context, ref string) error {
	return s.call(ctx, "PauseContainer", ref)
}

func (s *stub) UnpauseContainer(ctx context.Context, ref string) error {
	return s.call(ctx, "UnpauseContainer", ref)
}

func (s *stub) RemoveContainer(ctx context.Context, ref string, options engine.RemoveContainer) error {
	if options.Force {
		ref += " force"
	}
	return s.call(ctx, "RemoveContainer", ref)
}

func (s *stub) RenameContainer(ctx context.Context, ref, name string) error {
	return s.call(ctx, "RenameContainer", ref+" "+name)
}

func (s *stub) SetRestartPolicy(ctx context.Context, ref string, policy engine.RestartPolicy) error {
	return s.call(ctx, "SetRestartPolicy", ref+" "+policy.Name)
}

func (s *stub) ListNetworks(ctx context.Context) ([]engine.Network, error) {
	return []engine.Network{{Name: "n"}}, s.call(ctx, "ListNetworks", "")
}

func (s *stub) CreateNetwork(ctx context.Context, request engine.CreateNetwork) (string, error) {
	return "id", s.call(ctx, "CreateNetwork", request.Name)
}

func (s *stub) RemoveNetwork(ctx context.Context, ref string) error {
	return s.call(ctx, "RemoveNetwork", ref)
}

func (s *stub) ConnectNetwork(ctx context.Context, containerRef string, endpoint engine.Endpoint) error {
	return s.call(ctx, "ConnectNetwork", containerRef+" "+endpoint.Network)
}

func (s *stub) DisconnectNetwork(ctx context.Context, containerRef, networkRef string) error {
	return s.call(ctx, "DisconnectNetwork", containerRef+" "+networkRef)
}

func (s *stub) ListVolumes(ctx context.Context) ([]engine.Volume, error) {
	return []engine.Volume{{Name: "v"}}, s.call(ctx, "ListVolumes", "")
}

func (s *stub) CreateVolume(ctx context.Context, request engine.CreateVolume) (engine.Volume, error) {
	return engine.Volume{Name: "v"}, s.call(ctx, "CreateVolume", request.Name)
}

func (s *stub) PutArchive(ctx context.Context, ref, folder string, _ io.Reader, _ engine.PutArchive) error {
	return s.call(ctx, "PutArchive", ref+":"+folder)
}

func (s *stub) GetArchive(ctx context.Context, ref, path string, read func(engine.PathStat, io.Reader) error) error {
	_ = read(engine.PathStat{}, nil)
	return s.call(ctx, "GetArchive", ref+":"+path)
}

func (s *stub) StatPath(ctx context.Context, ref, path string) (engine.PathStat, error) {
	return engine.PathStat{Name: "x"}, s.call(ctx, "StatPath", ref+":"+path)
}

func (s *stub) ExportContainer(ctx context.Context, ref string, _ io.Writer) error {
	return s.call(ctx, "ExportContainer", ref)
}

func (s *stub) ListProcesses(ctx context.Context, ref string) (engine.Processes, error) {
	return engine.Processes{Titles: []string{"PID"}}, s.call(ctx, "ListProcesses", ref)
}

func (s *stub) Stats(ctx context.Context, ref string, _ bool, yield func(engine.Stats) error) error {
	_ = yield(engine.Stats{})
	return s.call(ctx, "Stats", ref)
}

func (s *stub) PushImage(ctx context.Context, ref string, report func(engine.PullProgress)) error {
	report(engine.PullProgress{})
	return s.call(ctx, "PushImage", ref)
}

func (s *stub) CommitContainer(ctx context.Context, request engine.CommitContainer) (string, error) {
	return "i", s.call(ctx, "CommitContainer", request.Ref)
}

func (s *stub) RemoveVolume(ctx context.Context, name string) error {
	return s.call(ctx, "RemoveVolume", name)
}

func (s *stub) ListImages(ctx context.Context) ([]engine.Image, error) {
	return []engine.Image{{ID: "i"}}, s.call(ctx, "ListImages", "")
}

func (s *stub) InspectImage(ctx context.Context, ref string) (engine.Image, error) {
	return engine.Image{ID: "i"}, s.call(ctx, "InspectImage", ref)
}

func (s *stub) PullImage(ctx context.Context, request engine.PullImage, report func(engine.PullProgress)) error {
	report(engine.PullProgress{})
	return s.call(ctx, "PullImage", request.Ref)
}

func (s *stub) RemoteDigest(ctx context.Context, ref string) (string, error) {
	return "d", s.call(ctx, "RemoteDigest", ref)
}

func (s *stub) RemoveImage(ctx context.Context, ref string) error {
	return s.call(ctx, "RemoveImage", ref)
}

func (s *stub) BuildImage(ctx context.Context, request engine.BuildImage, report func(engine.BuildProgress)) (engine.BuiltImage, error) {
	report(engine.BuildProgress{})
	return engine.BuiltImage{ID: "i"}, s.call(ctx, "BuildImage", request.Service)
}

func (s *stub) CheckBuild(ctx context.Context, request engine.BuildImage) ([]engine.BuildFinding, error) {
	return []engine.BuildFinding{{Rule: "r"}}, s.call(ctx, "CheckBuild", request.Service)
}

func (s *stub) Events(ctx context.Context, filter engine.EventFilter, ready func(), yield func(engine.Event) error) error {
	ready()
	_ = yield(engine.Event{})
	return s.call(ctx, "Events", filter.Project)
}

func (s *stub) Logs(ctx context.Context, ref string, _ engine.LogOptions, yield func(engine.Frame) error) error {
	_ = yield(engine.Frame{})
	return s.call(ctx, "Logs", ref)
}

func (s *stub) Attach(ctx context.Context, ref string, console engine.Console, _ func(), _ func(engine.Frame) error) error {
	return s.call(ctx, "Attach", ref+" "+console.DetachKeys)
}

func (s *stub) Exec(ctx context.Context, ref string, request engine.Exec, output func(engine.Frame) error) (int, error) {
	_ = output(engine.Frame{})
	return 1, s.call(ctx, "Exec", ref+" "+request.User)
}

func (s *stub) HoldSession(ctx context.Context, id string) (engine.Session, error) {
	return stubSession{}, s.call(ctx, "HoldSession", id)
}

// stubSession is a session that nobody holds.
type stubSession struct{ engine.Session }

func (s *stub) Version(ctx context.Context) (engine.Version, error) {
	return engine.Version{Engine: "e"}, s.call(ctx, "Version", "")
}

func (s *stub) Info(ctx context.Context) (engine.Info, error) {
	return engine.Info{Host: "h"}, s.call(ctx, "Info", "")
}

func (s *stub) Close() error { return errStub }
