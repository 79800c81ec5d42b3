package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// applied is a container that is there, with what its labels tell of how it was made.
type applied struct {
	container   engine.Container
	details     engine.ContainerDetails
	fingerprint project.Fingerprint
	known       bool // whether there is a fingerprint
}

func fieldReason(path, made, is string) []Reason {
	return []Reason{{Change: project.Change{Path: path, Old: made, New: is, Added: made == "", Removed: is == ""}}}
}

// name is that a container was renamed. Of one that docker compose made, a name of its own is not known.
func (a applied) name(projectName string) []Reason {
	names := finalNames(projectName, a.container)
	if !a.known || slices.Contains(names, a.container.Name) {
		return nil
	}
	return fieldReason("name", names[0], a.container.Name)
}

// state is that a container that is to run does not. One that was never started is as it was made, and one that has ended well and is not
// to be started again is done, if nothing of it was to be reached.
func (a applied) state() []Reason {
	running := string(engine.StateRunning)
	switch a.container.State {
	case engine.StatePaused, engine.StateDead:
		return fieldReason("state", running, string(a.container.State))
	case engine.StateExited:
		if a.container.ExitCode == 0 && !a.runsOn() {
			return nil
		}
		return fieldReason("state", running, fmt.Sprintf("exited (%d)", a.container.ExitCode))
	}
	return nil
}

// runsOn says whether a container that has ended with 0 was meant to go on.
func (a applied) runsOn() bool {
	policy := a.details.Restart.Name
	return policy == project.RestartAlways || policy == project.RestartUnlessStopped ||
		a.fingerprint.Plain("ports") != "" || a.fingerprint.Plain("healthcheck.test") != ""
}

// isJobPolicy says that a restart policy was made weaker at the creation because the service is a job, which fingerprints do not tell.
func (a applied) isJobPolicy(d engine.Difference) bool {
	deployed := slices.ContainsFunc(sortedKeys(a.fingerprint.Fields), func(path string) bool {
		return strings.HasPrefix(path, "deploy.")
	})
	return deployed && strings.HasPrefix(d.Made, project.RestartOnFailure)
}

// networks are that a container was taken out of networks or put into others, or that these were removed or made anew under it.
func (f *driftFinder) networks(made applied) []Reason {
	if f.sharesNetwork(made) {
		return nil
	}
	wanted, attached := made.networkKeys(), map[string]engine.Attachment{}
	for _, attachment := range made.container.Networks {
		attached[attachment.Network] = attachment
	}
	var reasons []Reason
	for _, name := range sortedKeys(wanted) {
		attachment, ok := attached[name]
		network, there := f.State.network(name)
		switch {
		case !there:
			f.isMissing(graph.Network(wanted[name]), step.Network, name)
		case !ok:
			reasons = append(reasons, attachmentReason(name, attachedWord, "", "was disconnected from network "+name))
		case attachment.NetworkID != "" && attachment.NetworkID != network.ID:
			reasons = append(reasons, attachmentReason(name, shortDigest(attachment.NetworkID), shortDigest(network.ID),
				"is in a network "+name+" that was removed; there is another one of that name now"))
		default:
			reasons = append(reasons, made.endpoint(wanted[name], name)...)
		}
	}
	for _, name := range sortedKeys(attached) {
		if _, asked := wanted[name]; !asked && made.isConnected(name) {
			reasons = append(reasons, attachmentReason(name, "", attachedWord, "was connected to network "+name))
		}
	}
	return reasons
}

const attachedWord = "attached"

// attachmentReason is a reason in words that machines find under the network's name.
func attachmentReason(network, made, is, text string) Reason {
	return Reason{Change: project.Change{Path: "networks." + network, Old: made, New: is}, Text: text}
}

// sharesNetwork says that a container has no networks of its own: those of the host, of another container, or none.
func (f *driftFinder) sharesNetwork(made applied) bool {
	mode := cmp.Or(made.fingerprint.Plain("network_mode"), made.details.NetworkMode)
	return mode == "host" || mode == "none" || strings.Contains(mode, ":")
}

// networkKeys are the networks that it was made in, by the engine's name, with the file's. Of a container that docker compose made, only
// the first one is known, and only by the engine's name.
func (a applied) networkKeys() map[string]string {
	wanted := map[string]string{}
	for path := range a.fingerprint.Fields {
		key, isNetwork := strings.CutPrefix(path, "networks.")
		if key, isName := strings.CutSuffix(key, ".name"); isNetwork && isName {
			wanted[a.fingerprint.Plain(path)] = key
		}
	}
	mode := a.details.NetworkMode
	if !a.known && mode != "" && !slices.Contains([]string{"default", "bridge"}, mode) {
		wanted[mode] = mode
	}
	return wanted
}

// isConnected says whether a network that is not known to be wanted was connected by hand. Who is made in one has its service's name there.
func (a applied) isConnected(network string) bool {
	if a.known {
		return a.fingerprint.Plain("network_mode") != network && (a.fingerprint.Plain("network_mode") != "default" || network != "bridge")
	}
	return network != "bridge" && !slices.Contains(a.endpointOf(network).Aliases, a.container.Service)
}

func (a applied) endpointOf(network string) engine.Endpoint {
	for _, endpoint := range a.details.Endpoints {
		if endpoint.Network == network {
			return endpoint
		}
	}
	return engine.Endpoint{}
}

// endpoint is in what an attachment differs: one that was made by hand lacks the names and addresses that the service has in the network.
func (a applied) endpoint(key, network string) []Reason {
	path, found := "networks."+key, a.endpointOf(network)
	var reasons []Reason
	wanted := a.aliases(path)
	lost := slices.DeleteFunc(slices.Clone(wanted), func(alias string) bool { return slices.Contains(found.Aliases, alias) })
	if len(lost) > 0 {
		reasons = append(reasons, Reason{
			Change: project.Change{Path: path + ".aliases", Old: strings.Join(wanted, ", "), New: strings.Join(found.Aliases, ", ")},
			Text:   "lost its names " + strings.Join(lost, ", ") + " in network " + network,
		})
	}
	if !a.known || found.Options == nil {
		return reasons
	}
	for name, is := range map[string]string{"ipv4_address": found.Options.Ipv4Address, "ipv6_address": found.Options.Ipv6Address} {
		if made := a.fingerprint.Plain(path + "." + name); made != is {
			reasons = append(reasons, fieldReason(path+"."+name, made, is)...)
		}
	}
	slices.SortFunc(reasons, func(a, b Reason) int { return cmp.Compare(a.Path, b.Path) })
	return reasons
}

// aliases are the names that others find a service by in a network.
func (a applied) aliases(path string) []string {
	var aliases []string
	if a.fingerprint.Plain(path+".use_service_name_alias") != "false" {
		aliases = append(aliases, a.container.Service)
	}
	list := strings.Trim(a.fingerprint.Plain(path+".aliases"), "[]")
	for quoted := range strings.SplitSeq(list, ", ") {
		if alias, err := strconv.Unquote(quoted); err == nil {
			aliases = append(aliases, alias)
		}
	}
	return aliases
}
