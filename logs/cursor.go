package logs

import "time"

// cursor is how far a container's log was read, counted in messages: what the engine stored in one go, with one stamp.
//
// To go on from it, the engine is asked for everything since the cursor's time, and what was seen is left out by count. The
// engine starts at the first message that is not older, which is the one that set the time. Two streams of one container may
// be stored a little out of order, so older ones can come after it; some engines give them again and some do not.
type cursor struct {
	time   time.Time // the newest that was seen
	at     int       // messages of exactly that time
	behind int       // messages stored after the first of those, but stamped before
}

// started says whether there is anything to go on from.
func (c *cursor) started() bool { return c.at > 0 }

// pass records that a message was read.
func (c *cursor) pass(at time.Time) {
	switch {
	case !c.started() || at.After(c.time):
		*c = cursor{time: at, at: 1}
	case at.Equal(c.time):
		c.at++
	default:
		c.behind++
	}
}

// again says whether a message, of those that come since the cursor's time, was read before. It counts the cursor down: it is
// for a copy of the one that is kept.
func (c *cursor) again(at time.Time) bool {
	switch {
	case c.at == 0 && c.behind == 0:
	case at.After(c.time):
		c.at, c.behind = 0, 0 // whatever was seen has gone by, or is not kept any more
	case at.Equal(c.time) && c.at > 0:
		c.at--
		return true
	case at.Before(c.time) && c.behind > 0:
		c.behind--
		return true
	}
	return false
}
