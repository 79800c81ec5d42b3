package project

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/template"
	"go.yaml.in/yaml/v4"
)

// finding is something wrong at a place of one file.
type finding struct {
	spot    spot
	path    at
	message string
	hint    string
	onValue bool // the value is wrong, not the thing as a whole
	missing bool // something is not there that a file after this one may bring, or one before has brought
}

func (f finding) problem() Problem {
	if f.onValue {
		return f.spot.valueProblem(f.path.String(), f.message, f.hint)
	}
	return f.spot.problem(f.path.String(), f.message, f.hint)
}

// converter turns nodes into plain values as the library does: aliases followed, merge keys applied, variables replaced, texts
// turned into numbers where the attribute is one. What cannot be turned is found and left out.
type converter struct {
	raw          bool
	substitution *substitution
	casts        map[string][]typeCast // by the last segment of their patterns
	checks       map[string][]valueCheck
	findings     []finding
	broken       map[string]bool // the paths that were left out
}

func newConverter(raw bool) *converter {
	c := &converter{raw: raw, substitution: newSubstitution(), casts: typeCasts(), broken: map[string]bool{}}
	if !raw {
		c.checks = valueChecks()
	}
	return c
}

func (c *converter) report(finding finding) {
	c.findings = append(c.findings, finding)
	c.broken[finding.path.String()] = true
}

// value is the node as a plain value; not ok where it was left out.
func (c *converter) value(place spot, path at) (value any, ok bool) {
	if value, ok = c.convert(place, path); ok {
		c.examine(value, place, path)
	}
	return value, ok
}

// examine applies the checks of an attribute.
func (c *converter) examine(value any, place spot, path at) {
	if len(path) == 0 {
		return
	}
	last := path[len(path)-1]
	if isIndex(last) {
		last = "[]"
	}
	for _, key := range []string{last, "*"} {
		for _, rule := range c.checks[key] {
			if !path.matches(strings.Split(rule.pattern, ".")) {
				continue
			}
			if message := rule.check(value); message != "" {
				c.findings = append(c.findings, finding{spot: place, path: path, message: message, onValue: true})
			}
		}
	}
}

func (c *converter) convert(place spot, path at) (value any, ok bool) {
	switch node := target(place.value); node.Kind {
	case yaml.MappingNode:
		return c.mapping(place, path), true
	case yaml.SequenceNode:
		list := []any{}
		for i, item := range items(node) {
			if value, ok := c.value(spot{source: place.source, value: item}, path.item(i)); ok {
				list = append(list, value)
			}
		}
		return list, true
	default:
		return c.scalar(place, path)
	}
}

func (c *converter) mapping(place spot, path at) map[string]any {
	values := map[string]any{}
	for _, child := range pairs(place.value) {
		name := child.key.Value
		at := path.next(name)
		place := spot{place.source, child.key, child.value}
		if child.key.Kind == yaml.ScalarNode && child.key.ShortTag() != "!!str" {
			c.report(finding{spot: place, path: path, message: "key " + quote(name) + " is not a text", hint: "write it in quotes"})
			continue
		}
		if value, ok := c.value(place, at); ok {
			values[name] = value
		}
	}
	return values
}

func (c *converter) scalar(place spot, path at) (any, bool) {
	node := *target(place.value)
	if node.Tag == tagOverride {
		node.Tag = ""
	}
	if isText(&node) {
		return c.text(node.Value, place, path)
	}
	var value any
	if err := node.Decode(&value); err != nil {
		c.report(finding{spot: place, path: path, message: "bad YAML value", onValue: true})
		return nil, false
	}
	switch value := value.(type) {
	case time.Time:
		return node.Value, true
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return node.Value, true
		}
	}
	return value, true
}

func (c *converter) text(text string, place spot, path at) (any, bool) {
	if c.raw {
		return text, true
	}
	text, err := c.substitution.replace(text, place.source.environment.variables.Resolve)
	if err != nil {
		c.report(interpolationFinding(err, place, path))
		return nil, false
	}
	if len(path) == 0 {
		return text, true
	}
	if rule, ok := castFor(path, c.casts); ok {
		return c.cast(rule.cast, text, place, path)
	}
	return text, true
}

// interpolationFinding says what is wrong with the variables of a text, without the text: it may be a password with a $ in it.
func interpolationFinding(err error, place spot, path at) finding {
	found := finding{spot: place, path: path, message: err.Error(), onValue: true}
	if invalid := (*template.InvalidTemplateError)(nil); errors.As(err, &invalid) {
		found.message = "invalid interpolation format: a $ is followed by no variable"
		found.hint = "write $$ for a $ as it is"
	}
	return found
}

func (c *converter) cast(cast func(string) (any, error), text string, place spot, path at) (any, bool) {
	value, err := cast(text)
	if err != nil {
		c.report(finding{spot: place, path: path, message: "must be " + castName(cast), onValue: true})
		return nil, false
	}
	if number, ok := value.(float32); ok {
		return float64(number), true
	}
	return value, true
}
