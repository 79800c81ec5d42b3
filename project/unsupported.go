package project

// Unsupported are the attributes of the enabled services, and of what they use, that this version of Muster does not honour, each
// with its place, so that nothing is ignored in silence. What only describes, as the names of ports do, is in [Project.Inert].
func (p *Project) Unsupported() []Warning {
	r := &reporter{project: p}
	for _, name := range keys(p.Services) {
		r.service("services."+name+".", p.Services[name])
	}
	for _, name := range keys(p.Secrets) {
		r.file("secrets."+name+".", FileObject(p.Secrets[name]))
	}
	for _, name := range keys(p.Configs) {
		r.file("configs."+name+".", FileObject(p.Configs[name]))
	}
	for _, name := range keys(p.Jobs) {
		r.add("jobs." + name)
	}
	return sortProblems(r.warnings)
}

// reporter collects what is worth telling about attributes.
type reporter struct {
	project  *Project
	warnings []Warning
}

func (r *reporter) report(path, message string) {
	place, _ := r.project.places.find(path)
	r.warnings = append(r.warnings, place.problem(path, message, ""))
}

// attribute is one that may be set and is not honoured.
type attribute struct {
	path string
	set  bool
}

func (r *reporter) add(path string) { r.report(path, "not honoured yet") }

func (r *reporter) table(prefix string, attributes []attribute) {
	for _, attribute := range attributes {
		if attribute.set {
			r.add(prefix + attribute.path)
		}
	}
}

func (r *reporter) service(prefix string, service Service) {
	r.table(prefix, []attribute{
		{"provider", service.Provider != nil},
		{"models", len(service.Models) > 0},
		{"use_api_socket", service.UseAPISocket},
		{"umask", service.Umask != nil},
	})
	if service.Deploy != nil {
		r.deploy(prefix+"deploy.", service.Deploy)
	}
}

func (r *reporter) deploy(prefix string, deploy *Deploy) {
	r.table(prefix, []attribute{
		{"update_config", deploy.UpdateConfig != nil},
		{"rollback_config", deploy.RollbackConfig != nil},
	})
	if reservations := deploy.Resources.Reservations; reservations != nil {
		r.table(prefix+"resources.reservations.", []attribute{
			{"generic_resources", len(reservations.GenericResources) > 0},
		})
	}
	if policy := deploy.RestartPolicy; policy != nil {
		r.table(prefix+"restart_policy.", []attribute{
			{"delay", policy.Delay != nil},
			{"window", policy.Window != nil},
		})
	}
}

func (r *reporter) file(prefix string, object FileObject) {
	r.table(prefix, []attribute{
		{"driver", object.Driver != ""},
		{"driver_opts", len(object.DriverOpts) > 0 && object.Driver != ""},
		{"template_driver", object.TemplateDriver != ""},
	})
}
