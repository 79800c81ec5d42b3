package project

// Inert are the attributes of the enabled services, and of what they use, that have no effect on a single engine and need none:
// they describe, or they choose between engines. Each has its place and what happens instead. Nothing is lost by it, so they are
// for who asks; what a user would miss is in [Project.Unsupported].
func (p *Project) Inert() []Warning {
	r := &reporter{project: p}
	for _, name := range keys(p.Services) {
		r.describing("services."+name+".", p.Services[name])
	}
	for _, name := range keys(p.Secrets) {
		r.told(noEffect, "secrets."+name+".", inertOfFile(FileObject(p.Secrets[name])))
	}
	for _, name := range keys(p.Configs) {
		r.told(noEffect, "configs."+name+".", inertOfFile(FileObject(p.Configs[name])))
	}
	return sortProblems(r.warnings)
}

func (r *reporter) describing(prefix string, service Service) {
	for i, port := range service.Ports {
		r.told(noEffect, prefix+"ports"+at{}.item(i).String()+".", []inert{
			{"name", port.Name != "", "it only describes the port"},
			{"app_protocol", port.AppProtocol != "", "it only describes the port"},
			{"mode", port.Mode == "host", "a single engine publishes all ports on its own host"},
		})
	}
	if service.Deploy == nil {
		return
	}
	if reserved := service.Deploy.Resources.Reservations; reserved != nil {
		r.told(noEffect, prefix+"deploy.resources.reservations.", []inert{
			{"cpus", reserved.NanoCPUs != 0, "an engine keeps no processors free; whether it has as many is looked at"},
		})
	}
	r.told(noEffect, prefix+"deploy.", []inert{
		{"labels", len(service.Deploy.Labels) > 0, "an engine has no services that could carry them; labels of containers are in `labels`"},
		{
			"endpoint_mode", service.Deploy.EndpointMode != "",
			"the service's name stands for the addresses of all its containers, which is dnsrr",
		},
		{
			"placement.constraints", len(service.Deploy.Placement.Constraints) > 0,
			"there is one engine; `up` tells where it is not what they ask for",
		},
		{"placement.preferences", len(service.Deploy.Placement.Preferences) > 0, "there is one engine, and nothing to spread over"},
	})
}

func inertOfFile(object FileObject) []inert {
	const nobody = "an engine has no such object that could carry them"
	return []inert{
		{"labels", len(object.Labels) > 0, nobody},
		{"driver_opts", len(object.DriverOpts) > 0 && object.Driver == "", "there is no driver that they are for"},
	}
}
