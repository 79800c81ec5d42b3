package form

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/muster-dev/muster/logs"
)

const (
	// markOn and markOff swap the colours of text and ground: what colours the text has itself stay.
	markOn, markOff = "\x1b[7m", "\x1b[27m"
)

// Highlight returns a sink that marks what any of the patterns finds in a line, for terminals.
func Highlight(patterns []*regexp.Regexp, next Sink) Sink {
	h := &highlighter{patterns: patterns}
	return func(item logs.Item) error {
		if item.Kind == logs.KindLine {
			item.Text = h.marked(item.Text)
		}
		return next(item)
	}
}

type highlighter struct {
	patterns []*regexp.Regexp
	text     []byte
	visible  []byte
	places   []int
	spans    [][]int
}

func (h *highlighter) marked(text []byte) []byte {
	visible := text
	h.places = h.places[:0]
	if bytes.IndexByte(text, escape) >= 0 {
		h.visible, h.places = appendVisible(h.visible[:0], h.places, text)
		visible = h.visible
	}
	h.spans = h.spans[:0]
	for _, pattern := range h.patterns {
		h.spans = append(h.spans, pattern.FindAllIndex(visible, -1)...)
	}
	if len(h.spans) == 0 {
		return text
	}
	slices.SortFunc(h.spans, slices.Compare)
	h.text = h.text[:0]
	done, at := 0, 0
	for _, span := range h.spans {
		start, end := max(span[0], at), span[1]
		if start >= end {
			continue
		}
		from, to := h.place(start), h.place(end-1)+1
		h.text = append(append(h.text, text[done:from]...), markOn...)
		h.text = append(append(h.text, text[from:to]...), markOff...)
		done, at = to, end
	}
	return append(h.text, text[done:]...)
}

// place is where a byte of the visible text is in the whole.
func (h *highlighter) place(visible int) int {
	if len(h.places) == 0 {
		return visible
	}
	return h.places[visible]
}
