package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// requirement is what an engine must be for an attribute to have its effect.
type requirement struct {
	api, release string // the API's version, and the engine's that brought it
	system       string // the operating system that containers have
	cgroups      string // the version of control groups
	// instead is what happens on other engines, where that is no reason to refuse; empty means that it is one.
	instead string
	// why says what of the attribute requires it, and try what else can be done; empty where all of it does, and the usual can.
	why, try string
}

// need is an attribute in use that not every engine has.
type need struct {
	ref  graph.Ref
	path string // of the attribute
	requirement
}

// The requirements of attributes: the API's history tells since when each is there.
func since(api, release string) requirement { return requirement{api: api, release: release} }

func onWindows(instead string) requirement { return requirement{system: "windows", instead: instead} }

func onOldCgroups() requirement {
	return requirement{cgroups: "1", instead: "the kernel has no such limit, and the engine leaves it out"}
}

// needs are the attributes of a project's enabled services, and of networks that are made for them, that not every engine has.
func needs(p *project.Project) []need {
	var found []need
	for _, name := range sortedKeys(p.Services) {
		service := p.Services[name]
		if service.GetScale() == 0 {
			continue
		}
		own := needsOf(p, service)
		for _, used := range own {
			if used.set {
				found = append(found, need{graph.Service(name), "services." + name + "." + used.path, used.requirement})
			}
		}
		found = append(found, hookNeeds(p, service, own)...)
	}
	for _, key := range sortedKeys(p.Networks) {
		network := p.Networks[key]
		if network.EnableIPv4 != nil && !*network.EnableIPv4 && !bool(network.External) {
			found = append(found, need{graph.Network(key), "networks." + key + ".enable_ipv4", since("1.48", "28.0")})
		}
	}
	return found
}

// needsOf are the attributes of a service, or of what a hook runs in, that not every engine has.
func needsOf(p *project.Project, service project.Service) []use {
	return slices.Concat(serviceNeeds(service), mountNeeds(service), endpointNeeds(service), fileNeeds(p, service))
}

// use is an attribute that may be in use.
type use struct {
	path string
	set  bool
	requirement
}

func serviceNeeds(service project.Service) []use {
	check := service.HealthCheck
	lost := func(r requirement, instead string) requirement {
		r.instead = instead
		return r
	}
	return []use{
		{"healthcheck.start_interval", check != nil && check.StartInterval != nil && !check.Disable, since("1.44", "25.0")},
		{"annotations", len(service.Annotations) > 0, lost(since("1.43", "24.0"), "the container has no annotations")},
		{"platform", service.Platform != "", since("1.41", "20.10")},
		{"cgroup", service.Cgroup != "", since("1.41", "20.10")},
		{"gpus", len(service.Gpus) > 0, since("1.40", "19.03")},
		{"deploy.resources.reservations.devices", reservesDevices(service), since("1.40", "19.03")},
		{"isolation", service.Isolation != "" && service.Isolation != "default", requirement{system: "windows"}},
		{"cpu_count", service.CPUCount != 0, onWindows("the engine leaves it out")},
		{"cpu_percent", service.CPUPercent != 0, onWindows("the engine leaves it out")},
		{"credential_spec", service.CredentialSpec != nil, onWindows("it is left out")},
		{"cpu_rt_period", service.CPURTPeriod != 0, onOldCgroups()},
		{"cpu_rt_runtime", service.CPURTRuntime != 0, onOldCgroups()},
		{"oom_kill_disable", service.OomKillDisable, onOldCgroups()},
		{"mem_swappiness", service.MemSwappiness != 0, onOldCgroups()},
	}
}

func reservesDevices(service project.Service) bool {
	return service.Deploy != nil && service.Deploy.Resources.Reservations != nil &&
		len(service.Deploy.Resources.Reservations.Devices) > 0
}

func mountNeeds(service project.Service) []use {
	var uses []use
	for _, mount := range service.Volumes {
		path := "volumes." + mount.Target
		uses = append(uses,
			use{path, mount.Type == project.MountImage, since("1.48", "28.0")},
			use{path, mount.Type == project.MountCluster, since("1.42", "23.0")},
			use{path, mount.Type == project.MountNamedPipe, requirement{system: "windows"}},
			use{path + ".volume.subpath", mount.Volume != nil && mount.Volume.Subpath != "", since("1.45", "26.0")},
			use{path + ".bind.recursive", needsRecursion(mount), since("1.44", "25.0")},
		)
	}
	return uses
}

// needsRecursion says whether a mount asks for more than leaving out what is mounted below, which is older.
func needsRecursion(mount project.Mount) bool {
	return mount.Bind != nil && (mount.Bind.Recursive == "writable" || mount.Bind.Recursive == "readonly")
}

func endpointNeeds(service project.Service) []use {
	var uses []use
	for i, key := range service.NetworksByPriority() {
		endpoint := service.Networks[key]
		if endpoint == nil {
			continue
		}
		path := "networks." + key + "."
		uses = append(uses,
			use{path + "gw_priority", endpoint.GatewayPriority != 0, since("1.48", "28.0")},
			use{path + "interface_name", endpoint.InterfaceName != "", since("1.49", "28.1")},
			use{path + "mac_address", endpoint.MacAddress != "" && i > 0, since("1.44", "25.0")}, // the first one's is the container's
		)
	}
	return uses
}

// checkNeeds refuses attributes that the engine does not have where it would do something else than the file asks for, and tells
// of the others.
func (r *reconciler) checkNeeds() {
	if r.State.Engine == nil { // nothing would be said, and a look at every service of a large project takes its time
		return
	}
	for _, need := range needs(r.Project) {
		r.refuseLacking(need)
	}
}

// refuseLacking refuses an attribute that the engine does not have, or tells that it is left out. Nothing is said where it is not
// known what the engine is.
func (r *reconciler) refuseLacking(need need) {
	if r.State.Engine == nil {
		return
	}
	lacking := need.lacking(*r.State.Engine)
	switch {
	case lacking == "":
	case need.instead != "":
		r.warn(need.ref, "%s%s %s: %s", r.at(need.path), need.path, lacking, need.instead)
	default:
		r.problem(Problem{
			Ref: need.ref, Position: r.Project.Place(need.path), Message: strings.TrimSpace(need.path+" "+need.why) + " " + lacking,
			Try: cmp.Or(need.try, "leave it out, or use an engine that has it"),
		})
	}
}

// checkRefused refuses what cannot be honoured and what services cannot do without.
func (r *reconciler) checkRefused() {
	for _, refused := range r.Project.Refused() {
		r.problem(Problem{Position: refused.Position, Message: refused.Path + ": " + refused.Message, Try: refused.Hint})
	}
}

// at is a place as messages begin with it; empty where it is not known.
func (r *reconciler) at(path string) string {
	if place := r.Project.Place(path).String(); place != "" {
		return place + ": "
	}
	return ""
}

// lacking says what the engine is not; empty where it is all that is required.
func (r requirement) lacking(info engine.Info) string {
	switch {
	case r.api != "" && !info.HasAPI(r.api):
		return fmt.Sprintf("needs API %s (Docker %s): the engine (%s) speaks %s", r.api, r.release, info.Engine, info.API)
	case r.system != "" && info.OS != r.system:
		return fmt.Sprintf("is for engines on %s: this one runs on %s", r.system, info.OS)
	case r.cgroups != "" && info.Cgroups != "" && info.Cgroups != r.cgroups:
		return fmt.Sprintf("needs control groups of version %s: the engine's host has version %s", r.cgroups, info.Cgroups)
	}
	return ""
}
