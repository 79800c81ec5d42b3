package project

import (
	"cmp"
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/template"
)

// Variable is a variable that files have replaced by its value.
type Variable struct {
	Name          string
	DefaultValue  string // what stands for it where it is not set; empty for none
	PresenceValue string // what stands for it where it is set, in place of its value; empty for none
	Required      bool   // it is an error not to set it
}

// Variables are those that a [Tree] whose variables are not replaced has, sorted by name. A variable that is used more than once
// is required where one of its uses requires it.
func Variables(tree map[string]any) []Variable {
	found := template.ExtractVariables(tree, template.DefaultPattern)
	variables := make([]Variable, 0, len(found))
	for variable := range maps.Values(found) {
		variables = append(variables, Variable(variable))
	}
	slices.SortFunc(variables, func(a, b Variable) int { return cmp.Compare(a.Name, b.Name) })
	return variables
}
