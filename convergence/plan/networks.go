package plan

import (
	"errors"
	"maps"
	"net/netip"
	"slices"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// networkPlan is what becomes of one network of the project.
type networkPlan struct {
	key, name string
	current   *engine.Network // nil when there is none
	change    *Change         // nil when it stays
	replaced  bool
	stops     []NodeID // of the containers in a network that is replaced
	ready     []NodeID // what must be done before a container can use it
}

func (r *reconciler) planNetworks() {
	for _, key := range sortedKeys(r.Project.Networks) {
		wanted := r.Project.Networks[key]
		n := &networkPlan{key: key, name: wanted.Name}
		r.networks[key] = n
		if found, ok := r.State.network(wanted.Name); ok {
			n.current = &found
		}
		switch {
		case bool(wanted.External):
			r.checkExternalNetwork(key, wanted, n)
		case n.current == nil:
			r.createNetwork(n, wanted, nil)
		default:
			r.compareNetwork(n, wanted)
		}
	}
}

func (r *reconciler) checkExternalNetwork(key string, wanted project.Network, n *networkPlan) {
	same := 0
	for _, network := range r.State.Networks {
		if network.Name == wanted.Name {
			same++
		}
		if network.ID == wanted.Name {
			n.current, n.name, same = &network, network.Name, 1
			break
		}
	}
	problem := Problem{Ref: graph.Network(key), Position: r.Project.Place("networks." + key)}
	switch {
	case same == 0:
		problem.Message = "network " + wanted.Name + " declared as external, but could not be found"
		problem.Try = "create it with `docker network create " + wanted.Name + "`, or leave out `external: true`"
		r.problem(problem)
	case same > 1:
		problem.Message = "multiple networks with name \"" + wanted.Name + "\" were found. " +
			"Use network ID as `name` to avoid ambiguity"
		r.problem(problem)
	}
}

// compareNetwork plans a new network where the one that is there is the project's and not what the file wants. One that is not
// the project's is used as it is.
func (r *reconciler) compareNetwork(n *networkPlan, wanted project.Network) {
	ref := graph.Network(n.key)
	switch owner := n.current.Labels[project.LabelProject]; {
	case owner == "":
		r.warn(ref, "a network with name %s exists but was not created by compose. "+
			"Set `external: true` to use an existing network", n.name)
	case owner != r.Project.Name:
		r.warn(ref, "a network with name %s exists but was not created for project %q. "+
			"Set `external: true` to use an existing network", n.name, r.Project.Name)
	default:
		fields, err := project.NetworkFields(wanted)
		if err != nil {
			r.problems = append(r.problems, err)
			return
		}
		reasons := labelReasons(n.current.Labels, fields, func() (string, error) { return project.NetworkHash(wanted) })
		if len(reasons) > 0 {
			r.replaceNetwork(n, wanted, reasons)
			return
		}
	}
	r.keep(ref, step.Network, n.name)
}

// hashDiffers is the reason where nothing but docker compose's hash is known.
const hashDiffers = "configuration changed"

// labelReasons compares what is wanted with what an object's labels say it is: its fingerprint alone where there is one, else
// docker compose's hash. One with neither is never touched.
func labelReasons(labels map[string]string, fields project.Fields, hash func() (string, error)) []Reason {
	fingerprint, err := project.OpenFingerprint(labels[project.LabelSpec])
	if err == nil {
		return fieldReasons(fields.Changes(fingerprint))
	}
	had := labels[project.LabelConfigHash]
	wanted, err := hash()
	if had == "" || err == nil && had == wanted {
		return nil
	}
	return []Reason{{Text: hashDiffers}}
}

func fieldReasons(changes []project.Change) []Reason {
	reasons := make([]Reason, len(changes))
	for i, change := range changes {
		reasons[i] = Reason{Change: change}
	}
	return reasons
}

func (r *reconciler) createNetwork(n *networkPlan, wanted project.Network, after []NodeID) {
	fields, fieldsErr := project.NetworkFields(wanted)
	hash, hashErr := project.NetworkHash(wanted)
	if err := errors.Join(fieldsErr, hashErr); err != nil {
		r.problems = append(r.problems, err)
		return
	}
	labels := maps.Clone(map[string]string(wanted.Labels))
	if labels == nil {
		labels = map[string]string{}
	}
	labels[project.LabelNetwork] = n.key
	labels[project.LabelProject] = r.Project.Name
	labels[project.LabelVersion] = project.ComposeVersion
	labels[project.LabelConfigHash] = hash
	create := r.add(step.CreateNetwork{
		Key: n.key, Fields: fields, Request: engine.CreateNetwork{Name: n.name, Labels: labels, Network: wanted},
	}, after...)
	n.ready = append(n.ready, create)
	if n.change == nil {
		n.change = &Change{Kind: Create, Ref: graph.Network(n.key), Objects: []step.Object{{Kind: step.Network, Name: n.name}}}
	}
}

// replaceNetwork makes a network anew. Its name is taken until it is gone, and it cannot go while containers are attached, so
// they stop and are detached first; if it then cannot be made they are attached to the old one again. Those that stay are
// attached to the new one where their service is planned, or here when the plan does not otherwise look at them.
func (r *reconciler) replaceNetwork(n *networkPlan, wanted project.Network, reasons []Reason) {
	n.replaced = true
	n.change = &Change{
		Kind: Replace, Ref: graph.Network(n.key), Reasons: reasons, Objects: []step.Object{{Kind: step.Network, Name: n.name}},
	}
	r.beginGroup("network " + n.key)
	r.undo(step.CreateNetwork{Key: n.key, Request: engine.CreateNetwork{
		Name: n.name, Labels: n.current.Labels, Network: n.current.Settings,
	}})
	var detached []NodeID
	for _, container := range r.State.Containers {
		if !attached(container, n.current.ID, n.name) {
			continue
		}
		var after []NodeID
		if container.Running() {
			after = append(after, r.add(step.StopContainer{Target: target(container), Timeout: r.Policy.StopTimeout}))
			n.stops = append(n.stops, after...)
		}
		detached = append(detached, r.add(step.DisconnectNetwork{Target: target(container), Network: n.current.ID}, after...))
		r.undo(step.ConnectNetwork{Target: target(container), Endpoint: r.oldEndpoint(container, n.name)})
		if container.Running() {
			r.undo(step.StartContainer{Target: target(container), Again: true})
		}
	}
	remove := r.add(step.RemoveNetwork{Key: n.key, ID: n.current.ID, Name: n.name}, detached...)
	r.createNetwork(n, wanted, []NodeID{remove})
	r.endGroup()
	for _, container := range r.leftAnyway {
		r.reattach(n, container, wanted)
	}
}

// oldEndpoint is how a container is attached to a network again: as an inspect tells that it was, else by its usual names.
func (r *reconciler) oldEndpoint(container engine.Container, network string) engine.Endpoint {
	for _, endpoint := range r.State.Details[container.ID].Endpoints {
		if endpoint.Network == network {
			return endpoint
		}
	}
	return engine.Endpoint{Network: network, Aliases: []string{container.Name, container.Service}}
}

// newEndpoint is how a container that is not the plan's is attached to a network that is made anew: as it was, but for addresses
// that the network does not have any more.
func (r *reconciler) newEndpoint(container engine.Container, network project.Network) engine.Endpoint {
	endpoint := r.oldEndpoint(container, network.Name)
	if endpoint.Options == nil {
		return endpoint
	}
	options := *endpoint.Options
	for _, address := range []*string{&options.Ipv4Address, &options.Ipv6Address} {
		if *address != "" && !hasAddress(network, *address) {
			r.warn(graph.Ref{}, "container %s loses its address %s: network %s does not have it any more",
				container.Name, *address, network.Name)
			*address = ""
		}
	}
	endpoint.Options = &options
	return endpoint
}

func hasAddress(network project.Network, text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && slices.ContainsFunc(network.Ipam.Config, func(pool *project.IPAMPool) bool {
		subnet, err := netip.ParsePrefix(pool.Subnet)
		return err == nil && subnet.Contains(address)
	})
}

// reattach brings a container that stays into a network that was made anew, and starts it where it ran.
func (r *reconciler) reattach(n *networkPlan, container engine.Container, wanted project.Network) {
	if !attached(container, n.current.ID, n.name) {
		return
	}
	connect := r.add(step.ConnectNetwork{Target: target(container), Endpoint: r.newEndpoint(container, wanted)}, n.ready...)
	if container.Running() {
		r.starts = append(r.starts, r.add(step.StartContainer{Target: target(container), Again: true}, connect))
	}
}

func attached(container engine.Container, networkID, networkName string) bool {
	for _, attachment := range container.Networks {
		if attachment.NetworkID == networkID || attachment.NetworkID == "" && attachment.Network == networkName {
			return true
		}
	}
	return false
}

// removeUnusedNetworks removes networks that the project had under another name and that nothing of it uses any more.
func (r *reconciler) removeUnusedNetworks() {
	for _, network := range r.State.Networks {
		key := network.Labels[project.LabelNetwork]
		wanted, known := r.Project.Networks[key]
		if network.Labels[project.LabelProject] != r.Project.Name || !known || wanted.Name == network.Name {
			continue
		}
		id := r.add(step.RemoveNetwork{Key: key, ID: network.ID, Name: network.Name})
		r.plan.Nodes[id].Optional = true
		r.follow(id, r.removals...)
		r.plan.Changes = append(r.plan.Changes, Change{
			Kind: Remove, Ref: graph.Network(key), Objects: []step.Object{{Kind: step.Network, Name: network.Name}},
			Reasons: []Reason{{Text: "renamed to " + wanted.Name}},
		})
	}
}

// holdNetworks leaves networks that are made anew until all images are there: without one of them, containers that were stopped for
// it could not come back.
func (r *reconciler) holdNetworks() {
	for _, key := range sortedKeys(r.networks) {
		for _, stop := range r.networks[key].stops {
			for _, ref := range sortedKeys(r.images) {
				r.after(stop, r.images[ref].brought...)
			}
		}
	}
}
