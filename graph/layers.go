package graph

import (
	"cmp"
	"slices"
)

// link is an edge between vertices of a layout: from needs to.
type link struct{ from, to int }

// layering puts vertices into layers, each before those that it needs, and orders the layers so that few edges cross. An edge
// that passes layers has a bend in each: a vertex of its own, so that nothing else is drawn where it runs.
type layering struct {
	layers  [][]int // by layer, the vertices from top to bottom
	layerOf []int   // by vertex
	before  [][]int // by vertex, those in the layer before that are linked with it
	after   [][]int // by vertex, those in the layer after
	routes  [][]int // by edge, the vertices that it runs through, both ends included
}

// newLayering makes the layers of an acyclic graph whose vertices are 0 to n-1. The same graph always gives the same.
func newLayering(n int, edges []link) *layering {
	l := &layering{layerOf: layersOf(n, edges)}
	l.before, l.after = make([][]int, n), make([][]int, n)
	l.bend(edges)
	l.layers = make([][]int, slices.Max(l.layerOf)+1)
	for vertex, layer := range l.layerOf {
		l.layers[layer] = append(l.layers[layer], vertex)
	}
	l.uncross()
	return l
}

// layersOf gives each vertex the first layer that is after all that need it, and then brings vertices nearer to what they need
// where that makes edges shorter.
func layersOf(n int, edges []link) []int {
	needs, neededBy := make([][]int, n), make([][]int, n)
	for _, edge := range edges {
		needs[edge.from] = append(needs[edge.from], edge.to)
		neededBy[edge.to] = append(neededBy[edge.to], edge.from)
	}
	layer := make([]int, n)
	order := dependentsFirst(needs, neededBy)
	for _, vertex := range order {
		for _, needed := range needs[vertex] {
			layer[needed] = max(layer[needed], layer[vertex]+1)
		}
	}
	slices.Reverse(order)
	for _, vertex := range order {
		if len(needs[vertex]) <= len(neededBy[vertex]) {
			continue
		}
		nearest := n
		for _, needed := range needs[vertex] {
			nearest = min(nearest, layer[needed])
		}
		layer[vertex] = nearest - 1
	}
	return layer
}

// dependentsFirst lists the vertices, each before those that it needs.
func dependentsFirst(needs, neededBy [][]int) []int {
	missing := make([]int, len(needs))
	order := make([]int, 0, len(needs))
	for vertex := range needs {
		if missing[vertex] = len(neededBy[vertex]); missing[vertex] == 0 {
			order = append(order, vertex)
		}
	}
	for i := 0; i < len(order); i++ {
		for _, needed := range needs[order[i]] {
			if missing[needed]--; missing[needed] == 0 {
				order = append(order, needed)
			}
		}
	}
	return order
}

// bend makes the routes of the edges. Where bends would be too many, the longest edges get none and run straight.
func (l *layering) bend(edges []link) {
	longest := l.longestBent(edges)
	l.routes = make([][]int, len(edges))
	for i, edge := range edges {
		first, last := l.layerOf[edge.from], l.layerOf[edge.to]
		if last-first > longest {
			l.routes[i] = []int{edge.from, edge.to}
			continue
		}
		route := []int{edge.from}
		for layer := first + 1; layer < last; layer++ {
			route = append(route, len(l.layerOf))
			l.layerOf = append(l.layerOf, layer)
			l.before, l.after = append(l.before, nil), append(l.after, nil)
		}
		route = append(route, edge.to)
		for j := 1; j < len(route); j++ {
			l.after[route[j-1]] = append(l.after[route[j-1]], route[j])
			l.before[route[j]] = append(l.before[route[j]], route[j-1])
		}
		l.routes[i] = route
	}
}

// longestBent is how many layers an edge may pass so that all bends together stay within a bound.
func (l *layering) longestBent(edges []link) int {
	const most = 10_000
	spans := make([]int, len(edges))
	for i, edge := range edges {
		spans[i] = l.layerOf[edge.to] - l.layerOf[edge.from]
	}
	slices.Sort(spans)
	bends := 0
	for i, span := range spans {
		if bends += span - 1; bends > most {
			return spans[max(i-1, 0)]
		}
	}
	return len(l.layerOf)
}

// uncross orders the layers: each vertex towards the middle of those that it is linked with, forth and back, as long as that
// helps. The best order wins.
func (l *layering) uncross() {
	const rounds, patience = 24, 4
	place := make([]int, len(l.layerOf))
	for _, layer := range l.layers {
		number(layer, place)
	}
	best, fewest := l.copyLayers(), l.crossings(place)
	for round, worse := 0, 0; round < rounds && worse < patience && fewest > 0; round++ {
		if round%2 == 0 {
			for _, layer := range l.layers[1:] {
				byMiddle(layer, l.before, place)
			}
		} else {
			for i := len(l.layers) - 2; i >= 0; i-- {
				byMiddle(l.layers[i], l.after, place)
			}
		}
		worse++
		if crossings := l.crossings(place); crossings < fewest {
			best, fewest, worse = l.copyLayers(), crossings, 0
		}
	}
	l.layers = best
}

func number(layer []int, place []int) {
	for i, vertex := range layer {
		place[vertex] = i
	}
}

func (l *layering) copyLayers() [][]int {
	layers := make([][]int, len(l.layers))
	for i, layer := range l.layers {
		layers[i] = slices.Clone(layer)
	}
	return layers
}

// byMiddle sorts a layer by the mean place of each vertex's neighbours; one without any stays where it is.
func byMiddle(layer []int, neighbours [][]int, place []int) {
	middle := make(map[int]float64, len(layer))
	for _, vertex := range layer {
		middle[vertex] = float64(place[vertex])
		if len(neighbours[vertex]) > 0 {
			sum := 0
			for _, neighbour := range neighbours[vertex] {
				sum += place[neighbour]
			}
			middle[vertex] = float64(sum) / float64(len(neighbours[vertex]))
		}
	}
	slices.SortStableFunc(layer, func(a, b int) int { return cmp.Compare(middle[a], middle[b]) })
	number(layer, place)
}

// crossings is how many pairs of edges cross.
func (l *layering) crossings(place []int) int {
	total := 0
	for i, layer := range l.layers[:len(l.layers)-1] {
		var ends []int // where the edges end, in the order in which they begin
		for _, vertex := range layer {
			first := len(ends)
			for _, neighbour := range l.after[vertex] {
				ends = append(ends, place[neighbour])
			}
			slices.Sort(ends[first:])
		}
		total += inversions(ends, len(l.layers[i+1]))
	}
	return total
}

// inversions counts the pairs of which the greater one comes first. Values are below limit. It is a Fenwick tree's work.
func inversions(values []int, limit int) int {
	tree := make([]int, limit+1)
	total := 0
	for seen, value := range values {
		notGreater := 0
		for i := value + 1; i > 0; i -= i & -i {
			notGreater += tree[i]
		}
		total += seen - notGreater
		for i := value + 1; i <= limit; i += i & -i {
			tree[i]++
		}
	}
	return total
}
