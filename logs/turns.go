package logs

import "context"

// turns bounds how many logs are read at once of those that are not followed. Whoever has a turn and cannot go on, because what it
// has read is not needed yet, gives it to one that asks: so a merge of more logs than turns comes to its end.
type turns struct {
	free  chan struct{} // a token for each turn that nobody has
	asked chan struct{} // whoever receives from it is going to pass its turn on
	ceded chan struct{} // the turns that are passed on to those who asked
}

func newTurns(most int) *turns {
	t := &turns{free: make(chan struct{}, most), asked: make(chan struct{}), ceded: make(chan struct{}, most)}
	for range most {
		t.free <- struct{}{}
	}
	return t
}

func (t *turns) take(ctx context.Context) error {
	select {
	case <-t.free:
		return nil
	default:
	}
	select {
	case <-t.free:
		return nil
	case t.asked <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-t.ceded:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// give ends a turn. Whoever was asked passes it on.
func (t *turns) give(asked bool) {
	if asked {
		t.ceded <- struct{}{}
		return
	}
	t.free <- struct{}{}
}
