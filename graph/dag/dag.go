// Package dag is a directed acyclic graph and its one concurrent walk. It knows nothing of services or steps.
package dag

import (
	"fmt"
	"slices"
	"strings"
)

// Graph is a set of vertices and the dependencies between them. It is built once and then only read; reading it from many
// goroutines at once is safe, building it is not. Every listing is in the order of the compare function.
type Graph[K comparable] struct {
	compare    func(a, b K) int
	deps       map[K][]K
	dependents map[K][]K
	loose      map[edge[K]]bool
}

type edge[K comparable] struct{ vertex, after K }

// New returns an empty graph whose vertices are ordered by compare.
func New[K comparable](compare func(a, b K) int) *Graph[K] {
	return &Graph[K]{compare: compare, deps: map[K][]K{}, dependents: map[K][]K{}, loose: map[edge[K]]bool{}}
}

// Add puts a vertex into the graph; one that is there already stays as it is.
func (g *Graph[K]) Add(vertex K) {
	if _, ok := g.deps[vertex]; !ok {
		g.deps[vertex] = nil
	}
}

// Connect says that a vertex depends on another; both are added where they are missing. Saying it twice is saying it once.
func (g *Graph[K]) Connect(vertex, dependsOn K) {
	g.link(vertex, dependsOn)
	delete(g.loose, edge[K]{vertex, dependsOn})
}

// Follow says that a vertex comes after another one, whatever becomes of that: a walk does not skip it when the other fails.
// A dependency between the two that was or will be said with Connect stays one.
func (g *Graph[K]) Follow(vertex, after K) {
	if _, linked := slices.BinarySearchFunc(g.deps[vertex], after, g.compare); linked {
		return
	}
	g.link(vertex, after)
	g.loose[edge[K]{vertex, after}] = true
}

// IsLoose says whether the vertex only follows the other: they were linked with Follow and not with Connect.
func (g *Graph[K]) IsLoose(vertex, after K) bool { return g.loose[edge[K]{vertex, after}] }

func (g *Graph[K]) link(vertex, after K) {
	g.Add(vertex)
	g.Add(after)
	g.deps[vertex] = g.insert(g.deps[vertex], after)
	g.dependents[after] = g.insert(g.dependents[after], vertex)
}

func (g *Graph[K]) insert(sorted []K, vertex K) []K {
	at, found := slices.BinarySearchFunc(sorted, vertex, g.compare)
	if found {
		return sorted
	}
	return slices.Insert(sorted, at, vertex)
}

// Has says whether the vertex is in the graph.
func (g *Graph[K]) Has(vertex K) bool {
	_, ok := g.deps[vertex]
	return ok
}

// Len is the number of vertices.
func (g *Graph[K]) Len() int { return len(g.deps) }

// Vertices are all vertices, sorted.
func (g *Graph[K]) Vertices() []K {
	vertices := make([]K, 0, len(g.deps))
	for vertex := range g.deps {
		vertices = append(vertices, vertex)
	}
	slices.SortFunc(vertices, g.compare)
	return vertices
}

// Deps are the vertices that the vertex depends on or follows directly, sorted. The caller must not change the slice.
func (g *Graph[K]) Deps(vertex K) []K { return g.deps[vertex] }

// Dependents are the vertices that depend on or follow the vertex directly, sorted. The caller must not change the slice.
func (g *Graph[K]) Dependents(vertex K) []K { return g.dependents[vertex] }

// Closure is the vertices and everything that they depend on, directly or not, sorted. Vertices that are not in the graph
// are left out.
func (g *Graph[K]) Closure(vertices ...K) []K {
	seen := map[K]bool{}
	for pending := slices.Clone(vertices); len(pending) > 0; {
		vertex := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if seen[vertex] || !g.Has(vertex) {
			continue
		}
		seen[vertex] = true
		pending = append(pending, g.deps[vertex]...)
	}
	closure := make([]K, 0, len(seen))
	for vertex := range seen {
		closure = append(closure, vertex)
	}
	slices.SortFunc(closure, g.compare)
	return closure
}

// Order lists all vertices so that each comes after what it depends on; of several orders it is the one in which the smallest
// vertex that can come next does. The error is a [*CycleError].
func (g *Graph[K]) Order() ([]K, error) {
	missing := make(map[K]int, len(g.deps))
	ready := &vertexHeap[K]{compare: g.compare}
	for vertex, deps := range g.deps {
		if missing[vertex] = len(deps); len(deps) == 0 {
			ready.push(vertex)
		}
	}
	order := make([]K, 0, len(g.deps))
	for ready.len() > 0 {
		vertex := ready.pop()
		order = append(order, vertex)
		for _, dependent := range g.dependents[vertex] {
			if missing[dependent]--; missing[dependent] == 0 {
				ready.push(dependent)
			}
		}
	}
	if len(order) == len(g.deps) {
		return order, nil
	}
	for _, vertex := range order {
		delete(missing, vertex)
	}
	return nil, g.cycleAmong(missing)
}

// cycleAmong finds a cycle among vertices of which each depends on another one of them. It starts at the smallest vertex and
// always follows the smallest dependency, so the same graph always tells the same cycle.
func (g *Graph[K]) cycleAmong(left map[K]int) *CycleError[K] {
	start := g.smallest(left)
	var path []K
	at := map[K]int{}
	for vertex := start; ; {
		if first, seen := at[vertex]; seen {
			return &CycleError[K]{Path: g.rotate(path[first:])}
		}
		at[vertex] = len(path)
		path = append(path, vertex)
		next := slices.IndexFunc(g.deps[vertex], func(dep K) bool { _, ok := left[dep]; return ok })
		vertex = g.deps[vertex][next]
	}
}

func (g *Graph[K]) smallest(vertices map[K]int) K {
	var least K
	first := true
	for vertex := range vertices {
		if first || g.compare(vertex, least) < 0 {
			least, first = vertex, false
		}
	}
	return least
}

// rotate starts a cycle at its smallest vertex.
func (g *Graph[K]) rotate(cycle []K) []K {
	least := 0
	for i := range cycle {
		if g.compare(cycle[i], cycle[least]) < 0 {
			least = i
		}
	}
	return append(slices.Clone(cycle[least:]), cycle[:least]...)
}

// CycleError says that vertices depend on themselves through each other.
type CycleError[K comparable] struct {
	// Path is the cycle: each vertex depends on the next one, the last one on the first. It begins with the smallest.
	Path []K
}

func (e *CycleError[K]) Error() string {
	names := make([]string, 0, len(e.Path)+1)
	for _, vertex := range append(slices.Clone(e.Path), e.Path[0]) {
		names = append(names, fmt.Sprint(vertex))
	}
	return "dependency cycle: " + strings.Join(names, " -> ")
}
