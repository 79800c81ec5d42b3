package build

import (
	"cmp"
	"maps"
	"slices"

	"github.com/muster-dev/muster/project"
)

// Unsupported are the attributes of the build sections of the enabled services that [Request] leaves out, each with its place,
// so that nothing is ignored in silence.
func Unsupported(p *project.Project) []project.Warning {
	var warnings []project.Warning
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		prefix := "services." + name + ".build."
		for attribute, instead := range unsupported(p.Services[name]) {
			warnings = append(warnings, project.Warning{
				Position: p.Place(prefix + attribute), Path: prefix + attribute, Message: "has no effect: " + instead,
			})
		}
	}
	slices.SortFunc(warnings, func(a, b project.Warning) int {
		return cmp.Or(cmp.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column), cmp.Compare(a.Path, b.Path))
	})
	return warnings
}

// What happens instead of what attributes ask for.
const (
	insteadIsolation = "BuildKit has one way to isolate steps"
	insteadOwner     = "the Dockerfile says it: RUN --mount=type=secret,"
)

// Explain lists the attributes of builds that are not honoured, and what happens instead.
func Explain() []project.Explanation {
	const prefix = "services.*.build."
	return []project.Explanation{
		{Path: prefix + "isolation", Instead: insteadIsolation},
		{Path: prefix + "secrets[].gid", Instead: insteadOwner + "gid=..."},
		{Path: prefix + "secrets[].mode", Instead: insteadOwner + "mode=..."},
		{Path: prefix + "secrets[].uid", Instead: insteadOwner + "uid=..."},
	}
}

// unsupported are the paths below the build section, and what happens instead.
func unsupported(service project.Service) map[string]string {
	section := service.Build
	if section == nil {
		return nil
	}
	found := map[string]string{}
	if section.Isolation != "" && section.Isolation != "default" {
		found["isolation"] = insteadIsolation
	}
	for _, secret := range section.Secrets {
		for key, isSet := range map[string]bool{"uid": secret.UID != "", "gid": secret.GID != "", "mode": secret.Mode != nil} {
			if isSet {
				found["secrets."+secret.Source+"."+key] = insteadOwner + key + "=..."
			}
		}
	}
	return found
}
