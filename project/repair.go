package project

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v4"
)

// repaired is the text of a file without what the findings are about, so that the rest can be loaded and checked. Aliases are
// written out: what they stand for may be gone.
func (s *source) repaired(findings []finding) ([]byte, error) {
	drop := map[*yaml.Node]bool{}
	for _, finding := range findings {
		drop[finding.spot.value] = true
	}
	var text bytes.Buffer
	for _, document := range s.documents {
		if drop[document] {
			return nil, fmt.Errorf("repair %s: nothing is left", s.name)
		}
		content, err := yaml.Marshal(without(document, drop))
		if err != nil {
			return nil, fmt.Errorf("repair %s: %w", s.name, err)
		}
		text.WriteString("---\n")
		text.Write(content)
	}
	return text.Bytes(), nil
}

// without is a copy of a tree without the nodes to be dropped.
func without(node *yaml.Node, drop map[*yaml.Node]bool) *yaml.Node {
	node = target(node)
	result := &yaml.Node{Kind: node.Kind, Tag: node.Tag, Value: node.Value, Style: node.Style}
	switch node.Kind {
	case yaml.SequenceNode:
		for _, item := range node.Content {
			if !drop[item] {
				result.Content = append(result.Content, without(item, drop))
			}
		}
	case yaml.MappingNode:
		for _, entry := range allPairs(node) {
			if !drop[entry.value] {
				result.Content = append(result.Content, without(entry.key, drop), without(entry.value, drop))
			}
		}
	}
	return result
}

// allPairs are the entries of a mapping, merge keys applied, those to be reset included.
func allPairs(node *yaml.Node) []pair {
	entries := pairs(node)
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key, value := node.Content[i], node.Content[i+1]; target(value).Tag == tagReset {
			entries = append(entries, pair{key, value})
		}
	}
	return entries
}
