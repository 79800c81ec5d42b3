package project

import (
	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"
)

// typeCast is a rule of the library's for texts that become numbers and booleans.
type typeCast struct {
	path    tree.Path
	pattern []string
	cast    interpolation.Cast
}

// typeCasts are all rules by the last segment of their patterns: the library's, and what it lacks.
func typeCasts() map[string][]typeCast {
	casts := map[string][]typeCast{}
	for path, cast := range loader.ToOptions(&types.ConfigDetails{}, nil).Interpolate.TypeCastMapping {
		pattern := path.Parts()
		last := pattern[len(pattern)-1]
		casts[last] = append(casts[last], typeCast{path, pattern, cast})
	}
	casts["mode"] = append(casts["mode"], modeCast())
	casts["[]"] = append(casts["[]"], mountCast())
	return casts
}

// castFor is the rule for a path.
func castFor(path at, casts map[string][]typeCast) (typeCast, bool) {
	if len(path) == 0 {
		return typeCast{}, false
	}
	last := path[len(path)-1]
	if isIndex(last) {
		last = "[]"
	}
	for _, key := range []string{last, "*"} {
		for _, rule := range casts[key] {
			if path.matches(rule.pattern) {
				return rule, true
			}
		}
	}
	return typeCast{}, false
}

// castsInUse are the rules that some text of the files falls under, mostly none. The library tries each rule that it is given on
// each text, which takes a fifth of its time.
func (r *reader) castsInUse() map[tree.Path]interpolation.Cast {
	casts := typeCasts()
	used := map[tree.Path]interpolation.Cast{}
	for _, source := range r.all {
		for _, document := range source.documents {
			walkTexts(document, nil, func(_ *yaml.Node, path at) {
				if rule, ok := castFor(path, casts); ok {
					used[rule.path] = rule.cast
				}
			})
		}
	}
	return used
}

// castName is what a cast wants, found out by trying.
func castName(cast interpolation.Cast) string {
	if _, err := cast("true"); err == nil {
		return "true or false"
	}
	if _, err := cast("1.5"); err == nil {
		return "a number"
	}
	if _, err := cast("9"); err != nil {
		return `an octal number, like "0o1777"`
	}
	return "an integer"
}
