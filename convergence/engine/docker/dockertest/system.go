package dockertest

import (
	"io"
	"net/http"
	"time"

	apisystem "github.com/docker/docker/api/types/system"
)

const (
	operatingSystem = "linux"
	architecture    = "amd64"
)

func (e *Engine) ping(x *exchange) error {
	header := x.w.Header()
	header.Set("Builder-Version", "2")
	header.Set("Docker-Experimental", "false")
	header.Set("Swarm", "inactive")
	header.Set("Content-Type", "text/plain; charset=utf-8")
	x.w.WriteHeader(http.StatusOK)
	if x.Method == http.MethodGet {
		_, _ = io.WriteString(x.w, "OK")
	}
	return nil
}

// component is a part of the engine, as GET /version lists it.
type component struct {
	Name    string
	Version string
	Details map[string]string
}

func (e *Engine) version(x *exchange) error {
	version, api := e.options.EngineVersion, e.options.APIVersion
	return x.answer(http.StatusOK, map[string]any{
		"Platform": map[string]string{"Name": ""},
		"Components": []component{
			{"Engine", version, map[string]string{"ApiVersion": api, "MinAPIVersion": minAPIVersion, "Os": operatingSystem, "Arch": architecture}},
			{"containerd", "2.1.9", map[string]string{"GitCommit": ""}},
			{"runc", "1.1.5", map[string]string{"GitCommit": ""}},
		},
		"Version": version, "ApiVersion": api, "MinAPIVersion": minAPIVersion,
		"GitCommit": "dockertest", "GoVersion": "go", "Os": operatingSystem, "Arch": architecture,
	})
}

func (e *Engine) info(x *exchange) error {
	e.mutex.Lock()
	info := apisystem.Info{
		ID: hexDigest(e.options.Seed, "engine")[:32], Name: "dockertest", Driver: "overlay2", ServerVersion: e.options.EngineVersion,
		OSType: operatingSystem, Architecture: "x86_64", NCPU: 2, MemTotal: 4 << 30, LoggingDriver: "json-file",
		CgroupDriver: "cgroupfs", CgroupVersion: "2", MemoryLimit: true, OperatingSystem: "dockertest",
		Containers: len(e.containers), Images: len(e.images), DefaultRuntime: "runc",
		SystemTime: e.clock.now().UTC().Format(time.RFC3339Nano),
	}
	for _, c := range e.containers {
		switch {
		case c.state == statePaused:
			info.ContainersPaused++
		case c.isRunning():
			info.ContainersRunning++
		default:
			info.ContainersStopped++
		}
	}
	e.mutex.Unlock()
	return x.answer(http.StatusOK, info)
}
