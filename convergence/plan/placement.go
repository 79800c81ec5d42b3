package plan

import (
	"fmt"
	"strings"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
	"github.com/muster-dev/muster/project"
)

// AsksOfEngine says whether something in a project depends on what the engine is: then [State] needs to know it.
func AsksOfEngine(p *project.Project) bool {
	for _, service := range p.Services {
		deploy := service.Deploy
		if deploy != nil && (len(deploy.Placement.Constraints) > 0 || deploy.Resources.Reservations != nil) {
			return true
		}
		if service.Build != nil && len(service.Build.AdditionalContexts) > 0 {
			return true
		}
		if mountsInRun(service) && len(service.Secrets)+len(service.Configs) > 0 {
			return true
		}
	}
	return len(needs(p)) > 0
}

// checkPlacement tells where the engine is not what `deploy` asks for. Containers run on it all the same, as docker compose has it:
// there is no other one.
func (r *reconciler) checkPlacement() {
	if r.State.Engine == nil {
		return
	}
	var processors float64
	var memory int64
	for _, name := range sortedKeys(r.Project.Services) {
		service := r.Project.Services[name]
		if service.Deploy == nil || service.GetScale() == 0 {
			continue
		}
		r.checkConstraints(service)
		if reserved := service.Deploy.Resources.Reservations; reserved != nil {
			processors += float64(reserved.NanoCPUs.Value()) * float64(service.GetScale())
			memory += int64(reserved.MemoryBytes) * int64(service.GetScale())
		}
	}
	if has := r.State.Engine.CPUs; has > 0 && processors > float64(has) {
		r.warn(graph.Ref{}, "deploy.resources.reservations: %.4g CPUs are reserved in all, and the engine has %d", processors, has)
	}
	if has := r.State.Engine.Memory; has > 0 && memory > has {
		r.warn(graph.Ref{}, "deploy.resources.reservations: %d MB of memory are reserved in all, and the engine has %d MB", memory>>20, has>>20)
	}
}

func (r *reconciler) checkConstraints(service project.Service) {
	for i, text := range service.Deploy.Placement.Constraints {
		constraint, err := project.ParseConstraint(text)
		if err != nil {
			continue // loading refuses it
		}
		value, known := engineValue(*r.State.Engine, constraint.Key)
		if meets(constraint, value) {
			continue
		}
		path := fmt.Sprintf("services.%s.deploy.placement.constraints[%d]", service.Name, i)
		is := "has none"
		if known {
			is = fmt.Sprintf("has %q", value)
		}
		r.warn(graph.Service(service.Name), "%s%s: %q is not met: the engine %s. It runs there all the same, because there is no other one",
			r.at(path), path, text, is)
	}
}

// meets compares as swarm does, whatever the case of letters. What is not known is equal to nothing.
func meets(constraint project.Constraint, value string) bool {
	return strings.EqualFold(value, constraint.Value) != constraint.Not
}

// engineValue is what the engine has under a constraint's key. A single engine is a manager, and its labels are its node's too.
func engineValue(info engine.Info, key string) (value string, known bool) {
	switch key {
	case "node.id":
		return info.ID, true
	case "node.hostname":
		return info.Host, true
	case "node.role":
		return "manager", true
	case "node.platform.os":
		return info.OS, true
	case "node.platform.arch":
		return info.Arch, true
	}
	label := strings.TrimPrefix(strings.TrimPrefix(key, "node.labels."), "engine.labels.")
	value, known = info.Labels[label]
	return value, known
}
