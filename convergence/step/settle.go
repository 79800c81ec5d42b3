package step

import (
	"context"
	"fmt"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
)

// Settle stands for "everything has been started", so that what has to come last comes after one step instead of after each of
// many. It changes nothing.
type Settle struct {
	// For is how long to let what was started run before it is looked at once more; zero passes at once.
	For time.Duration
}

// Run implements [Step].
func (s Settle) Run(ctx context.Context, _ engine.Engine, _ func(Progress)) error {
	if s.For == 0 {
		return nil
	}
	timer := time.NewTimer(s.For)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Ref implements [Step].
func (Settle) Ref() graph.Ref { return graph.Ref{} }

// Object implements [Step].
func (Settle) Object() Object { return Object{} }

// Action implements [Step].
func (Settle) Action() string { return "settle" }

// Words implements [Step].
func (Settle) Words() (doing, done string) { return "", "" }

func (s Settle) String() string {
	if s.For > 0 {
		return fmt.Sprintf("everything has run for %s", s.For)
	}
	return "everything is started"
}
