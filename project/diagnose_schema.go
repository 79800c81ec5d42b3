package project

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v4"
)

// composeSchema checks files against the schema of the Compose Specification. The library does too, but tells one problem.
type composeSchema struct {
	compiled *jsonschema.Schema
	keys     [][]string // the paths of all attributes
}

func newComposeSchema() (*composeSchema, error) {
	const name = "compose-spec.json"
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(schema.Schema))
	if err != nil {
		return nil, fmt.Errorf("read compose schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, document); err != nil {
		return nil, fmt.Errorf("add compose schema: %w", err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("compile compose schema: %w", err)
	}
	checked := &composeSchema{compiled: compiled}
	for _, path := range schema.AttributePaths() {
		checked.keys = append(checked.keys, path.Parts())
	}
	return checked, nil
}

// check finds what a document's value has that the schema does not allow.
func (s *composeSchema) check(document spot, value any) []finding {
	var invalid *jsonschema.ValidationError
	if !errors.As(s.compiled.Validate(value), &invalid) {
		return nil
	}
	nodes := newLocator()
	var findings []finding
	for _, leaf := range leaves(invalid) {
		findings = append(findings, s.describe(leaf, document, nodes)...)
	}
	return findings
}

// leaf is one thing that the schema does not allow.
type leaf struct {
	location []string
	kind     jsonschema.ErrorKind
}

// leaves flattens what the validator found, the alternatives that were not meant left out.
func leaves(invalid *jsonschema.ValidationError) []leaf {
	if len(invalid.Causes) == 0 {
		return []leaf{{invalid.InstanceLocation, invalid.ErrorKind}}
	}
	switch invalid.ErrorKind.(type) {
	case *kind.OneOf, *kind.AnyOf:
		return alternatives(invalid)
	}
	var found []leaf
	for _, cause := range invalid.Causes {
		found = append(found, leaves(cause)...)
	}
	return found
}

// alternatives picks, of the forms that a value may have, the one whose type the value has: what is wrong in it is what the
// user wants to know. Where the value has the type of none, the types are what is wrong.
func alternatives(invalid *jsonschema.ValidationError) []leaf {
	var meant []leaf
	var wanted []string
	var got string
	for _, cause := range invalid.Causes {
		found := leaves(cause)
		if mismatch := typeMismatch(found, invalid.InstanceLocation); mismatch != nil {
			wanted, got = append(wanted, mismatch.Want...), mismatch.Got
			continue
		}
		if meant == nil || len(found) < len(meant) {
			meant = found
		}
	}
	if meant != nil {
		return meant
	}
	return []leaf{{invalid.InstanceLocation, &kind.Type{Got: got, Want: wanted}}}
}

func typeMismatch(found []leaf, location []string) *kind.Type {
	for _, leaf := range found {
		if mismatch, ok := leaf.kind.(*kind.Type); ok && slices.Equal(leaf.location, location) {
			return mismatch
		}
	}
	return nil
}

// locator finds nodes by location. It remembers what it has opened: a long list may have much that is wrong in it.
type locator struct {
	lists    map[*yaml.Node][]*yaml.Node
	mappings map[*yaml.Node]map[string]pair
}

func newLocator() *locator {
	return &locator{lists: map[*yaml.Node][]*yaml.Node{}, mappings: map[*yaml.Node]map[string]pair{}}
}

// locate finds the node of a location, or what is nearest around it.
func (l *locator) locate(place spot, location []string) (spot, at) {
	var path at
	for _, segment := range location {
		if node := target(place.value); node.Kind == yaml.SequenceNode {
			index, err := strconv.Atoi(segment)
			list := l.list(node)
			if err != nil || index >= len(list) {
				return place, path
			}
			place, path = spot{source: place.source, value: list[index]}, path.item(index)
			continue
		}
		found := l.mapping(target(place.value))[segment]
		if found.value == nil {
			return place, path
		}
		place, path = spot{place.source, found.key, found.value}, path.next(segment)
	}
	return place, path
}

func (l *locator) list(node *yaml.Node) []*yaml.Node {
	if _, known := l.lists[node]; !known {
		l.lists[node] = items(node)
	}
	return l.lists[node]
}

func (l *locator) mapping(node *yaml.Node) map[string]pair {
	if _, known := l.mappings[node]; !known {
		entries := map[string]pair{}
		for _, entry := range pairs(node) {
			if _, twice := entries[entry.key.Value]; !twice {
				entries[entry.key.Value] = entry
			}
		}
		l.mappings[node] = entries
	}
	return l.mappings[node]
}

// describe puts a leaf in words.
func (s *composeSchema) describe(leaf leaf, document spot, nodes *locator) []finding {
	place, path := nodes.locate(document, leaf.location)
	found := finding{spot: place, path: path, onValue: true}
	switch what := leaf.kind.(type) {
	case *kind.FalseSchema:
		return s.unknown(leaf.location[len(leaf.location)-1:], place, path[:max(len(path)-1, 0)], true)
	case *kind.AdditionalProperties:
		var findings []finding
		for _, name := range what.Properties {
			child, _ := nodes.locate(place, []string{name})
			findings = append(findings, s.unknown([]string{name}, child, path, false)...)
		}
		return findings
	case *kind.Required:
		var findings []finding
		for _, name := range what.Missing {
			findings = append(findings, finding{
				spot: place, path: path, message: "key " + quote(name) + " is missing", missing: true,
			})
		}
		return findings
	case *kind.UniqueItems:
		found.spot, found.path = nodes.locate(place, []string{strconv.Itoa(what.Duplicates[1])})
		found.path = append(path[:len(path):len(path)], found.path...)
		found.message = fmt.Sprintf("is the same as entry %d", what.Duplicates[0]+1)
	default:
		found.message, found.hint = valueMessage(leaf.kind, path)
	}
	return []finding{found}
}

// unknown is a finding for a key that is not in the schema. Where something else is wrong in a service, the validator takes all
// keys of it for unknown; doubted says that those that exist are not to be told.
func (s *composeSchema) unknown(names []string, place spot, parent at, doubted bool) []finding {
	known, free := s.keysIn(parent)
	var findings []finding
	for _, name := range names {
		if doubted && (slices.Contains(known, name) || strings.HasPrefix(name, "x-")) {
			continue
		}
		found := finding{
			spot: place, path: parent, message: "unknown key " + quote(name), hint: didYouMean(nearest(name, known)),
		}
		if free {
			found.message = quote(name) + " is not a valid name"
			found.hint = `use letters, digits, ".", "_" and "-" only`
		}
		findings = append(findings, found)
	}
	return findings
}

// keysIn are the keys that a mapping may have, sorted, and whether it may have names of the user's.
func (s *composeSchema) keysIn(parent at) (keys []string, free bool) {
	for _, path := range s.keys {
		if len(path) != len(parent)+1 || !parent.matches(path[:len(parent)]) {
			continue
		}
		switch last := path[len(parent)]; last {
		case "*":
			free = true
		default:
			keys = append(keys, last)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), free
}
