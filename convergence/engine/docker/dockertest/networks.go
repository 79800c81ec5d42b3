package dockertest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/filters"
	apinetwork "github.com/docker/docker/api/types/network"
)

func (e *Engine) listNetworks(x *exchange) error {
	filter, err := filters.FromJSON(x.query("filters"))
	if err != nil {
		return fail(http.StatusBadRequest, "invalid filter")
	}
	if err := apinetwork.ValidateFilters(filter); err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	e.mutex.Lock()
	list := []apinetwork.Inspect{}
	for _, n := range e.sortedNetworks() {
		if filter.Match("name", n.name) && filter.FuzzyMatch("id", n.id) && filter.ExactMatch("driver", n.driver) &&
			(!filter.Contains("label") || filter.MatchKVList("label", n.options.Labels)) {
			list = append(list, n.inspect(false))
		}
	}
	e.mutex.Unlock()
	return x.answer(http.StatusOK, list)
}

func (e *Engine) inspectNetwork(x *exchange) error {
	e.mutex.Lock()
	n, err := e.findNetwork(x.params["id"])
	if err != nil {
		e.mutex.Unlock()
		return err
	}
	answer := n.inspect(true)
	e.mutex.Unlock()
	return x.answer(http.StatusOK, answer)
}

func (e *Engine) createNetwork(x *exchange) error {
	var request apinetwork.CreateRequest
	if err := x.read(&request); err != nil {
		return err
	}
	e.mutex.Lock()
	created, err := e.newNetwork(request)
	e.mutex.Unlock()
	if err != nil {
		return err
	}
	return x.answer(http.StatusCreated, apinetwork.CreateResponse{ID: created.id})
}

func (e *Engine) newNetwork(request apinetwork.CreateRequest) (*network, error) {
	if request.Name == "" {
		return nil, fail(http.StatusBadRequest, "invalid name: name is empty")
	}
	driver := cmp.Or(request.Driver, "bridge")
	if !slices.Contains([]string{"bridge", "ipvlan", "macvlan"}, driver) {
		return nil, fail(http.StatusNotFound, "plugin %q not found", driver)
	}
	for _, n := range e.networks {
		switch {
		case n.name == request.Name && n.builtin:
			return nil, fail(http.StatusForbidden, "operation is not permitted on predefined %s network ", n.name)
		case n.name == request.Name:
			return nil, fail(http.StatusConflict, "network with name %s already exists", n.name)
		}
	}
	pools, err := e.allocatePools(request)
	if err != nil {
		return nil, err
	}
	n := &network{
		id: e.newID("network", request.Name), name: request.Name, driver: driver, created: e.clock.now(),
		options: request.CreateOptions, pools: pools, members: map[string]*container{},
	}
	e.networks[n.id] = n
	e.networkEvent(n, "create", nil)
	return n, nil
}

func (e *Engine) removeNetwork(x *exchange) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	n, err := e.findNetwork(x.params["id"])
	if err != nil {
		return err
	}
	if n.builtin {
		return fail(http.StatusForbidden, "%s is a pre-defined network and cannot be removed", n.name)
	}
	if len(n.members) > 0 {
		var active []string
		for _, member := range n.members {
			active = append(active, "name:\""+member.name+"\" id:\""+shortID(member.endpointOn(n).id)+"\"")
		}
		slices.Sort(active)
		return fail(http.StatusForbidden, "error while removing network: network %s has active endpoints (%s)", n.name, strings.Join(active, ", "))
	}
	delete(e.networks, n.id)
	e.networkEvent(n, "destroy", nil)
	return x.done(http.StatusNoContent)
}

func (e *Engine) connectNetwork(x *exchange) error {
	var request apinetwork.ConnectOptions
	if err := x.read(&request); err != nil {
		return err
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	n, err := e.findNetwork(x.params["id"])
	if err != nil {
		return err
	}
	c, err := e.findContainer(request.Container)
	if err != nil {
		return err
	}
	if err := c.mayJoin(n); err != nil {
		return err
	}
	added := &endpoint{key: n.name}
	if request.EndpointConfig != nil {
		added.asked = *request.EndpointConfig
	}
	if err := n.checkAddresses(added); err != nil {
		return err
	}
	c.endpoints = append(c.endpoints, added)
	if c.run == nil {
		return x.done(http.StatusOK)
	}
	if err := e.join(c, added); err != nil {
		c.endpoints = c.endpoints[:len(c.endpoints)-1]
		return err
	}
	return x.done(http.StatusOK)
}

func (c *container) mayJoin(n *network) error {
	switch mode := c.host.NetworkMode; {
	case mode.IsContainer():
		return fail(http.StatusForbidden, "container sharing network namespace with another container or host cannot be connected to any other network")
	case mode.IsHost():
		return fail(http.StatusForbidden, "cannot connect container to host network - container must be created in host network mode")
	}
	if c.endpointOn(n) != nil {
		return fail(http.StatusForbidden, "endpoint with name %s already exists in network %s", c.name, n.name)
	}
	return nil
}

func (e *Engine) disconnectNetwork(x *exchange) error {
	var request apinetwork.DisconnectOptions
	if err := x.read(&request); err != nil {
		return err
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	n, err := e.findNetwork(x.params["id"])
	if err != nil {
		return err
	}
	c, err := e.findContainer(request.Container)
	switch {
	case err != nil && request.Force:
		return fail(http.StatusNotFound, "endpoint %s not found", request.Container)
	case err != nil:
		return err
	}
	place := c.endpointOn(n)
	if place == nil {
		return fail(http.StatusInternalServerError, "container %s is not connected to network %s", c.id, n.name)
	}
	if place.id != "" {
		e.leave(c, place)
	}
	c.endpoints = slices.DeleteFunc(c.endpoints, func(p *endpoint) bool { return p == place })
	return x.done(http.StatusOK)
}
