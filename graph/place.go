package graph

import (
	"cmp"
	"math"
	"slices"
)

// point is a place in a drawing, in pixels from its upper left corner.
type point struct{ x, y float64 }

// box is where a vertex is drawn.
type box struct{ x, y, width, height float64 }

// layout is where everything is drawn.
type layout struct {
	boxes         []box
	routes        [][]point // by edge, from the right side of a box to the left side of another
	width, height float64
}

// The measures of a layout.
const (
	boxGap     = 18.0 // between boxes one above the other
	bendGap    = 12.0 // around edges that pass a layer
	layerGap   = 72.0 // between layers, where the edges are
	partGap    = 36.0 // between parts that are not linked
	leastWidth = 960.0
)

// lay lays a graph out: what is needed is right of what needs it, edges run from left to right, and parts that have nothing to
// do with each other stand apart. widths are those of the boxes, height is that of all.
func lay(widths []float64, height float64, edges []link) layout {
	whole := layout{boxes: make([]box, len(widths)), routes: make([][]point, len(edges))}
	var parts []part
	for _, vertices := range components(len(widths), edges) {
		parts = append(parts, newPart(vertices, widths, height, edges))
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(len(b.vertices), len(a.vertices)) })
	room := leastWidth
	for _, p := range parts {
		room = max(room, p.width)
	}
	x, y, tallest := 0.0, 0.0, 0.0
	for i, p := range parts {
		isFirstAlone := i > 0 && len(p.vertices) == 1 && len(parts[i-1].vertices) > 1
		if isFirstAlone || x > 0 && x+p.width > room {
			x, y, tallest = 0, y+tallest+partGap, 0
		}
		p.put(&whole, point{x, y})
		whole.width, whole.height = max(whole.width, x+p.width), max(whole.height, y+p.height)
		x, tallest = x+p.width+partGap, max(tallest, p.height)
	}
	return whole
}

// components are the sets of vertices that are linked, each sorted, in the order of their first ones.
func components(n int, edges []link) [][]int {
	linked := make([][]int, n)
	for _, edge := range edges {
		linked[edge.from] = append(linked[edge.from], edge.to)
		linked[edge.to] = append(linked[edge.to], edge.from)
	}
	var all [][]int
	seen := make([]bool, n)
	for vertex := range n {
		if seen[vertex] {
			continue
		}
		seen[vertex] = true
		found := []int{vertex}
		for i := 0; i < len(found); i++ {
			for _, next := range linked[found[i]] {
				if !seen[next] {
					seen[next] = true
					found = append(found, next)
				}
			}
		}
		slices.Sort(found)
		all = append(all, found)
	}
	return all
}

// part is the layout of vertices that are linked, by itself.
type part struct {
	layout
	vertices []int // by vertex of the part, that of the whole
	edges    []int // by edge of the part, that of the whole
}

func newPart(vertices []int, widths []float64, height float64, edges []link) part {
	p := part{vertices: vertices}
	inside := make(map[int]int, len(vertices))
	for i, vertex := range vertices {
		inside[vertex] = i
	}
	var own []link
	for i, edge := range edges {
		if from, ok := inside[edge.from]; ok {
			p.edges = append(p.edges, i)
			own = append(own, link{from, inside[edge.to]})
		}
	}
	ownWidths := make([]float64, len(vertices))
	for i, vertex := range vertices {
		ownWidths[i] = widths[vertex]
	}
	p.layout = newPlacing(ownWidths, height, own).layout()
	return p
}

// put adds the part to the whole, with its upper left corner at a point.
func (p part) put(whole *layout, at point) {
	for i, b := range p.boxes {
		b.x, b.y = b.x+at.x, b.y+at.y
		whole.boxes[p.vertices[i]] = b
	}
	for i, route := range p.routes {
		for j := range route {
			route[j].x, route[j].y = route[j].x+at.x, route[j].y+at.y
		}
		whole.routes[p.edges[i]] = route
	}
}

// placing gives the vertices of a layering their places.
type placing struct {
	*layering
	boxes  int       // how many of the vertices are boxes; the others are bends
	height float64   // of a box
	left   []float64 // by layer
	wide   []float64 // by layer
	middle []float64 // by vertex, from above
}

func newPlacing(widths []float64, height float64, edges []link) *placing {
	p := &placing{layering: newLayering(len(widths), edges), boxes: len(widths), height: height}
	p.left, p.wide = make([]float64, len(p.layers)), make([]float64, len(p.layers))
	for vertex, width := range widths {
		p.wide[p.layerOf[vertex]] = max(p.wide[p.layerOf[vertex]], width)
	}
	for i := 1; i < len(p.layers); i++ {
		p.left[i] = p.left[i-1] + p.wide[i-1] + p.gapBefore(i)
	}
	p.middle = make([]float64, len(p.layerOf))
	p.level()
	return p
}

// gapBefore is the room for the edges between a layer and the one before it: more where there are many.
func (p *placing) gapBefore(layer int) float64 {
	const each, most = 2, 100
	edges := 0
	for _, vertex := range p.layers[layer] {
		edges += len(p.before[vertex])
	}
	return layerGap + min(float64(edges*each), most)
}

// level places the vertices of each layer one below the other, as near as can be to the middle of those that they are linked
// with, forth and back until it settles.
func (p *placing) level() {
	for _, layer := range p.layers {
		p.settle(layer, func(int) (float64, float64) { return 0, 1 })
	}
	const rounds = 8
	for range rounds {
		for _, layer := range p.layers[1:] {
			p.settle(layer, func(vertex int) (float64, float64) { return p.wish(vertex, p.before[vertex]) })
		}
		for i := len(p.layers) - 2; i >= 0; i-- {
			p.settle(p.layers[i], func(vertex int) (float64, float64) { return p.wish(vertex, p.after[vertex]) })
		}
	}
	for _, layer := range p.layers {
		p.settle(layer, func(vertex int) (float64, float64) {
			return p.wish(vertex, slices.Concat(p.before[vertex], p.after[vertex]))
		})
	}
	least := math.Inf(1)
	for vertex := range p.middle {
		least = min(least, p.middle[vertex]-p.half(vertex))
	}
	for vertex := range p.middle {
		p.middle[vertex] = math.Round(p.middle[vertex] - least)
	}
}

// wish is where a vertex would be best, and how much that counts: an edge should stay straight from bend to bend.
func (p *placing) wish(vertex int, neighbours []int) (at, weight float64) {
	const straight, weak = 8, 0.1
	if len(neighbours) == 0 {
		return p.middle[vertex], weak
	}
	sum, total := 0.0, 0.0
	for _, neighbour := range neighbours {
		weight := 1.0
		if p.isBend(vertex) && p.isBend(neighbour) {
			weight = straight
		}
		sum += weight * p.middle[neighbour]
		total += weight
	}
	return sum / total, total
}

func (p *placing) isBend(vertex int) bool { return vertex >= p.boxes }

// half is how much room a vertex needs above and below its middle.
func (p *placing) half(vertex int) float64 {
	if p.isBend(vertex) {
		return 0
	}
	return p.height / 2 //nolint:mnd // a half
}

// distance is the least one between the middles of two vertices, the second one below the first.
func (p *placing) distance(upper, lower int) float64 {
	gap := boxGap
	if p.isBend(upper) || p.isBend(lower) {
		gap = bendGap
	}
	return p.half(upper) + gap + p.half(lower)
}

// settle moves the vertices of a layer as near to their wishes as their distances allow, in the sense of least squares. This is
// isotonic regression, by the pool-adjacent-violators algorithm: those that would overlap move as one block.
func (p *placing) settle(layer []int, wish func(vertex int) (at, weight float64)) {
	type block struct {
		sum, weight float64
		size        int
	}
	var blocks []block
	offsets := make([]float64, len(layer))
	for i, vertex := range layer {
		if i > 0 {
			offsets[i] = offsets[i-1] + p.distance(layer[i-1], vertex)
		}
		at, weight := wish(vertex)
		blocks = append(blocks, block{(at - offsets[i]) * weight, weight, 1})
		for n := len(blocks) - 1; n > 0 && blocks[n-1].sum/blocks[n-1].weight > blocks[n].sum/blocks[n].weight; n-- {
			upper, lower := blocks[n-1], blocks[n]
			blocks[n-1] = block{upper.sum + lower.sum, upper.weight + lower.weight, upper.size + lower.size}
			blocks = blocks[:n]
		}
	}
	i := 0
	for _, b := range blocks {
		for range b.size {
			p.middle[layer[i]] = b.sum/b.weight + offsets[i]
			i++
		}
	}
}

// layout is where the boxes and the edges are drawn.
func (p *placing) layout() layout {
	l := layout{boxes: make([]box, p.boxes), routes: make([][]point, len(p.routes))}
	last := len(p.layers) - 1
	l.width = p.left[last] + p.wide[last]
	for vertex := range l.boxes {
		layer := p.layerOf[vertex]
		l.boxes[vertex] = box{p.left[layer], p.middle[vertex] - p.half(vertex), p.wide[layer], p.height}
	}
	for vertex := range p.middle {
		l.height = max(l.height, p.middle[vertex]+p.half(vertex))
	}
	ends := p.arrivals()
	for i, route := range p.routes {
		l.routes[i] = p.points(route, ends[i])
	}
	return l
}

// arrivals are, by edge, how far from the middle of its last box an edge arrives: those of a box arrive in the order in which
// they come, so that they do not cross.
func (p *placing) arrivals() []float64 {
	into := make([][]int, p.boxes)
	for i, route := range p.routes {
		to := route[len(route)-1]
		into[to] = append(into[to], i)
	}
	ends := make([]float64, len(p.routes))
	for _, edges := range into {
		slices.SortStableFunc(edges, func(a, b int) int { return cmp.Compare(p.comesFrom(a), p.comesFrom(b)) })
		const most, margin = 9.0, 7.0
		step := most
		if len(edges) > 1 {
			step = min(most, (p.height-2*margin)/float64(len(edges)-1)) //nolint:mnd // above and below
		}
		for i, edge := range edges {
			ends[edge] = (float64(i) - float64(len(edges)-1)/2) * step //nolint:mnd // the middle one arrives in the middle
		}
	}
	return ends
}

// comesFrom is the height of the vertex before the last one of an edge.
func (p *placing) comesFrom(edge int) float64 {
	route := p.routes[edge]
	return p.middle[route[len(route)-2]]
}

// points are those that an edge runs through: it enters each layer at its left and leaves it at its right side.
func (p *placing) points(route []int, arrival float64) []point {
	last := len(route) - 1
	points := make([]point, 0, 2*len(route)) //nolint:mnd // in and out
	for i, vertex := range route {
		layer := p.layerOf[vertex]
		left, right := p.left[layer], p.left[layer]+p.wide[layer]
		switch i {
		case 0:
			points = append(points, point{right, p.middle[vertex]})
		case last:
			points = append(points, point{left, p.middle[vertex] + arrival})
		default:
			points = append(points, point{left, p.middle[vertex]}, point{right, p.middle[vertex]})
		}
	}
	return points
}
