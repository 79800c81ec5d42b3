package project

import (
	"strings"
)

// Unsupported are the attributes of the enabled services, and of what they use, that this version of Muster does not honour, each
// with its place, so that nothing is ignored in silence. What only describes, as the names of ports do, is not among them.
func (p *Project) Unsupported() []Warning {
	u := &unsupported{project: p}
	for _, name := range keys(p.Services) {
		u.service("services."+name+".", p.Services[name])
	}
	for _, name := range keys(p.Secrets) {
		u.file("secrets."+name+".", FileObject(p.Secrets[name]))
	}
	for _, name := range keys(p.Configs) {
		u.file("configs."+name+".", FileObject(p.Configs[name]))
	}
	for _, name := range keys(p.Jobs) {
		u.add("jobs." + name)
	}
	return sortProblems(u.warnings)
}

type unsupported struct {
	project  *Project
	warnings []Warning
}

// attribute is one that may be set and is not honoured.
type attribute struct {
	path string
	set  bool
}

func (u *unsupported) add(path string) {
	place, _ := u.project.places.find(path)
	u.warnings = append(u.warnings, place.problem(path, "not honoured yet", ""))
}

func (u *unsupported) table(prefix string, attributes []attribute) {
	for _, attribute := range attributes {
		if attribute.set {
			u.add(prefix + attribute.path)
		}
	}
}

func (u *unsupported) service(prefix string, service Service) {
	policy := service.PullPolicy
	u.table(prefix, []attribute{
		{"pre_start", len(service.PreStart) > 0},
		{"post_start", len(service.PostStart) > 0},
		{"pre_stop", len(service.PreStop) > 0},
		{"provider", service.Provider != nil},
		{"models", len(service.Models) > 0},
		{"use_api_socket", service.UseAPISocket},
		{"credential_spec", service.CredentialSpec != nil},
		{"pull_policy", policy == "daily" || policy == "weekly" || strings.HasPrefix(policy, "every_")},
		{"pull_refresh_after", service.PullRefreshAfter != ""},
	})
	for _, secret := range service.Secrets {
		u.reference(prefix+"secrets."+secret.Source, FileReference(secret))
	}
	for _, config := range service.Configs {
		u.reference(prefix+"configs."+config.Source, FileReference(config))
	}
	if service.Deploy != nil {
		u.deploy(prefix+"deploy.", service.Deploy)
	}
}

func (u *unsupported) reference(prefix string, reference FileReference) {
	u.table(prefix+".", []attribute{
		{"uid", reference.UID != ""},
		{"gid", reference.GID != ""},
		{"mode", reference.Mode != nil},
	})
}

func (u *unsupported) deploy(prefix string, deploy *Deploy) {
	placement := deploy.Placement
	u.table(prefix, []attribute{
		{"mode", deploy.Mode != "" && deploy.Mode != "replicated"},
		{"endpoint_mode", deploy.EndpointMode != ""},
		{"update_config", deploy.UpdateConfig != nil},
		{"rollback_config", deploy.RollbackConfig != nil},
		{"placement", len(placement.Constraints) > 0 || len(placement.Preferences) > 0 || placement.MaxReplicas > 0},
	})
	if reservations := deploy.Resources.Reservations; reservations != nil {
		u.table(prefix+"resources.reservations.", []attribute{
			{"cpus", reservations.NanoCPUs != 0},
			{"generic_resources", len(reservations.GenericResources) > 0},
		})
	}
	if policy := deploy.RestartPolicy; policy != nil {
		u.table(prefix+"restart_policy.", []attribute{
			{"delay", policy.Delay != nil},
			{"window", policy.Window != nil},
		})
	}
}

func (u *unsupported) file(prefix string, object FileObject) {
	u.table(prefix, []attribute{
		{"environment", object.Environment != ""},
		{"content", object.Content != "" && object.Environment == ""},
		{"external", bool(object.External)},
		{"driver", object.Driver != ""},
		{"driver_opts", len(object.DriverOpts) > 0},
		{"template_driver", object.TemplateDriver != ""},
	})
}
