package project

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The tags of the Compose Specification that steer merging.
const (
	tagReset    = "!reset"
	tagOverride = "!override"
	mergeKey    = "<<"
)

// pair is one entry of a mapping.
type pair struct{ key, value *yaml.Node }

// target is the node that an alias stands for, or the node itself.
func target(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// pairs are the entries of a mapping in the order of the file, merge keys applied: what the mapping says itself comes first and
// wins over what it merges. Entries to be reset are left out. Anything else has no entries.
func pairs(node *yaml.Node) []pair {
	node = target(node)
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	own := make([]pair, 0, len(node.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case key.Value == mergeKey:
			merged = append(merged, value)
		case target(value).Tag != tagReset:
			own = append(own, pair{key, value})
		}
	}
	if len(merged) == 0 {
		return own
	}
	return withMerged(own, merged)
}

func withMerged(own []pair, merged []*yaml.Node) []pair {
	seen := make(map[string]bool, len(own))
	for _, entry := range own {
		seen[entry.key.Value] = true
	}
	for _, node := range merged {
		parts := []*yaml.Node{node}
		if list := target(node); list.Kind == yaml.SequenceNode {
			parts = list.Content
		}
		for _, part := range parts {
			for _, entry := range pairs(part) {
				if !seen[entry.key.Value] {
					seen[entry.key.Value] = true
					own = append(own, entry)
				}
			}
		}
	}
	return own
}

// items are the entries of a list, those to be reset left out; anything else has none.
func items(node *yaml.Node) []*yaml.Node {
	node = target(node)
	if node == nil || node.Kind != yaml.SequenceNode {
		return nil
	}
	list := make([]*yaml.Node, 0, len(node.Content))
	for _, item := range node.Content {
		if target(item).Tag != tagReset {
			list = append(list, item)
		}
	}
	return list
}

// entry finds a mapping's entry; the zero pair where there is none.
func entry(node *yaml.Node, key string) pair {
	for _, found := range pairs(node) {
		if found.key.Value == key {
			return found
		}
	}
	return pair{}
}

// texts are the texts of a node that may be one text or a list of them.
func texts(node *yaml.Node) []*yaml.Node {
	if node = target(node); node == nil {
		return nil
	}
	if node.Kind == yaml.SequenceNode {
		return items(node)
	}
	return []*yaml.Node{node}
}

// isText says whether the node is a scalar that YAML reads as text.
func isText(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str"
}

// walkTexts visits all texts of a tree with their paths.
func walkTexts(node *yaml.Node, path at, visit func(node *yaml.Node, path at)) {
	switch node = target(node); node.Kind {
	case yaml.MappingNode:
		for _, entry := range pairs(node) {
			walkTexts(entry.value, path.next(entry.key.Value), visit)
		}
	case yaml.SequenceNode:
		for i, item := range items(node) {
			walkTexts(item, path.item(i), visit)
		}
	case yaml.ScalarNode:
		if isText(node) {
			visit(node, path)
		}
	}
}

// at is a path to a node: keys, and places in lists as "[3]".
type at []string

func (a at) next(segment string) at { return append(a[:len(a):len(a)], segment) }

func (a at) item(index int) at { return a.next(fmt.Sprintf("[%d]", index)) }

func isIndex(segment string) bool {
	return strings.HasPrefix(segment, "[") && strings.HasSuffix(segment, "]")
}

// String is the path as messages have it, "services.web.ports[0]".
func (a at) String() string {
	var text strings.Builder
	for i, segment := range a {
		if i > 0 && !isIndex(segment) {
			text.WriteByte('.')
		}
		text.WriteString(segment)
	}
	return text.String()
}

// matches says whether the path is one of the pattern's, in which "*" stands for any key and "[]" for any place in a list.
func (a at) matches(pattern []string) bool {
	if len(a) != len(pattern) {
		return false
	}
	for i, want := range pattern {
		if want != "*" && want != a[i] && (want != "[]" || !isIndex(a[i])) {
			return false
		}
	}
	return true
}
