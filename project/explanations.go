package project

import (
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// Explanation is an attribute that has no effect on a single engine, or none yet, and what happens instead.
type Explanation struct {
	Path    string // "services.*.ports[].mode"
	Instead string
}

// Explain lists all of them, in the order of their paths, whatever a project has. Those of builds are in package build.
func Explain() []Explanation {
	var list []Explanation
	r := &reporter{explain: func(path, instead string) {
		list = append(list, Explanation{strings.ReplaceAll(path, "[0]", "[]"), instead})
	}}
	service := Service{Deploy: &Deploy{
		Resources: types.Resources{Reservations: &types.Resource{}}, RestartPolicy: &types.RestartPolicy{},
	}}
	service.Ports = make([]Port, 1)
	r.describing("services.*.", service)
	r.unsupported("services.*.", service)
	for _, section := range []string{"secrets.*.", "configs.*."} {
		r.told(noEffect, section, inertOfFile(FileObject{}))
	}
	refused := "`up` refuses the services that use it"
	for _, path := range []string{
		"services.*.models", "secrets.*.driver", "secrets.*.template_driver", "configs.*.template_driver", "secrets.*.external", "configs.*.external",
	} {
		list = append(list, Explanation{path, refused})
	}
	list = append(list, Explanation{"jobs", noJobs})
	slices.SortStableFunc(list, func(a, b Explanation) int { return strings.Compare(a.Path, b.Path) })
	return list
}
