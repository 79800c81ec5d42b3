package engine_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muster-dev/muster/convergence/engine"
)

// callAll makes every call of the contract once and returns what it said, by name.
func callAll(ctx context.Context, e engine.Engine) map[string]error {
	wait := time.Minute
	none := func() {}
	outcomes := map[string]error{}
	say := func(name string, value any, err error) {
		if err != nil && value != nil && reflect.ValueOf(value).IsZero() {
			err = errors.New("the value is lost")
		}
		outcomes[name] = err
	}
	one := func(name string, err error) { say(name, nil, err) }
	{
		v, err := e.ListContainers(ctx, engine.ContainerFilter{Project: "p"})
		say("ListContainers", v, err)
	}
	{
		v, err := e.InspectContainer(ctx, "web")
		say("InspectContainer", v.Tty, err)
	}
	{
		v, err := e.CompareContainer(ctx, "web", engine.CreateContainer{Name: "web"})
		say("CompareContainer", v, err)
	}
	{
		v, err := e.CreateContainer(ctx, engine.CreateContainer{Name: "web"})
		say("CreateContainer", v.ID, err)
	}
	one("StartContainer", e.StartContainer(ctx, "web"))
	one("StopContainer", e.StopContainer(ctx, "web", &wait))
	one("KillContainer", e.KillContainer(ctx, "web", "HUP"))
	one("PauseContainer", e.PauseContainer(ctx, "web"))
	one("UnpauseContainer", e.UnpauseContainer(ctx, "web"))
	one("RemoveContainer", e.RemoveContainer(ctx, "web", engine.RemoveContainer{Force: true}))
	one("RenameContainer", e.RenameContainer(ctx, "web", "other"))
	one("SetRestartPolicy", e.SetRestartPolicy(ctx, "web", engine.RestartPolicy{Name: "always"}))
	{
		v, err := e.ListNetworks(ctx)
		say("ListNetworks", v, err)
	}
	{
		v, err := e.CreateNetwork(ctx, engine.CreateNetwork{Name: "net"})
		say("CreateNetwork", v, err)
	}
	one("RemoveNetwork", e.RemoveNetwork(ctx, "net"))
	one("ConnectNetwork", e.ConnectNetwork(ctx, "web", engine.Endpoint{Network: "net"}))
	one("DisconnectNetwork", e.DisconnectNetwork(ctx, "web", "net"))
	{
		v, err := e.ListVolumes(ctx)
		say("ListVolumes", v, err)
	}
	{
		v, err := e.CreateVolume(ctx, engine.CreateVolume{Name: "data"})
		say("CreateVolume", v.Name, err)
	}
	one("RemoveVolume", e.RemoveVolume(ctx, "data"))
	callFiles(ctx, e, say)
	{
		v, err := e.ListImages(ctx)
		say("ListImages", v, err)
	}
	{
		v, err := e.InspectImage(ctx, "web:1")
		say("InspectImage", v.ID, err)
	}
	one("PullImage", e.PullImage(ctx, engine.PullImage{Ref: "web:1"}, func(engine.PullProgress) {}))
	{
		v, err := e.RemoteDigest(ctx, "web:1")
		say("RemoteDigest", v, err)
	}
	one("RemoveImage", e.RemoveImage(ctx, "web:1"))
	{
		v, err := e.BuildImage(ctx, engine.BuildImage{Service: "web"}, func(engine.BuildProgress) {})
		say("BuildImage", v.ID, err)
	}
	{
		v, err := e.CheckBuild(ctx, engine.BuildImage{Service: "web"})
		say("CheckBuild", v, err)
	}
	one("Events", e.Events(ctx, engine.EventFilter{Project: "p"}, none, func(engine.Event) error { return nil }))
	one("Logs", e.Logs(ctx, "web", engine.LogOptions{}, func(engine.Frame) error { return nil }))
	{
		v, err := e.Exec(ctx, "web", engine.Exec{User: "root"}, func(engine.Frame) error { return nil })
		say("Exec", v, err)
	}
	one("Attach", e.Attach(ctx, "web", engine.Console{DetachKeys: "ctrl-x"}, nil, func(engine.Frame) error { return nil }))
	{
		v, err := e.HoldSession(ctx, "id")
		say("HoldSession", v != nil, err)
	}
	{
		v, err := e.Version(ctx)
		say("Version", v.Engine, err)
	}
	{
		info, err := e.Info(ctx)
		say("Info", info.Host, err)
	}
	return outcomes
}

// callFiles makes those of callAll that are about files, images of containers, and what these use.
func callFiles(ctx context.Context, e engine.Engine, say func(name string, value any, err error)) {
	one := func(name string, err error) { say(name, nil, err) }
	one("PutArchive", e.PutArchive(ctx, "web", "/", nil, engine.PutArchive{}))
	one("GetArchive", e.GetArchive(ctx, "web", "/", func(engine.PathStat, io.Reader) error { return nil }))
	one("ExportContainer", e.ExportContainer(ctx, "web", nil))
	one("Stats", e.Stats(ctx, "web", true, func(engine.Stats) error { return nil }))
	one("PushImage", e.PushImage(ctx, "web:1", func(engine.PullProgress) {}))
	{
		v, err := e.StatPath(ctx, "web", "/")
		say("StatPath", v.Name, err)
	}
	{
		v, err := e.ListProcesses(ctx, "web")
		say("ListProcesses", v.Titles, err)
	}
	{
		v, err := e.CommitContainer(ctx, engine.CommitContainer{Ref: "web"})
		say("CommitContainer", v, err)
	}
}

// kinds are the calls that are not quick.
func kinds() map[string]engine.CallKind {
	return map[string]engine.CallKind{
		"StopContainer": engine.Patient, "PullImage": engine.Streaming, "BuildImage": engine.Streaming,
		"Events": engine.Streaming, "Logs": engine.Streaming, "Exec": engine.Streaming, "Attach": engine.Streaming,
		"GetArchive": engine.Streaming, "ExportContainer": engine.Streaming, "Stats": engine.Streaming, "PushImage": engine.Streaming,
		"CheckBuild": engine.Streaming,
	}
}

// TestIntercept sends every call of the contract through: once, to the method of its name, with its arguments, value and error.
func TestIntercept(t *testing.T) {
	t.Parallel()
	var told []string
	around := map[string]engine.Call{}
	e := engine.Intercept(&stub{told: func(call string) { told = append(told, call) }},
		func(ctx context.Context, call engine.Call, do func(context.Context) error) error {
			around[call.Name] = call
			return do(ctx)
		})
	for name, err := range callAll(t.Context(), e) {
		if !errors.Is(err, errStub) {
			t.Errorf("%s: error %v, want the engine's own", name, err)
		}
		if around[name].Kind != kinds()[name] {
			t.Errorf("%s: kind %v, want %v", name, around[name].Kind, kinds()[name])
		}
	}
	contract := reflect.TypeFor[engine.Engine]()
	for i := range contract.NumMethod() {
		name := contract.Method(i).Name
		if _, ok := around[name]; !ok && name != "Close" {
			t.Errorf("%s does not go through", name)
		}
	}
	if len(told) != contract.NumMethod()-1 {
		t.Errorf("calls that came through: %v", told)
	}
	for _, call := range told {
		name, arguments, _ := strings.Cut(call, " ")
		if _, ok := around[name]; !ok || arguments == "" && around[name].Object != "" {
			t.Errorf("call %q: intercepted as %+v", call, around[name])
		}
	}
	if err := e.Close(); !errors.Is(err, errStub) {
		t.Errorf("close: %v", err)
	}
}

// TestInterceptRefuses answers in the engine's place.
func TestInterceptRefuses(t *testing.T) {
	t.Parallel()
	errRefused := errors.New("refused")
	e := engine.Intercept(&stub{told: func(call string) { t.Errorf("call came through: %s", call) }},
		func(context.Context, engine.Call, func(context.Context) error) error { return errRefused })
	for name, err := range callAll(t.Context(), e) {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestTrace writes one whole line a call.
func TestTrace(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	synctest.Test(t, func(t *testing.T) {
		e := engine.Trace(&stub{wait: func(context.Context, string) { time.Sleep(1500 * time.Millisecond) }}, &text)
		var group errgroup.Group
		for range 3 {
			group.Go(func() error { return e.StartContainer(t.Context(), "web") })
		}
		_ = group.Wait()
	})
	if want := strings.Repeat("engine   1500.0 ms  StartContainer     web  stub\n", 3); text.String() != want {
		t.Errorf("trace:\n%swant:\n%s", text.String(), want)
	}
}
