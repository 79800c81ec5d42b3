package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/muster-dev/muster/cmd/display"
	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/project"
)

// load reads the project and says what is worth telling about its files.
func (g *globals) load(ctx context.Context, services []string, noDeps bool) (*project.Project, error) {
	p, err := project.Load(ctx, g.options(services, noDeps))
	if err != nil {
		return nil, err
	}
	g.warn(p.Warnings)
	return p, nil
}

// readContents reads what secrets and configs hold, and the credentials that services with the engine's socket get. The project that comes
// back has those, and is there also with an error.
func (g *globals) readContents(ctx context.Context, p *project.Project) (*project.Project, error) {
	if p.UsesAPISocket() {
		credentials, err := g.engineOptions().SocketCredentials(ctx)
		if err != nil {
			return p, fmt.Errorf("%suse_api_socket: %w", g.socketPlace(p), err)
		}
		p = p.WithAPISocket(credentials)
	}
	return p, p.ReadContents()
}

// socketPlace is where the first service asks for the engine's socket, as messages begin with it.
func (g *globals) socketPlace(p *project.Project) string {
	for _, name := range p.ServiceNames() {
		if p.Services[name].UseAPISocket {
			return g.placeOf(p, "services."+name+".use_api_socket") + ": services." + name + "."
		}
	}
	return ""
}

// warn writes warnings for people, with their places.
func (g *globals) warn(warnings []project.Warning) {
	looks, err := g.looks()
	if err != nil {
		return
	}
	for _, warning := range warnings {
		warning.Position.File = g.shortPath(warning.Position.File)
		display.Warning(g.app.Err, warning.String(), looks)
	}
}

// projectOrName is for commands that work by labels too: the project where its file can be read, else only its name. The name
// alone does where -p gives it without files, and where COMPOSE_PROJECT_NAME does and the files that are found by themselves
// cannot be read; that they are bad is told then.
func (g *globals) projectOrName(ctx context.Context) (*project.Project, string, error) {
	if g.name != "" && len(g.files) == 0 {
		name, err := project.Name(ctx, g.options(nil, false))
		return nil, name, err
	}
	p, err := g.load(ctx, nil, false)
	if err == nil {
		return p, p.Name, nil
	}
	if g.lookup("COMPOSE_PROJECT_NAME") == "" || len(g.files) > 0 {
		return nil, "", err
	}
	name, nameErr := project.Name(ctx, g.options(nil, false))
	if nameErr != nil {
		return nil, "", nameErr
	}
	g.warnUnread(err, name)
	return nil, name, nil
}

// warnUnread says that a command goes by labels because the files are bad. That there are none needs no words.
func (g *globals) warnUnread(err error, name string) {
	var load *project.LoadError
	if !errors.As(err, &load) || len(load.Problems) == 0 {
		return
	}
	g.warn(load.Problems[:1])
	g.warn([]project.Warning{{Message: fmt.Sprintf("the files are left aside: going by what the engine has of project %q", name)}})
}

// found is a project, or only its name, with what the engine has of it.
type found struct {
	project    *project.Project // nil where only the name is known
	name       string
	engine     *engine.Hub // to be closed
	containers []engine.Container
	hooks      []engine.Container // that hooks run in
}

// look reads the project, or only its name, connects to the engine and lists the project's containers. Services that are nowhere
// are refused.
func (g *globals) look(ctx context.Context, services []string) (f found, err error) {
	if f.project, f.name, err = g.projectOrName(ctx); err != nil {
		return found{}, err
	}
	if f.engine, err = g.dial(ctx, f.name); err != nil {
		return found{}, err
	}
	containers, err := f.engine.ListContainers(ctx, engine.ContainerFilter{Project: f.name, Hooks: true})
	if err != nil {
		err = fmt.Errorf("list containers of project %q: %w", f.name, err)
	} else {
		f.sort(containers)
		err = checkServices(f.project, f.containers, services)
	}
	if err != nil {
		_ = f.engine.Close()
		return found{}, err
	}
	return f, nil
}

// sort tells containers from those that only run hooks.
func (f *found) sort(all []engine.Container) {
	for _, c := range all {
		if c.Hook == "" {
			f.containers = append(f.containers, c)
		} else {
			f.hooks = append(f.hooks, c)
		}
	}
}

// checkServices refuses names of services that are neither in the project nor, where only its name is known, on the engine.
func checkServices(p *project.Project, containers []engine.Container, services []string) error {
	if p != nil {
		_, err := p.Narrow(services, true)
		var unknown *project.UnknownServiceError
		if errors.As(err, &unknown) && !anyOf(containers, unknown.Service) {
			return unknown
		}
		return nil
	}
	for _, service := range services {
		if !anyOf(containers, service) {
			return &project.UnknownServiceError{Service: service}
		}
	}
	return nil
}

func anyOf(containers []engine.Container, service string) bool {
	for _, container := range containers {
		if container.Service == service {
			return true
		}
	}
	return false
}
