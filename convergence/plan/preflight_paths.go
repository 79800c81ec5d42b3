package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/muster-dev/muster/convergence/step"
	"github.com/muster-dev/muster/project"
)

// binds are the services that the plan gives paths of the project's own folder, sorted.
func (p *Plan) binds(wanted *project.Project) []string {
	if wanted == nil || wanted.WorkingDir == "" {
		return nil
	}
	var services []string
	for _, node := range p.Nodes {
		create, ok := node.Step.(step.CreateContainer)
		if ok && slices.ContainsFunc(create.Request.Service.Volumes, func(m project.Mount) bool {
			return m.Type == project.MountBind && isIn(m.Source, wanted.WorkingDir)
		}) {
			services = append(services, create.Service)
		}
	}
	slices.Sort(services)
	return slices.Compact(services)
}

func isIn(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}

// pathsElsewhere warns that paths of this host are looked up on the engine's, which is another one.
func (p *Plan) pathsElsewhere(wanted *project.Project, around Surroundings) *Warning {
	if around.Elsewhere == "" {
		return nil
	}
	services := p.binds(wanted)
	if len(services) == 0 {
		return nil
	}
	return &Warning{Message: fmt.Sprintf("the engine is on %s: what %s below %s is looked up there, not here; "+
		"where it does not exist there, the engine makes an empty folder or fails", around.Elsewhere, mounting(services), wanted.WorkingDir)}
}

// mounting is who mounts: `service "web" mounts`, `services "api" and "web" mount`.
func mounting(services []string) string {
	if len(services) == 1 {
		return fmt.Sprintf("service %q mounts", services[0])
	}
	quoted := make([]string, len(services))
	for i, service := range services {
		quoted[i] = fmt.Sprintf("%q", service)
	}
	last := len(quoted) - 1
	return "services " + strings.Join(quoted[:last], ", ") + " and " + quoted[last] + " mount"
}
