package step

import (
	"context"

	"github.com/muster-dev/muster/convergence/engine"
	"github.com/muster-dev/muster/graph"
)

// Settle does nothing. It stands for "everything has been started", so that what has to come last comes after one step instead
// of after each of many.
type Settle struct{}

// Run implements [Step].
func (Settle) Run(context.Context, engine.Engine, func(Progress)) error { return nil }

// Ref implements [Step].
func (Settle) Ref() graph.Ref { return graph.Ref{} }

// Object implements [Step].
func (Settle) Object() Object { return Object{} }

// Action implements [Step].
func (Settle) Action() string { return "settle" }

// Words implements [Step].
func (Settle) Words() (doing, done string) { return "", "" }

func (Settle) String() string { return "everything is started" }
