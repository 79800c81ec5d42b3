package engine

import "context"

// Sessions are signs of life that others can ask after: a session is there for as long as whoever holds it is (Docker Engine API,
// POST /session).
type Sessions interface {
	// HoldSession opens a session under an ID of the caller's choice, an own one or one that it asks after, and holds it until it
	// is closed. The context bounds the opening only. [ErrConflict] while somebody holds one of that ID, and for some seconds
	// after that: an engine looks every 5 seconds whether the other side is there. Of many that ask at once one gets it.
	// [ErrUnsupported] where the engine knows no sessions, [ErrDenied] where it gives none to this user.
	HoldSession(ctx context.Context, id string) (Session, error)
}

// Session is one that is held. Its methods may be called from several goroutines.
type Session interface {
	// Lost is closed when the session has ended, by Close or without.
	Lost() <-chan struct{}
	// Close ends it and frees what it takes. Closing it again does nothing.
	Close() error
}
