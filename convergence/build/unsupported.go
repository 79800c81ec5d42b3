package build

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/muster-dev/muster/project"
)

// Unsupported are the attributes of the build sections of the enabled services that [Request] leaves out, each with its place,
// so that nothing is ignored in silence.
func Unsupported(p *project.Project) []project.Warning {
	var warnings []project.Warning
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		prefix := "services." + name + ".build."
		for _, attribute := range unsupported(p.Services[name]) {
			warnings = append(warnings, project.Warning{
				Position: p.Place(prefix + attribute), Path: prefix + attribute, Message: "not honoured yet",
			})
		}
	}
	slices.SortFunc(warnings, func(a, b project.Warning) int {
		return cmp.Or(cmp.Compare(a.Position.File, b.Position.File), cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column), cmp.Compare(a.Path, b.Path))
	})
	return warnings
}

// Explain lists the attributes of builds that are not honoured, and what happens instead.
func Explain() []project.Explanation {
	const prefix, owned = "services.*.build.", "the build sees it as root's, mode 0400"
	return []project.Explanation{
		{Path: prefix + "cache_from", Instead: "caches in folders (type=local) are left out; others are used"},
		{Path: prefix + "cache_to", Instead: "caches in folders (type=local) are left out; others are written"},
		{Path: prefix + "isolation", Instead: "builds run in Linux containers"},
		{Path: prefix + "provenance", Instead: "no attestation is made"},
		{Path: prefix + "sbom", Instead: "no attestation is made"},
		{Path: prefix + "secrets[].gid", Instead: owned},
		{Path: prefix + "secrets[].mode", Instead: owned},
		{Path: prefix + "secrets[].uid", Instead: owned},
		{Path: prefix + "ssh", Instead: "the build has no agent"},
	}
}

// unsupported are the paths below the build section.
func unsupported(service project.Service) []string {
	section := service.Build
	if section == nil {
		return nil
	}
	var paths []string
	for path, isSet := range map[string]bool{
		"ssh":        len(section.SSH) > 0,
		"isolation":  section.Isolation != "" && section.Isolation != "default",
		"provenance": isWanted(section.Provenance),
		"sbom":       isWanted(section.SBOM),
	} {
		if isSet {
			paths = append(paths, path)
		}
	}
	for _, secret := range section.Secrets {
		for key, isSet := range map[string]bool{"uid": secret.UID != "", "gid": secret.GID != "", "mode": secret.Mode != nil} {
			if isSet {
				paths = append(paths, "secrets."+secret.Source+"."+key)
			}
		}
	}
	paths = append(paths, localCaches("cache_from", section.CacheFrom)...)
	return append(paths, localCaches("cache_to", section.CacheTo)...)
}

// isWanted says whether an attestation is asked for: none is made, so "false" is honoured.
func isWanted(attestation string) bool {
	wanted, err := strconv.ParseBool(attestation)
	return attestation != "" && (err != nil || wanted)
}

// localCaches are the entries that name folders here: they would have to be packed and unpacked on this side.
func localCaches(attribute string, entries []string) []string {
	var paths []string
	for i, entry := range entries {
		if isLocalCache(entry) {
			paths = append(paths, attribute+"["+strconv.Itoa(i)+"]")
		}
	}
	return paths
}

func isLocalCache(entry string) bool { return slices.Contains(strings.Split(entry, ","), "type=local") }

func withoutLocal(entries []string) []string {
	return slices.DeleteFunc(slices.Clone(entries), isLocalCache)
}
