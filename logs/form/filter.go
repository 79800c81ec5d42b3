package form

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/logs"
	"github.com/muster-dev/muster/logs/record"
)

// Criteria say which lines to keep: those that meet all of them. The zero value keeps all.
type Criteria struct {
	// Grep keeps the lines that any of the patterns finds something in; Exclude drops those that any of them does. Both see a line
	// without its colours.
	Grep, Exclude []*regexp.Regexp
	// Level keeps what matters as much or more; [record.Unknown] keeps all. A line that goes on with the record before it has
	// that one's level. One of which no level is known is dropped.
	Level record.Level
	// Stream keeps the lines of one stream; zero keeps both.
	Stream engine.Stream
}

// Any says whether there is anything that could be dropped.
func (c Criteria) Any() bool {
	return len(c.Grep) > 0 || len(c.Exclude) > 0 || c.Level > record.Unknown || c.Stream != 0
}

// Filter hands on the lines that meet criteria, and all marks.
type Filter struct {
	criteria Criteria
	next     Sink
	parser   record.Parser
	visible  []byte
	places   []int
	streams  streams
	services map[string]*found
}

// found is what is known of a service's levels.
type found struct {
	lines  int
	levels bool
}

// NewFilter returns a filter before next.
func NewFilter(criteria Criteria, next Sink) *Filter {
	return &Filter{criteria: criteria, next: next, streams: streams{}, services: map[string]*found{}}
}

// Item is a [Sink].
func (f *Filter) Item(item logs.Item) error {
	if item.Kind == logs.KindLine && !f.keeps(item) {
		return nil
	}
	return f.next(item)
}

// Unleveled are the services, sorted, of which lines came and no level was found in any of them.
func (f *Filter) Unleveled() []string {
	var names []string
	for name, s := range f.services {
		if !s.levels && s.lines > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (f *Filter) keeps(item logs.Item) bool {
	c := f.criteria
	if c.Stream != 0 && item.Stream != c.Stream {
		return false
	}
	if c.Level > record.Unknown && f.level(item) < c.Level {
		return false
	}
	if len(c.Grep) == 0 && len(c.Exclude) == 0 {
		return true
	}
	text := f.seen(item.Text)
	return (len(c.Grep) == 0 || anyFinds(c.Grep, text)) && !anyFinds(c.Exclude, text)
}

// level is that of the record that a line belongs to.
func (f *Filter) level(item logs.Item) record.Level {
	s, continues := f.streams.of(item)
	if !continues {
		s.level = f.parser.Parse(item.Text).Level
	}
	f.count(item, s.level)
	return s.level
}

func (f *Filter) count(item logs.Item, level record.Level) {
	name := item.Source.Service
	if name == "" {
		name = item.Source.Name()
	}
	service := f.services[name]
	if service == nil {
		service = &found{}
		f.services[name] = service
	}
	service.lines++
	service.levels = service.levels || level > record.Unknown
}

// seen is a text without its colours.
func (f *Filter) seen(text []byte) []byte {
	if bytes.IndexByte(text, escape) < 0 {
		return text
	}
	f.visible, f.places = appendVisible(f.visible[:0], f.places[:0], text)
	return f.visible
}

const escape = 0x1b

// appendVisible appends what of a text is seen, and where each byte of that is in it.
func appendVisible(to []byte, places []int, text []byte) (visible []byte, at []int) {
	for i := 0; i < len(text); {
		if size := record.ColorSize(text[i:]); size > 0 {
			i += size
			continue
		}
		to, places = append(to, text[i]), append(places, i)
		i++
	}
	return to, places
}

func anyFinds(patterns []*regexp.Regexp, text []byte) bool {
	for _, pattern := range patterns {
		if pattern.Match(text) {
			return true
		}
	}
	return false
}
