package dockertest

// broadcast wakes all who wait for a change of something. It is guarded by the mutex of that something.
type broadcast struct {
	next chan struct{}
}

// wait is closed at the next change.
func (b *broadcast) wait() <-chan struct{} {
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}

func (b *broadcast) fire() {
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}
