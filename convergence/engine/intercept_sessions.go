package engine

import "context"

// HoldSession is a quick call: it is the opening that takes a while, and nothing is under way while the session is held.
func (i *intercepted) HoldSession(ctx context.Context, id string) (Session, error) {
	return result(ctx, i, Call{Name: "HoldSession", Object: id}, func(ctx context.Context) (Session, error) {
		return i.next.HoldSession(ctx, id)
	})
}
