package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/muster-dev/muster/project"
)

// renderModel writes the model so that it can be loaded again: dollars are doubled. The keys of a service are in the order of
// their names, whatever the library that it was read with thinks of them.
func renderModel(p *project.Project, format string) ([]byte, error) {
	marshal := modelYAML
	if format == "json" {
		marshal = modelJSON
	}
	text, err := marshal(p)
	if err != nil {
		return nil, fmt.Errorf("render project: %w", err)
	}
	return bytes.ReplaceAll(text, []byte("$"), []byte("$$")), nil
}

func modelYAML(p *project.Project) ([]byte, error) {
	text, err := p.MarshalYAML()
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	for _, root := range document.Content {
		services := valueOf(root, "services")
		for i := 1; i < len(services.Content); i += 2 {
			sortKeys(services.Content[i])
		}
	}
	return encodeYAML(&document)
}

// valueOf is what a mapping has under a key; an empty node where it has nothing.
func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return &yaml.Node{}
}

func sortKeys(mapping *yaml.Node) {
	pairs := slices.Collect(slices.Chunk(mapping.Content, 2)) //nolint:mnd // a key and its value
	slices.SortFunc(pairs, func(a, b []*yaml.Node) int { return cmp.Compare(a[0].Value, b[0].Value) })
	mapping.Content = slices.Concat(pairs...)
}

func modelJSON(p *project.Project) ([]byte, error) {
	text, err := p.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var model map[string]json.RawMessage
	if err := json.Unmarshal(text, &model); err != nil {
		return nil, err
	}
	var services map[string]map[string]json.RawMessage
	if err := json.Unmarshal(model["services"], &services); err != nil {
		return nil, err
	}
	if model["services"], err = encodeJSON(services); err != nil {
		return nil, err
	}
	return encodeJSON(model)
}

// marshalTree writes plain values; keys are in the order of their names.
func marshalTree(tree map[string]any, format string) ([]byte, error) {
	if format == "json" {
		return encodeJSON(tree)
	}
	return encodeYAML(tree)
}

func encodeJSON(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return text.Bytes(), err
}

func encodeYAML(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2) //nolint:mnd // docker compose's
	err := errors.Join(encoder.Encode(value), encoder.Close())
	return text.Bytes(), err
}
