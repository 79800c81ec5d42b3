package project

import (
	"fmt"
	"strings"
)

// Refused are the attributes without which services would not be what they are for, and that nothing here can honour: models that no
// runner serves, drivers of secrets and configs, the engine's own networks in a list. Whatever brings services up refuses them; other commands do not mind. Each has its
// place and what to try.
func (p *Project) Refused() []Problem {
	r := &refuser{project: p, told: map[string]bool{}}
	for _, name := range keys(p.Services) {
		service := p.Services[name]
		if service.GetScale() == 0 {
			continue
		}
		r.models("services."+name, service)
		r.networks("services."+name+".networks", service)
		r.files(service)
		for _, hook := range PreStarts(p, service) {
			r.files(hook.Service)
		}
	}
	return sortProblems(r.problems)
}

// refuser collects what is refused, each once.
type refuser struct {
	project  *Project
	problems []Problem
	told     map[string]bool
}

func (r *refuser) refuse(path, message, hint string) {
	if !r.told[path] {
		r.told[path] = true
		place, _ := r.project.places.find(path)
		r.problems = append(r.problems, place.problem(path, message, hint))
	}
}

func (r *refuser) models(path string, service Service) {
	if len(service.Models) == 0 {
		return
	}
	var variables []string
	for _, name := range keys(service.Models) {
		endpoint, model := modelVariables(name)
		if options := service.Models[name]; options != nil && options.EndpointVariable != "" {
			endpoint = options.EndpointVariable
		}
		if options := service.Models[name]; options != nil && options.ModelVariable != "" {
			model = options.ModelVariable
		}
		variables = append(variables, endpoint, model)
	}
	r.refuse(path+".models", fmt.Sprintf("service %s needs a model runner, and there is none here yet", quote(service.Name)),
		"serve the model by other means, leave out models, and say in environment where it is: "+strings.Join(variables, ", "))
}

// networks refuses the engine's own networks in a list of networks: services have aliases there, which an engine takes on networks that
// were made for somebody only.
func (r *refuser) networks(path string, service Service) {
	for _, key := range keys(service.Networks) {
		if name := r.project.Networks[key].Name; isEnginesOwn(name) {
			r.refuse(path+"."+key, fmt.Sprintf("network %s is the engine's own, which knows no names of services", quote(name)),
				fmt.Sprintf("put the service there with `network_mode: %s`, or make a network of your own", name))
		}
	}
}

// modelVariables are the variables that tell a service of a model that says no others.
func modelVariables(model string) (endpoint, name string) {
	prefix := strings.ToUpper(strings.ReplaceAll(model, "-", "_"))
	return prefix + "_URL", prefix + "_MODEL"
}

func (r *refuser) files(service Service) {
	for _, use := range service.Secrets {
		r.file("secret", use.Source, FileObject(r.project.Secrets[use.Source]))
	}
	for _, use := range service.Configs {
		r.file("config", use.Source, FileObject(r.project.Configs[use.Source]))
	}
}

func (r *refuser) file(kind, name string, object FileObject) {
	if object.Driver != "" {
		r.refuse(kind+"s."+name+".driver", fmt.Sprintf("%s %s is kept by driver %s, and a single engine has none", kind, quote(name), quote(object.Driver)),
			"give it `file:` or `environment:` in place of the driver")
	}
	if object.TemplateDriver != "" {
		r.refuse(kind+"s."+name+".template_driver",
			fmt.Sprintf("%s %s is a template for %s, and nothing here would fill it in", kind, quote(name), quote(object.TemplateDriver)),
			"write what it shall hold, with variables of the Compose file, and leave the driver out")
	}
}
