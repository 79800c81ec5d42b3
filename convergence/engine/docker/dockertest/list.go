package dockertest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	apicontainer "github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	apinetwork "github.com/docker/docker/api/types/network"
)

func containerFilters() map[string]bool {
	return map[string]bool{
		"id": true, "name": true, "label": true, "status": true, "health": true, "exited": true, "network": true, "volume": true,
		"ancestor": true,
	}
}

// listContainers is GET /containers/json.
func (e *Engine) listContainers(x *exchange) error {
	filter, err := filters.FromJSON(x.query("filters"))
	if err != nil {
		return fail(http.StatusBadRequest, "invalid filter")
	}
	if err := filter.Validate(containerFilters()); err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	for _, state := range filter.Get("status") {
		if err := apicontainer.ValidateContainerState(state); err != nil {
			return fail(http.StatusBadRequest, "invalid filter 'status=%s': %v", state, err)
		}
	}
	all := x.flag("all") || filter.Contains("status") || filter.Contains("exited")
	e.mutex.Lock()
	list := []apicontainer.Summary{}
	for _, c := range e.sortedContainers() {
		if (all || c.isRunning()) && c.matches(filter) {
			list = append(list, c.summary())
		}
	}
	e.mutex.Unlock()
	return x.answer(http.StatusOK, list)
}

func (c *container) matches(filter filters.Args) bool {
	healthNow := apicontainer.NoHealthcheck
	if c.health != nil {
		healthNow = c.health.status
	}
	if filter.Contains("label") && !filter.MatchKVList("label", c.config.Labels) {
		return false
	}
	if filter.Contains("exited") && (c.state != stateExited || !filter.ExactMatch("exited", strconv.Itoa(c.exitCode))) {
		return false
	}
	return filter.FuzzyMatch("id", c.id) && (filter.Match("name", c.name) || filter.Match("name", "/"+c.name)) &&
		filter.ExactMatch("status", c.state) && filter.ExactMatch("health", healthNow) &&
		anyOf(filter, "network", c.networkNames()) && anyOf(filter, "volume", c.volumeNames()) &&
		anyOf(filter, "ancestor", append([]string{c.image.id, c.config.Image}, c.image.tags...))
}

func anyOf(filter filters.Args, key string, values []string) bool {
	return !filter.Contains(key) || slices.ContainsFunc(values, func(value string) bool { return filter.ExactMatch(key, value) })
}

func (c *container) networkNames() []string {
	var names []string
	for _, p := range c.endpoints {
		names = append(names, p.key, p.networkID)
	}
	return names
}

func (c *container) volumeNames() []string {
	var names []string
	for _, m := range c.mounts {
		names = append(names, m.point.Name, m.point.Destination)
	}
	return names
}

func (c *container) summary() apicontainer.Summary {
	summary := apicontainer.Summary{
		ID: c.id, Names: []string{"/" + c.name}, Image: c.shownImage(), ImageID: c.image.id, Command: c.command(),
		Created: c.created.Unix(), Ports: c.portList(), Labels: c.config.Labels, State: c.state, Status: c.status(),
		NetworkSettings: &apicontainer.NetworkSettingsSummary{Networks: map[string]*apinetwork.EndpointSettings{}},
		Mounts:          c.points(),
	}
	summary.HostConfig.NetworkMode = string(c.host.NetworkMode)
	for _, p := range c.endpoints {
		settings := p.settings()
		settings.Aliases, settings.DNSNames = nil, nil // a list leaves them out
		summary.NetworkSettings.Networks[p.key] = settings
	}
	return summary
}

// shownImage is the reference that the container was created from, or the image's ID once that stands for another image.
func (c *container) shownImage() string {
	ref, err := normalize(c.config.Image)
	if strings.HasPrefix(c.config.Image, "sha256:") || err != nil || slices.Contains(c.image.tags, ref) || slices.Contains(c.image.digests, ref) {
		return c.config.Image
	}
	return c.image.id
}
