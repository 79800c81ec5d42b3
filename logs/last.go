package logs

import (
	"cmp"
	"slices"
)

// lastLines keeps the last lines of a history, of all containers together or of each service, until the history is over. It holds
// so many lines and no more, and between them the marks.
type lastLines struct {
	most  int
	group func(Source) string
	kept  map[string]*ring
	marks *ring
	count int
}

// ring is the last items of a group, the oldest at next once it is full.
type ring struct {
	items []keptItem
	next  int
}

type keptItem struct {
	Item
	place int // among all
	text  []byte
}

// newLastLines returns nil where all lines are wanted.
func newLastLines(o Options) *lastLines {
	l := &lastLines{kept: map[string]*ring{}, marks: &ring{}}
	switch {
	case o.TailTotal > 0:
		l.most, l.group = o.TailTotal, func(Source) string { return "" }
	case o.TailService > 0:
		l.most, l.group = o.TailService, func(s Source) string { return s.Project + "\x00" + s.Service }
	default:
		return nil
	}
	return l
}

// keep takes an item; false means that it is none to be kept.
func (l *lastLines) keep(item Item) bool {
	l.count++
	switch item.Kind {
	case KindUnreadable:
		return false
	case KindLine:
	default:
		l.marks.put(item, l.count, mostPast)
		return true
	}
	key := l.group(item.Source)
	r, ok := l.kept[key]
	if !ok {
		r = &ring{}
		l.kept[key] = r
	}
	r.put(item, l.count, l.most)
	return true
}

func (r *ring) put(item Item, place, most int) {
	if len(r.items) < most {
		r.items = append(r.items, keptItem{Item: item, place: place, text: slices.Clone(item.Text)})
		return
	}
	oldest := &r.items[r.next]
	oldest.Item, oldest.place, oldest.text = item, place, append(oldest.text[:0], item.Text...)
	r.next = (r.next + 1) % most
}

// all is what was kept, in its order, from the first line on.
func (l *lastLines) all() []Item {
	var kept []keptItem
	for _, r := range l.kept {
		kept = append(kept, r.items...)
	}
	kept = append(kept, l.marks.items...)
	slices.SortFunc(kept, func(a, b keptItem) int { return cmp.Compare(a.place, b.place) })
	if first := slices.IndexFunc(kept, func(k keptItem) bool { return k.Kind == KindLine }); first >= 0 {
		kept = kept[first:]
	}
	items := make([]Item, len(kept))
	for i, k := range kept {
		items[i] = k.Item
		items[i].Text = k.text
	}
	return items
}
