package project

import (
	"fmt"

	"go.yaml.in/yaml/v4"
)

// size is how much a node is once its aliases are followed.
type size struct{ values, depth int }

// measurer takes the size of trees. It sees each anchor once, so that it is quick where following the aliases would not be.
type measurer struct {
	sizes   map[*yaml.Node]size
	open    map[*yaml.Node]bool
	squares int // of the numbers of keys: the parser compares each key of a mapping with each other one
}

// fault is what makes a tree unfit to be walked, and where.
type fault struct {
	node    *yaml.Node
	message string
}

// measure is the size of a tree, or what is wrong with it: too deep, too large, or an anchor that holds itself. Trees without
// a fault may be walked by functions that call themselves.
func (m *measurer) measure(node *yaml.Node, depth int) (size, *fault) {
	if known, ok := m.sizes[node]; ok {
		if depth+known.depth > maxDepth {
			return size{}, &fault{node, tooDeep}
		}
		return known, nil
	}
	switch {
	case m.open[node]:
		return size{}, &fault{node, fmt.Sprintf("anchor %s contains itself", quote(node.Anchor))}
	case depth > maxDepth:
		return size{}, &fault{node, tooDeep}
	case node.Kind == yaml.ScalarNode:
		return size{values: 1}, nil
	case node.Kind == yaml.AliasNode:
		return m.measure(node.Alias, depth)
	}
	if node.Anchor != "" {
		m.open[node] = true
		defer delete(m.open, node)
	}
	if node.Kind == yaml.MappingNode {
		count := len(node.Content) / 2
		if m.squares += count * count; m.squares > maxSquares {
			return size{}, &fault{node, tooManyKeys}
		}
	}
	total := size{values: 1}
	for _, child := range node.Content {
		part, wrong := m.measure(child, depth+1)
		if wrong != nil {
			return size{}, wrong
		}
		total.values += part.values
		total.depth = max(total.depth, part.depth+1)
		if total.values > maxValues {
			return size{}, &fault{child, tooManyValues}
		}
	}
	if node.Anchor != "" {
		m.sizes[node] = total
	}
	return total, nil
}
