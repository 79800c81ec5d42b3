package project

import "reflect"

// Unsupported are the attributes of the enabled services, and of what they use, that this version of Muster does not honour, each
// with its place and what happens instead, so that nothing is ignored in silence. What only describes, as the names of ports do, is
// in [Project.Inert], what nothing can be brought up with in [Project.Refused].
func (p *Project) Unsupported() []Warning {
	r := &reporter{project: p}
	for _, name := range keys(p.Services) {
		r.unsupported("services."+name+".", p.Services[name])
	}
	for _, name := range keys(p.Jobs) {
		r.report("jobs."+name, notYet+noJobs)
	}
	return sortProblems(r.warnings)
}

const (
	notYet   = "not honoured yet: "
	noEffect = "has no effect: "

	noJobs = "nothing runs it"
)

// reporter collects what is worth telling about attributes.
type reporter struct {
	project  *Project
	warnings []Warning
	// explain is told of every attribute, set or not, and what happens instead; nil where those that are set are reported.
	explain func(path, instead string)
}

func (r *reporter) report(path, message string) {
	place, _ := r.project.places.find(path)
	r.warnings = append(r.warnings, place.problem(path, message, ""))
}

// inert is an attribute that may be set, and what happens instead of what it asks for.
type inert struct {
	path    string
	set     bool
	instead string
}

// told reports those that are set.
func (r *reporter) told(kind, prefix string, attributes []inert) {
	for _, attribute := range attributes {
		switch {
		case r.explain != nil:
			r.explain(prefix+attribute.path, attribute.instead)
		case attribute.set:
			r.report(prefix+attribute.path, kind+attribute.instead)
		}
	}
}

func (r *reporter) unsupported(prefix string, service Service) {
	r.told(notYet, prefix, []inert{
		{"umask", service.Umask != nil, "the container has the engine's"},
	})
	r.told(noEffect, prefix, []inert{
		{
			"pull_refresh_after", service.PullRefreshAfter != "" && service.PullPolicy != PullRefresh,
			"it is for pull_policy refresh; with others images come as those say",
		},
	})
	if service.Deploy != nil {
		r.unsupportedDeploy(prefix+"deploy.", service.Deploy)
	}
}

// doesMore says whether updates are to be more than watched for a while.
func doesMore(update *UpdateConfig) bool {
	if update == nil {
		return false
	}
	rest := *update
	rest.Monitor = 0
	return !reflect.ValueOf(rest).IsZero()
}

func (r *reporter) unsupportedDeploy(prefix string, deploy *Deploy) {
	r.told(notYet, prefix, []inert{
		{"update_config", doesMore(deploy.UpdateConfig), "containers are replaced one at a time, and put back where one fails; only monitor counts"},
		{"rollback_config", deploy.RollbackConfig != nil, "what ran before a replacement that fails runs again at once"},
	})
	if reservations := deploy.Resources.Reservations; reservations != nil {
		r.told(notYet, prefix+"resources.reservations.", []inert{
			{"generic_resources", len(reservations.GenericResources) > 0, "nobody counts them, and the container runs"},
		})
	}
	if policy := deploy.RestartPolicy; policy != nil {
		const engines = "the engine starts it again after a time of its own, which grows from 100ms"
		r.told(notYet, prefix+"restart_policy.", []inert{
			{"delay", policy.Delay != nil, engines},
			{"window", policy.Window != nil, "a run that the engine takes for good is one of 10s"},
		})
	}
}
