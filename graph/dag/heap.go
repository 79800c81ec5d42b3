package dag

import "container/heap"

// vertexHeap gives back the smallest vertex first.
type vertexHeap[K comparable] struct {
	compare  func(a, b K) int
	vertices []K
}

func (h *vertexHeap[K]) push(vertex K) { heap.Push(h, vertex) }
func (h *vertexHeap[K]) pop() K        { return heap.Pop(h).(K) }
func (h *vertexHeap[K]) len() int      { return len(h.vertices) }

// Len implements [heap.Interface].
func (h *vertexHeap[K]) Len() int { return len(h.vertices) }

// Less implements [heap.Interface].
func (h *vertexHeap[K]) Less(i, j int) bool { return h.compare(h.vertices[i], h.vertices[j]) < 0 }

// Swap implements [heap.Interface].
func (h *vertexHeap[K]) Swap(i, j int) { h.vertices[i], h.vertices[j] = h.vertices[j], h.vertices[i] }

// Push implements [heap.Interface].
func (h *vertexHeap[K]) Push(vertex any) { h.vertices = append(h.vertices, vertex.(K)) }

// Pop implements [heap.Interface].
func (h *vertexHeap[K]) Pop() any {
	last := len(h.vertices) - 1
	vertex := h.vertices[last]
	h.vertices = h.vertices[:last]
	return vertex
}
