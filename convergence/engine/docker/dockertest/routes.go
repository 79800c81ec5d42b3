package dockertest

import (
	"strings"
)

// route is one endpoint of the API. In its pattern {name} stands for one part of a path and {name...} for one or more.
type route struct {
	method, pattern string
	handle          func(*Engine, *exchange) error
}

// name is how calls are counted: "POST /containers/{id}/start"; "unknown" for no route.
func (r *route) name() string {
	if r == nil {
		return unknownRoute
	}
	return r.method + " " + r.pattern
}

const unknownRoute = "unknown"

// routes are all endpoints, the specific before the general ones.
func routes() []route {
	return append(archiveRoutes(), []route{
		{"GET", "/_ping", (*Engine).ping},
		{"HEAD", "/_ping", (*Engine).ping},
		{"GET", "/version", (*Engine).version},
		{"GET", "/info", (*Engine).info},
		{"GET", "/events", (*Engine).streamEvents},

		{"GET", "/containers/json", (*Engine).listContainers},
		{"POST", "/containers/create", (*Engine).createContainer},
		{"GET", "/containers/{id}/json", (*Engine).inspectContainer},
		{"POST", "/containers/{id}/start", (*Engine).startContainer},
		{"POST", "/containers/{id}/stop", (*Engine).stopContainer},
		{"POST", "/containers/{id}/restart", (*Engine).restartContainer},
		{"POST", "/containers/{id}/kill", (*Engine).killContainer},
		{"POST", "/containers/{id}/pause", (*Engine).pauseContainer},
		{"POST", "/containers/{id}/unpause", (*Engine).unpauseContainer},
		{"POST", "/containers/{id}/rename", (*Engine).renameContainer},
		{"POST", "/containers/{id}/update", (*Engine).updateContainer},
		{"POST", "/containers/{id}/wait", (*Engine).waitContainer},
		{"GET", "/containers/{id}/logs", (*Engine).streamLogs},
		{"POST", "/containers/{id}/attach", (*Engine).attachContainer},
		{"POST", "/containers/{id}/resize", (*Engine).resizeContainer},
		{"PUT", "/containers/{id}/archive", (*Engine).putArchive},
		{"GET", "/containers/{id}/archive", (*Engine).getArchive},
		{"HEAD", "/containers/{id}/archive", (*Engine).statArchive},
		{"GET", "/containers/{id}/export", (*Engine).exportContainer},
		{"GET", "/containers/{id}/top", (*Engine).listProcesses},
		{"GET", "/containers/{id}/stats", (*Engine).streamStats},
		{"POST", "/commit", (*Engine).commitContainer},
		{"DELETE", "/containers/{id}", (*Engine).removeContainer},

		{"POST", "/containers/{id}/exec", (*Engine).createExec},
		{"POST", "/exec/{id}/start", (*Engine).startExec},
		{"POST", "/exec/{id}/resize", (*Engine).resizeExec},
		{"GET", "/exec/{id}/json", (*Engine).inspectExec},

		{"GET", "/networks", (*Engine).listNetworks},
		{"POST", "/networks/create", (*Engine).createNetwork},
		{"GET", "/networks/{id}", (*Engine).inspectNetwork},
		{"DELETE", "/networks/{id}", (*Engine).removeNetwork},
		{"POST", "/networks/{id}/connect", (*Engine).connectNetwork},
		{"POST", "/networks/{id}/disconnect", (*Engine).disconnectNetwork},

		{"GET", "/volumes", (*Engine).listVolumes},
		{"POST", "/volumes/create", (*Engine).createVolume},
		{"GET", "/volumes/{name}", (*Engine).inspectVolume},
		{"DELETE", "/volumes/{name}", (*Engine).removeVolume},

		{"GET", "/images/json", (*Engine).listImages},
		{"POST", "/images/create", (*Engine).createImage},
		{"GET", "/images/{ref...}/json", (*Engine).inspectImage},
		{"POST", "/images/{ref...}/tag", (*Engine).tagImage},
		{"POST", "/images/{ref...}/push", (*Engine).pushImage},
		{"DELETE", "/images/{ref...}", (*Engine).removeImage},
		{"GET", "/distribution/{ref...}/json", (*Engine).inspectDistribution},

		{"POST", "/grpc", (*Engine).serveBuilds},
		{"POST", "/session", (*Engine).serveSession},
	}...)
}

// findRoute returns the route for a path, nil where there is none, and the parts of the path that its pattern names.
func findRoute(method, path string) (*route, map[string]string) {
	area, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	for _, candidate := range routes() {
		if candidate.method != method || !strings.HasPrefix(candidate.pattern, "/"+area) {
			continue
		}
		if params, ok := matchPattern(candidate.pattern, path); ok {
			return &candidate, params
		}
	}
	return nil, nil
}

func matchPattern(pattern, path string) (map[string]string, bool) {
	params := map[string]string{}
	wanted, parts := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, part := range wanted {
		name, isParam := strings.CutPrefix(part, "{")
		name = strings.TrimSuffix(name, "}")
		name, many := strings.CutSuffix(name, "...")
		switch rest := len(wanted) - i - 1; {
		case i >= len(parts):
			return nil, false
		case many && len(parts)-i <= rest:
			return nil, false
		case many:
			end := len(parts) - rest
			params[name] = strings.Join(parts[i:end], "/")
			parts = append(append([]string{}, parts[:i+1]...), parts[end:]...)
		case isParam:
			params[name] = parts[i]
		case part != parts[i]:
			return nil, false
		}
	}
	return params, len(parts) == len(wanted)
}
