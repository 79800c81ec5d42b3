package buildkit

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Held is a session in which nothing can be asked for but whether it lives. It implements [engine.Session].
type Held struct {
	session *session
	serving errgroup.Group
	lost    chan struct{}
}

// Hold opens a session under an ID of the caller's choice and answers, until it is closed, whoever asks whether it lives. Its errors are
// those of dial.
func Hold(ctx context.Context, dial Dial, id string) (*Held, error) {
	h := &Held{session: newSession("", nil), lost: make(chan struct{})}
	h.session.id = id
	connection, err := dial(ctx, sessionPath, h.session.header())
	if err != nil {
		return nil, err
	}
	h.serving.Go(func() error {
		defer close(h.lost)
		return h.session.server.Serve(NewListener(connection))
	})
	return h, nil
}

// Lost implements [engine.Session].
func (h *Held) Lost() <-chan struct{} { return h.lost }

// Close implements [engine.Session].
func (h *Held) Close() error {
	h.session.close()
	_ = h.serving.Wait() // that it was stopped, or lost
	return nil
}
