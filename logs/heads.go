package logs

// nowhere is the place of a lane that is in no heap.
const nowhere = -1

// headHeap are the lanes that have something at hand, the one whose turn it is first. Each knows its place.
type headHeap []*lane

// second is the lane whose turn comes after the first one's; nil where there is none.
func (h headHeap) second() *lane {
	switch {
	case len(h) < 2:
		return nil
	case len(h) > 2 && h[2].before(h[1]):
		return h[2]
	}
	return h[1]
}

func (h *headHeap) add(l *lane) {
	l.place = len(*h)
	*h = append(*h, l)
	h.up(l.place)
}

func (h *headHeap) remove(l *lane) {
	place, last := l.place, len(*h)-1
	h.swap(place, last)
	(*h)[last] = nil
	*h = (*h)[:last]
	l.place = nowhere
	if place < last {
		h.fix(place)
	}
}

// fix brings a lane whose head has changed to its place.
func (h headHeap) fix(place int) {
	l := h[place]
	h.up(place)
	h.down(l.place)
}

func (h headHeap) up(place int) {
	for place > 0 {
		parent := (place - 1) / 2
		if !h[place].before(h[parent]) {
			return
		}
		h.swap(place, parent)
		place = parent
	}
}

func (h headHeap) down(place int) {
	for {
		first := 2*place + 1
		if first >= len(h) {
			return
		}
		if other := first + 1; other < len(h) && h[other].before(h[first]) {
			first = other
		}
		if !h[first].before(h[place]) {
			return
		}
		h.swap(place, first)
		place = first
	}
}

func (h headHeap) swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].place, h[b].place = a, b
}
