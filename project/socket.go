package project

import (
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// What docker compose gives to services with `use_api_socket`, name for name, so that the hash is its own.
const (
	apiSocket       = "/var/run/docker.sock"
	apiSocketConfig = "#apisocket"
	apiSocketFolder = "/run/secrets/docker"
)

// UsesAPISocket says whether an enabled service, or a pre_start hook of one, is to have the engine's socket.
func (p *Project) UsesAPISocket() bool {
	return slices.ContainsFunc(p.fileUsers(), func(service Service) bool { return service.UseAPISocket })
}

// WithAPISocket is the project in which services with `use_api_socket` have the engine's socket, and a config with the credentials for
// registries: the text of a configuration of the docker CLI. The project itself stays as it is.
func (p *Project) WithAPISocket(credentials []byte) *Project {
	changed := p.withServices()
	changed.Configs = maps.Clone(p.Configs)
	if changed.Configs == nil {
		changed.Configs = types.Configs{}
	}
	changed.Configs[apiSocketConfig] = Config{Content: string(credentials)}
	for name, service := range changed.Services {
		service.PreStart = slices.Clone(service.PreStart)
		for i := range service.PreStart {
			addSocket(&service.PreStart[i].ContainerSpec, !service.UseAPISocket)
		}
		addSocket(&service.ContainerSpec, true)
		changed.Services[name] = service
	}
	return changed
}

// addSocket adds what the specification of a container asks for. A hook may have the socket itself from its service.
func addSocket(spec *types.ContainerSpec, bind bool) {
	if !spec.UseAPISocket {
		return
	}
	if bind {
		spec.Volumes = append(slices.Clone(spec.Volumes), Mount{Type: MountBind, Source: apiSocket, Target: apiSocket})
	}
	const variable = "DOCKER_CONFIG"
	if _, set := spec.Environment[variable]; !set {
		folder := apiSocketFolder
		spec.Environment = maps.Clone(spec.Environment)
		if spec.Environment == nil {
			spec.Environment = types.MappingWithEquals{}
		}
		spec.Environment[variable] = &folder
	}
	spec.Configs = append(slices.Clone(spec.Configs), types.ServiceConfigObjConfig{
		Source: apiSocketConfig, Target: apiSocketFolder + "/config.json",
	})
}
