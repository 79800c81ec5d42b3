package project

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// warner finds what docker compose would log about the files, with its words, and traps of the format that it does not see.
type warner struct {
	source   *source
	raw      bool
	booleans [][]string
	warnings []Warning
}

// warnings are those of all files, sorted.
func (r *reader) warnings() []Warning {
	booleans := booleanPaths()
	var warnings []Warning
	for _, source := range r.all {
		warner := warner{source: source, raw: r.raw, booleans: booleans}
		for _, document := range source.documents {
			for _, top := range pairs(document) {
				warner.top(top)
			}
		}
		warnings = append(warnings, warner.warnings...)
	}
	return sortProblems(warnings)
}

// booleanPaths are the patterns of the attributes that a text is turned into a boolean for.
func booleanPaths() [][]string {
	var patterns [][]string
	for _, rules := range typeCasts() {
		for _, rule := range rules {
			if value, err := rule.cast("true"); err == nil && value == true {
				patterns = append(patterns, rule.pattern)
			}
		}
	}
	return patterns
}

func (w *warner) top(top pair) {
	path := at{top.key.Value}
	place := spot{source: w.source, key: top.key, value: top.value}
	switch top.key.Value {
	case "version":
		w.add(place.problem("version",
			"the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion", ""))
	case "networks", "volumes", "secrets", "configs":
		for _, object := range pairs(top.value) {
			if name := entry(entry(object.value, "external").value, "name"); name.value != nil {
				place := spot{source: w.source, key: name.key, value: name.value}
				w.add(place.problem(path.next(object.key.Value).String(),
					"external.name is deprecated. Please set name and external: true", ""))
			}
		}
	}
	walkTexts(top.value, path, w.text)
}

func (w *warner) add(warning Warning) { w.warnings = append(w.warnings, warning) }

func (w *warner) text(node *yaml.Node, path at) {
	text := node.Value
	place := spot{source: w.source, value: node}
	if !w.raw && strings.Contains(text, "$") {
		lookup := w.source.environment.variables.Resolve
		for _, name := range unsetVariables(text, lookup) {
			w.add(place.problem(path.String(),
				fmt.Sprintf("The %q variable is not set. Defaulting to a blank string.", name), ""))
		}
		text, _ = newSubstitution().replace(text, lookup)
	}
	if better := betterBoolean(text); better != "" && matchesAny(path, w.booleans) {
		w.add(place.problem(path.String(),
			fmt.Sprintf("%q for boolean is not supported by YAML 1.2, please use `%s`", strings.ToLower(text), better), ""))
	}
}

func betterBoolean(text string) string {
	switch strings.ToLower(text) {
	case "y", "yes", "on":
		return "true"
	case "n", "no", "off":
		return "false"
	}
	return ""
}

func matchesAny(path at, patterns [][]string) bool {
	for _, pattern := range patterns {
		if path.matches(pattern) {
			return true
		}
	}
	return false
}
