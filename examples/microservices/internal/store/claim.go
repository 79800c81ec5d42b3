package store

import (
	"context"
	"encoding/json"
	"time"
)

// claim takes the queue's first free item, waiting for one until the context ends. ok is false when none came.
func (s *state) claim(ctx context.Context, queue string) (id string, value json.RawMessage, ok bool) {
	for {
		attempt := s.tryClaim(queue, time.Now())
		if attempt.taken != nil {
			return attempt.taken.id, attempt.taken.value, true
		}
		if !waitForItem(ctx, attempt) {
			return "", nil, false
		}
	}
}

// claimAttempt is an item, or what to wait for before the next attempt.
type claimAttempt struct {
	taken   *item
	changed <-chan struct{} // an item came in
	free    <-chan time.Time
}

func (s *state) tryClaim(queue string, now time.Time) claimAttempt {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	attempt := claimAttempt{changed: s.changed}
	var earliest time.Time
	for _, i := range s.queues[queue] {
		if !i.leased.After(now) {
			i.leased = now.Add(s.lease)
			return claimAttempt{taken: i}
		}
		if earliest.IsZero() || i.leased.Before(earliest) {
			earliest = i.leased
		}
	}
	if !earliest.IsZero() {
		attempt.free = time.After(earliest.Sub(now))
	}
	return attempt
}

func waitForItem(ctx context.Context, attempt claimAttempt) bool {
	select {
	case <-attempt.changed:
		return true
	case <-attempt.free:
		return true
	case <-ctx.Done():
		return false
	}
}
