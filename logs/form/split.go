package form

import (
	"bytes"
	"time"

	"github.com/muster-dev/muster/logs"
)

// Split returns a sink that makes lines again of what was joined.
func Split(next Sink) Sink {
	return func(item logs.Item) error {
		if item.Kind != logs.KindLine {
			return next(item)
		}
		cut := item.Cut
		for {
			line, rest, more := bytes.Cut(item.Text, []byte{'\n'})
			item.Text, item.Cut = line, cut && !more
			if err := next(item); err != nil || !more {
				return err
			}
			item.Text = rest
		}
	}
}

// StampLayout is how a line's time is written: docker compose's, RFC 3339 with nine digits.
const StampLayout = "2006-01-02T15:04:05.000000000Z07:00"

// Stamp returns a sink that puts each line's time, as it is in a place, before its text.
func Stamp(place *time.Location, next Sink) Sink {
	var text []byte
	return func(item logs.Item) error {
		if item.Kind == logs.KindLine {
			text = append(item.Time.In(place).AppendFormat(text[:0], StampLayout), ' ')
			text = append(text, item.Text...)
			item.Text = text
		}
		return next(item)
	}
}
