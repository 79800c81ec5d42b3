package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/muster-dev/muster/convergence/provider"
	"github.com/muster-dev/muster/project"
)

// providers runs the programs of a project's provider services, with the project's environment and what it takes to reach the same engine;
// nil where nothing is known but a name.
func (g *globals) providers(p *project.Project) provider.Runner {
	if p == nil {
		return nil
	}
	environment := map[string]string(p.Environment.Clone())
	host, named := g.lookup("DOCKER_HOST"), cmp.Or(g.context, g.lookup("DOCKER_CONTEXT"))
	if host = cmp.Or(g.host, host); g.context != "" {
		host = "" // programs go by DOCKER_HOST first
	}
	for name, value := range map[string]string{"DOCKER_HOST": host, "DOCKER_CONTEXT": named} {
		if environment[name] = value; value == "" {
			delete(environment, name)
		}
	}
	programs := provider.Programs{Find: g.findProvider, Dir: g.app.Dir}
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		programs.Env = append(programs.Env, name+"="+environment[name])
	}
	return programs
}

func (g *globals) findProvider(kind string) (string, error) {
	path, err := g.engineOptions().FindProvider(kind)
	if err != nil {
		return "", &hinted{
			fmt.Errorf("provider %q: there is neither a plugin docker-%s nor a program %s: %w", kind, kind, kind, err),
			"install it into ~/.docker/cli-plugins or a folder of the PATH",
		}
	}
	return path, nil
}

// checkProviders finds the programs of provider services before anything is touched.
func (g *globals) checkProviders(p *project.Project) error {
	for _, name := range p.ServiceNames() {
		service := p.Services[name]
		if service.Provider == nil {
			continue
		}
		path := "services." + name + ".provider.type"
		if service.Provider.Type == "compose" {
			return fmt.Errorf("%s: %s: \"compose\" is not a valid provider type", g.placeOf(p, path), path)
		}
		if _, err := g.findProvider(service.Provider.Type); err != nil {
			return fmt.Errorf("%s: %s: %w", g.placeOf(p, path), path, err)
		}
	}
	return nil
}

// placeOf is where an attribute stands, as the user would name the file.
func (g *globals) placeOf(p *project.Project, path string) string {
	place := p.Place(path)
	place.File = g.shortPath(place.File)
	return place.String()
}
