package buildkittest

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	control "github.com/moby/buildkit/api/services/control"
)

// options are what a request asks for.
type options struct {
	filename string
	// dockerfileName is what the client calls the folder of the Dockerfile.
	dockerfileName string

	target    string
	platform  string // empty for the engine's own
	pull      bool
	noCache   bool
	fresh     []string // stages without cache
	arguments map[string]string
	labels    map[string]string
	contexts  map[string]string // images under other names
}

// readOptions reads the attributes for BuildKit's frontend for Dockerfiles.
func readOptions(request *control.SolveRequest) (*options, error) {
	if request.GetFrontend() != "dockerfile.v0" {
		return nil, unknown("frontend %q", request.GetFrontend())
	}
	o := &options{arguments: map[string]string{}, labels: map[string]string{}, contexts: map[string]string{}}
	for _, key := range slices.Sorted(maps.Keys(request.GetFrontendAttrs())) {
		if err := o.set(key, request.GetFrontendAttrs()[key]); err != nil {
			return nil, err
		}
	}
	o.filename = cmp.Or(o.filename, "Dockerfile")
	o.dockerfileName = cmp.Or(o.dockerfileName, "dockerfile")
	return o, nil
}

func (o *options) set(key, value string) error {
	kind, name, _ := strings.Cut(key, ":")
	switch kind {
	case "build-arg":
		o.arguments[name] = value
	case "label":
		o.labels[name] = value
	case "context":
		if name == "" || !strings.HasPrefix(value, dockerImage) && !strings.HasPrefix(value, ociLayout) {
			return unknown("the context %q", value)
		}
		o.contexts[name] = value
	case "dockerfilekey":
		o.dockerfileName = value
	case "filename":
		o.filename = value
	case "target":
		o.target = value
	case "platform":
		if strings.Contains(value, ",") {
			return errors.New("docker exporter does not currently support exporting manifest lists")
		}
		o.platform = value
	case "image-resolve-mode":
		o.pull = value == "pull"
	case "no-cache":
		if o.noCache = value == ""; !o.noCache {
			o.fresh = strings.Split(value, ",")
		}
	case "requestid", "frontend.caps": // whoever sends them sees to it
	case "cache-imports":
		return json.Unmarshal([]byte(value), &[]map[string]any{}) // where there is nothing, nothing is found
	case "add-hosts", "shm-size", "ulimit", "force-network-mode": // nothing that runs here can tell
	default:
		return unknown("the attribute %q", key)
	}
	return nil
}

// What contexts that are images begin with.
const (
	dockerImage = "docker-image://"
	ociLayout   = "oci-layout://"
)
