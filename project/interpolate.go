package project

import (
	"errors"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"
)

// What stops texts that would cost too much.
var (
	errExpansion = errors.New("variables add up to more than 16 MB")
	errCrowded   = errors.New("too many variables in one text")
)

// maxCrowd bounds the squares of the numbers of "${" in the texts of a load: the library looks at the rest of a text again for
// each of them. One text may have a thousand.
const maxCrowd = 1_000_000

// substitution replaces variables for one load. It does not log, it is bounded, and it knows which variables were missing.
type substitution struct {
	left    int // bytes that variables may still add
	crowd   int
	missing map[string]bool
}

func newSubstitution() *substitution {
	const most = 16 << 20
	return &substitution{left: most, missing: map[string]bool{}}
}

// replace is a text with its variables replaced.
func (s *substitution) replace(text string, lookup template.Mapping) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	count := strings.Count(text, "${")
	if s.crowd += count * count; s.crowd > maxCrowd {
		return "", errCrowded
	}
	bounded := func(name string) (string, bool) {
		value, ok := lookup(name)
		if s.left -= len(value); s.left < 0 {
			return "", true
		}
		if !ok {
			s.missing[name] = true
		}
		return value, ok
	}
	replaced, err := template.SubstituteWithOptions(text, bounded, template.WithoutLogging)
	if s.left < 0 {
		return "", errExpansion
	}
	return replaced, err
}

var plainVariable = regexp.MustCompile(`\$(?:\{([_a-zA-Z][_a-zA-Z0-9]*)\}|([_a-zA-Z][_a-zA-Z0-9]*))`)

// unsetVariables are those that a text uses as they are, without a default, and that are not there: docker compose puts nothing
// in their place and warns.
func unsetVariables(text string, lookup template.Mapping) []string {
	seen := newSubstitution()
	if _, err := seen.replace(text, lookup); err != nil || len(seen.missing) == 0 {
		return nil
	}
	var names []string
	for _, match := range plainVariable.FindAllStringSubmatch(strings.ReplaceAll(text, "$$", ""), -1) {
		if name := match[1] + match[2]; seen.missing[name] {
			delete(seen.missing, name)
			names = append(names, name)
		}
	}
	return names
}
