package dockertest

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"
	apimount "github.com/docker/docker/api/types/mount"
	apinetwork "github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/versions"
)

var containerName = regexp.MustCompile(`^/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$`)

// createContainer is POST /containers/create.
func (e *Engine) createContainer(x *exchange) error {
	request := apicontainer.CreateRequest{Config: &apicontainer.Config{}}
	if err := x.read(&request); err != nil {
		return err
	}
	if request.HostConfig == nil {
		request.HostConfig = &apicontainer.HostConfig{}
	}
	if request.NetworkingConfig == nil {
		request.NetworkingConfig = &apinetwork.NetworkingConfig{}
	}
	if err := checkEndpointCount(x.version, request.NetworkingConfig); err != nil {
		return err
	}
	if err := checkSubpaths(x.version, request.HostConfig.Mounts); err != nil {
		return err
	}
	e.mutex.Lock()
	created, err := e.newContainer(x.query("name"), x.query("platform"), request)
	e.mutex.Unlock()
	if err != nil {
		return err
	}
	return x.answer(http.StatusCreated, apicontainer.CreateResponse{ID: created.id, Warnings: []string{}})
}

// checkEndpointCount is the limit of APIs below 1.44.
func checkEndpointCount(version string, config *apinetwork.NetworkingConfig) error {
	if len(config.EndpointsConfig) < 2 || versions.GreaterThanOrEqualTo(version, "1.44") {
		return nil
	}
	names := strings.Join(slices.Sorted(maps.Keys(config.EndpointsConfig)), ", ")
	return fail(http.StatusBadRequest, "Container cannot be created with multiple network endpoints: %s", names)
}

// checkSubpaths is the limit of APIs below 1.45.
func checkSubpaths(version string, mounts []apimount.Mount) error {
	for _, m := range mounts {
		if m.VolumeOptions != nil && m.VolumeOptions.Subpath != "" && versions.LessThan(version, "1.45") {
			return fail(http.StatusBadRequest, "VolumeOptions.Subpath needs API v1.45 or newer")
		}
	}
	return nil
}

func (e *Engine) newContainer(name, platform string, request apicontainer.CreateRequest) (*container, error) {
	if err := checkRequest(request); err != nil {
		return nil, err
	}
	c := &container{
		created: e.clock.now(), config: request.Config, host: request.HostConfig, state: stateCreated, files: newFiles(), log: newLogStore(&e.clock),
	}
	var err error
	if c.image, err = e.imageFor(c.config.Image, platform); err != nil {
		return nil, err
	}
	merge(c.config, c.image)
	if len(c.argv()) == 0 {
		return nil, fail(http.StatusBadRequest, "no command specified")
	}
	if c.name, err = e.reserveName(name); err != nil {
		return nil, err
	}
	c.id = e.newID("container", c.name)
	c.config.Hostname = cmp.Or(c.config.Hostname, shortID(c.id))
	if c.endpoints, err = e.makeEndpoints(c, request.NetworkingConfig.EndpointsConfig); err != nil {
		return nil, err
	}
	if c.mounts, err = e.makeMounts(c); err != nil {
		return nil, err
	}
	c.console = newConsole(e, c)
	c.host.RestartPolicy.Name = cmp.Or(c.host.RestartPolicy.Name, apicontainer.RestartPolicyDisabled)
	c.host.LogConfig.Type = cmp.Or(c.host.LogConfig.Type, "json-file")
	e.containers[c.id] = c
	e.containerEvent(c, "create")
	return c, nil
}

func (e *Engine) imageFor(ref, platform string) (*image, error) {
	if ref == "" {
		return nil, fail(http.StatusBadRequest, "no command specified")
	}
	found, err := e.findImage(ref)
	if err != nil {
		return nil, err
	}
	if platform != "" && platform != found.platform() {
		return nil, fail(http.StatusNotFound, "image with reference %s was found but its platform (%s) does not match the specified platform (%s)",
			ref, found.platform(), platform)
	}
	return found, nil
}

func (e *Engine) reserveName(name string) (string, error) {
	if name == "" {
		name = "container-" + shortID(e.newID("name", ""))
	}
	if !containerName.MatchString(name) {
		return "", fail(http.StatusBadRequest, "Invalid container name (%s), only %s are allowed", name, "[a-zA-Z0-9][a-zA-Z0-9_.-]")
	}
	name = strings.TrimPrefix(name, "/")
	for _, other := range e.containers {
		if other.name == name {
			return "", fail(http.StatusConflict, "Conflict. The container name %q is already in use by container %q. "+
				"You have to remove (or rename) that container to be able to reuse that name.", "/"+name, other.id)
		}
	}
	return name, nil
}

// makeEndpoints are the container's places in networks, the primary one first. The networks need not be there yet, but those
// that are must be able to give the addresses asked for.
func (e *Engine) makeEndpoints(c *container, asked map[string]*apinetwork.EndpointSettings) ([]*endpoint, error) {
	switch mode := string(c.host.NetworkMode); mode {
	case "", apinetwork.NetworkDefault:
		c.host.NetworkMode = apinetwork.NetworkBridge
	}
	mode := c.host.NetworkMode
	if mode.IsContainer() {
		if other, err := e.findContainer(mode.ConnectedContainer()); err == nil {
			c.host.NetworkMode = apicontainer.NetworkMode("container:" + other.id)
		}
		return nil, nil
	}
	endpoints := []*endpoint{newEndpoint(string(mode), asked)}
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		if key != string(mode) {
			endpoints = append(endpoints, newEndpoint(key, asked))
		}
	}
	for _, added := range endpoints {
		if n, err := e.findNetwork(added.key); err == nil {
			if err := n.checkAddresses(added); err != nil {
				return nil, err
			}
		}
	}
	return endpoints, nil
}

func newEndpoint(key string, asked map[string]*apinetwork.EndpointSettings) *endpoint {
	added := &endpoint{key: key}
	if settings := asked[key]; settings != nil {
		added.asked = *settings
	}
	return added
}
