package project

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// diagnose finds everything that is wrong in the files by themselves: keys that are there twice, variables, what the schema does
// not allow, values that do not parse, services that extend nothing. It costs as much as loading and is for files that did not
// load.
func (r *reader) diagnose() ([]finding, error) {
	schema, err := newComposeSchema()
	if err != nil {
		return nil, err
	}
	extended := r.extendedServices()
	var findings []finding
	for i, source := range r.all {
		found := source.findings(schema, r.raw)
		if source.extended {
			found = slices.DeleteFunc(found, func(finding finding) bool {
				return finding.missing || len(finding.path) > 1 && !extended[link{source, finding.path[1]}]
			})
		}
		if source.main && i > 0 {
			found = slices.DeleteFunc(found, func(finding finding) bool { return finding.missing && r.saidBefore(finding.path, i) })
		}
		findings = append(findings, found...)
	}
	return findings, nil
}

// extendedServices are the services that others extend. The rest of an extended file counts for nothing.
func (r *reader) extendedServices() map[link]bool {
	services := map[link]bool{}
	for _, source := range r.all {
		for _, base := range source.bases {
			services[link{base.source, base.service}] = true
		}
	}
	return services
}

// saidBefore says whether a file before the i-th has something at the path, which the later one only adds to.
func (r *reader) saidBefore(path at, i int) bool {
	for _, source := range r.all[:i] {
		for _, document := range source.documents {
			place := spot{source: source, value: document}
			for _, segment := range path {
				found := entry(place.value, segment)
				place = spot{source, found.key, found.value}
			}
			if place.value != nil {
				return true
			}
		}
	}
	return false
}

func (s *source) findings(schema *composeSchema, raw bool) []finding {
	var findings []finding
	for _, document := range s.documents {
		root := spot{source: s, value: document}
		duplicates := duplicates{source: s, seen: map[*yaml.Node]bool{}}
		duplicates.walk(document, nil)
		converter := newConverter(raw)
		value, _ := converter.value(root, nil)
		findings = append(findings, duplicates.findings...)
		findings = append(findings, converter.findings...)
		for _, found := range schema.check(root, value) {
			if !found.missing || !converter.lost(found) {
				findings = append(findings, found)
			}
		}
	}
	return findings
}

// lost says whether something in the mapping of a finding was left out of the value, which is why it may be missing.
func (c *converter) lost(found finding) bool {
	for _, child := range pairs(found.spot.value) {
		if c.broken[found.path.next(child.key.Value).String()] {
			return true
		}
	}
	return false
}

// duplicates finds keys that a mapping has twice.
type duplicates struct {
	source   *source
	seen     map[*yaml.Node]bool
	findings []finding
}

func (d *duplicates) walk(node *yaml.Node, path at) {
	if node = target(node); d.seen[node] {
		return
	}
	d.seen[node] = true
	switch node.Kind {
	case yaml.MappingNode:
		d.mapping(node, path)
	case yaml.SequenceNode:
		for i, item := range node.Content {
			d.walk(item, path.item(i))
		}
	}
}

func (d *duplicates) mapping(node *yaml.Node, path at) {
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if earlier, twice := first[key.Value]; twice {
			d.findings = append(d.findings, finding{
				spot: spot{d.source, key, value}, path: path,
				message: fmt.Sprintf("key %s is there twice, first in line %d", quote(key.Value), earlier.Line),
			})
			continue
		}
		first[key.Value] = key
		d.walk(value, path.next(key.Value))
	}
}
