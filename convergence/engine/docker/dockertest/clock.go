package dockertest

import (
	"sync"
	"time"
)

// clock gives every moment once: on a real engine no two lines, events or starts have the same nanosecond, while under
// testing/synctest time stands still as long as anybody works.
type clock struct {
	mutex sync.Mutex
	last  time.Time
}

func (c *clock) now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	now := time.Now()
	if !now.After(c.last) {
		now = c.last.Add(1)
	}
	c.last = now
	return now
}
